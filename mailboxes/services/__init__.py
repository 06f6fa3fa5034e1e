"""What can happen to mailboxes, a file per matter."""

from mailboxes.services.app_passwords import create_app_password, revoke_app_password
from mailboxes.services.copies import refresh_mailboxes
from mailboxes.services.creation import create_mailbox
from mailboxes.services.exports import note_export
from mailboxes.services.passwords import reset_password
from mailboxes.services.recovery import remove_recovery_method, save_recovery_method
from mailboxes.services.renaming import rename_mailbox
from mailboxes.services.restoring import Restored, restore_settings
from mailboxes.services.settings import change_settings, read_settings

__all__ = [
    "Restored",
    "change_settings",
    "create_app_password",
    "create_mailbox",
    "note_export",
    "read_settings",
    "refresh_mailboxes",
    "remove_recovery_method",
    "rename_mailbox",
    "reset_password",
    "restore_settings",
    "revoke_app_password",
    "save_recovery_method",
]
