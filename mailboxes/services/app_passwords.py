"""App passwords: shown once, never stored. PurelyMail can neither list nor name them later."""

from __future__ import annotations

from audit.actions import Action
from audit.services import audited
from mailboxes.models import Mailbox
from mailboxes.services.presence import known_there
from purelymanage.purelymail.client import get_client


def create_app_password(*, mailbox: Mailbox, name: str) -> str:
    """A new app password. It is never asked for twice: each call makes another one."""
    with (
        audited(Action.APP_PASSWORD_CREATED, target=mailbox.address, after={"name": name}),
        known_there(mailbox.address),
    ):
        return get_client().create_app_password(address=mailbox.address, name=name)


def revoke_app_password(*, mailbox: Mailbox, app_password: str) -> None:
    """End an app password; PurelyMail knows it only by itself."""
    with (
        audited(Action.APP_PASSWORD_REVOKED, target=mailbox.address),
        known_there(mailbox.address),
    ):
        get_client().delete_app_password(address=mailbox.address, app_password=app_password)
