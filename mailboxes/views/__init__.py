"""The pages of mailboxes, a file per matter."""

from mailboxes.views.app_passwords import app_password_add, app_password_revoke
from mailboxes.views.creation import address_outlook, mailbox_add
from mailboxes.views.detail import mailbox_detail, setting_change, settings_read
from mailboxes.views.identity import mailbox_delete, mailbox_rename
from mailboxes.views.lists import mailbox_export, mailbox_export_selected, mailbox_list
from mailboxes.views.passwords import mailbox_password_reset
from mailboxes.views.recovery import recovery_add, recovery_edit, recovery_remove
from mailboxes.views.restoring import mailbox_restore

__all__ = [
    "address_outlook",
    "app_password_add",
    "app_password_revoke",
    "mailbox_add",
    "mailbox_delete",
    "mailbox_detail",
    "mailbox_export",
    "mailbox_export_selected",
    "mailbox_list",
    "mailbox_password_reset",
    "mailbox_rename",
    "mailbox_restore",
    "recovery_add",
    "recovery_edit",
    "recovery_remove",
    "setting_change",
    "settings_read",
]
