"""The password of a mailbox."""

from __future__ import annotations

from audit.actions import Action
from audit.services import audited
from mailboxes.models import Mailbox
from mailboxes.services.presence import known_there
from mailboxes.services.settings import read_settings
from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.types import RemoteUser


def reset_password(
    *, mailbox: Mailbox, password: str, enable_password_reset: bool = False
) -> RemoteUser | None:
    """Give a mailbox a new password. PurelyMail takes it without a way to check it.

    With `enable_password_reset` its owner may reset it from now on; that goes in the same call,
    because PurelyMail wants the password with it. The settings are read back then, and are the
    answer; None where they were not asked for, or PurelyMail did not tell them.
    """
    after = {"enable_password_reset": True} if enable_password_reset else {}
    with audited(Action.MAILBOX_PASSWORD_RESET, target=mailbox.address, after=after):
        with known_there(mailbox.address):
            get_client().modify_user(
                address=mailbox.address,
                new_password=password,
                enable_password_reset=enable_password_reset or None,
            )
        return _settings_after(mailbox) if enable_password_reset else None


def _settings_after(mailbox: Mailbox) -> RemoteUser | None:
    """The password is set by now, whatever this look comes to."""
    try:
        return read_settings(mailbox=mailbox)
    except PurelyManageError:
        return None
