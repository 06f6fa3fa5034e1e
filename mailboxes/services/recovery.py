"""Recovery methods of one mailbox: PurelyMail has no ids for them, their target is the key."""

from __future__ import annotations

from dataclasses import asdict

from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from mailboxes.models import Mailbox
from mailboxes.services.presence import known_there
from mailboxes.services.settings import NotTakenError, read_back, read_settings
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import RefusedError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.types import RecoveryMethod, RemoteUser


def save_recovery_method(
    *, mailbox: Mailbox, method: RecoveryMethod, existing_target: str = ""
) -> RemoteUser:
    """Add a method, or change the one at `existing_target`; answers with all of them."""
    present = read_settings(mailbox=mailbox)
    old = _known(present, existing_target) if existing_target else None
    _refuse_unusable(mailbox, method, present, except_for=existing_target)
    before = asdict(old) if old else None
    with audited(
        Action.RECOVERY_SAVED, target=mailbox.address, before=before, after=asdict(method)
    ):
        with known_there(mailbox.address):
            get_client().upsert_recovery_method(
                address=mailbox.address,
                type=method.type,
                target=method.target,
                existing_target=existing_target or None,
                description=method.description,
                allow_mfa_reset=method.allow_mfa_reset,
            )
        settings = read_back(mailbox)
        if not _has(settings, method.target):
            raise NotTakenError(
                _("PurelyMail said yes, but does not list %(target)s.") % {"target": method.target},
                settings=settings,
            )
    return settings


def remove_recovery_method(*, mailbox: Mailbox, target: str) -> RemoteUser:
    """Remove one method, always by its target; answers with the others."""
    old = _known(read_settings(mailbox=mailbox), target)
    with audited(Action.RECOVERY_REMOVED, target=mailbox.address, before=asdict(old)):
        with known_there(mailbox.address):
            get_client().delete_recovery_method(address=mailbox.address, target=target)
        settings = read_back(mailbox)
        if _has(settings, target):
            raise NotTakenError(
                _("PurelyMail said yes, but still lists %(target)s.") % {"target": target},
                settings=settings,
            )
    return settings


def _known(settings: RemoteUser, target: str) -> RecoveryMethod:
    for method in settings.recovery_methods:
        if method.target == target:
            return method
    raise RefusedError(
        _(
            "%(target)s is no recovery method any more, so nothing was changed. "
            "Read the settings again."
        )
        % {"target": target}
    )


def _refuse_unusable(
    mailbox: Mailbox, method: RecoveryMethod, present: RemoteUser, *, except_for: str
) -> None:
    if _same(method.target, mailbox.address):
        raise RefusedError(
            _("Choose another address: who cannot open this mailbox cannot read its mail either."),
            field="target",
        )
    others = [one.target for one in present.recovery_methods if one.target != except_for]
    if any(_same(method.target, target) for target in others):
        raise RefusedError(
            _("%(target)s is a recovery method of %(address)s already.")
            % {"target": method.target, "address": shown_address(mailbox.address)},
            field="target",
        )


def _has(settings: RemoteUser, target: str) -> bool:
    return any(_same(method.target, target) for method in settings.recovery_methods)


def _same(one: str, other: str) -> bool:
    """Whether two targets are the same address, or the same number however it is spaced."""
    if "@" in one or "@" in other:
        return one.casefold() == other.casefold()
    digits = ["".join(filter(str.isdigit, text)) for text in (one, other)]
    return digits[0] == digits[1]
