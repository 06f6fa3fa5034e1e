"""The settings of one mailbox: read from PurelyMail on demand, changed, and read back."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actions import Action
from audit.services import audited
from mailboxes.models import Mailbox
from mailboxes.services.presence import known_there, not_sent
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import UnknownOutcomeError
from purelymanage.purelymail.types import RemoteUser

NAMES: dict[str, str | Promise] = {
    "require_two_factor": gettext_lazy("the second factor"),
    "enable_password_reset": gettext_lazy("resetting the password"),
    "enable_search_indexing": gettext_lazy("indexing for search"),
}


class NotTakenError(RefusedError):
    """PurelyMail said yes and changed nothing; `settings` are those it has."""

    def __init__(self, message: str, *, settings: RemoteUser, setting: str = "") -> None:
        super().__init__(message)
        self.settings = settings
        self.setting = setting


class NoRecoveryError(RefusedError):
    """A second factor would lock out a person without a recovery method, once it is lost."""

    def __init__(self, message: str, *, settings: RemoteUser) -> None:
        super().__init__(message)
        self.settings = settings


def read_settings(*, mailbox: Mailbox) -> RemoteUser:
    """Ask PurelyMail for the settings of one mailbox; they are stored nowhere."""
    with known_there(mailbox.address):
        return get_client().get_user(address=mailbox.address)


def change_settings(
    *,
    mailbox: Mailbox,
    require_two_factor: bool | None = None,
    enable_password_reset: bool | None = None,
    enable_search_indexing: bool | None = None,
    accepts_lockout: bool = False,
) -> RemoteUser:
    """Change what is given, and answer with what PurelyMail says afterwards.

    Without a recovery method a second factor is refused, unless `accepts_lockout`.
    """
    asked = {
        "require_two_factor": require_two_factor,
        "enable_password_reset": enable_password_reset,
        "enable_search_indexing": enable_search_indexing,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    try:
        present = read_settings(mailbox=mailbox)
    except UnavailableError as error:
        raise not_sent(error, _("Nothing was changed.")) from None
    before = {name: getattr(present, name) for name in wanted}
    if before == wanted:
        return present
    if require_two_factor and not (present.recovery_methods or accepts_lockout):
        raise NoRecoveryError(_lockout(mailbox), settings=present)
    with audited(Action.MAILBOX_CHANGED, target=mailbox.address, before=before, after=wanted):
        with known_there(mailbox.address):
            get_client().modify_user(
                address=mailbox.address,
                require_two_factor=require_two_factor,
                enable_password_reset=enable_password_reset,
                enable_search_indexing=enable_search_indexing,
            )
        settings = read_back(mailbox)
        for name, value in wanted.items():
            if getattr(settings, name) != value:
                raise NotTakenError(_not_taken(name), settings=settings, setting=name)
    return settings


def read_back(mailbox: Mailbox) -> RemoteUser:
    """The settings after a change that PurelyMail said yes to."""
    try:
        return read_settings(mailbox=mailbox)
    except PurelyManageError as error:
        raise UnknownOutcomeError(
            _(
                "PurelyMail took the change of %(address)s, but could not be asked what it is "
                "now: %(reason)s Read the settings again."
            )
            % {"address": shown_address(mailbox.address), "reason": error}
        ) from None


def _lockout(mailbox: Mailbox) -> str:
    return _(
        "%(address)s has no recovery method. Its owner is locked out if the second factor is lost, "
        "and mail programs need an app password from then on. Nothing was changed."
    ) % {"address": shown_address(mailbox.address)}


def _not_taken(name: str) -> str:
    if name == "enable_password_reset":
        return _(
            "PurelyMail said yes, but resetting the password is as before. It is allowed only "
            "together with a new password: reset the password, and tick it there."
        )
    return _("PurelyMail said yes, but %(setting)s is as before. Nothing was changed.") % {
        "setting": NAMES[name]
    }
