"""What can happen to mailboxes, and the refresh of their copy."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.copy import Changes, believed, refreshing, update_rows
from domains.models import Domain, Kind
from domains.services import domains_called
from mailboxes.models import Mailbox
from purelymanage.core.addresses import CONTROL, MAX_ADDRESS, split_address
from purelymanage.core.errors import MissingError, RefusedError, UnavailableError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import UnknownOutcomeError

logger = logging.getLogger(__name__)


def refresh_mailboxes() -> Changes:
    """Bring the copy of the mailboxes up to date with one call to PurelyMail."""
    with refreshing(Kind.MAILBOXES) as state:
        asked_at = timezone.now()
        listed = believed(
            state,
            ask=get_client().list_users,
            size=lambda answer: len(answer.addresses),
            held=Mailbox.objects.count(),
        )
        parts = _well_formed(listed.addresses)
        domains = domains_called(parts.values())
        changes = update_rows(
            Mailbox.objects.all(),
            {address: {"domain_id": domains[name].pk} for address, name in parts.items()},
            key="address",
            state=state,
            asked_at=asked_at,
            keeps_missing=listed.may_be_truncated,
        )
        state.may_be_truncated = listed.may_be_truncated
        return changes


def _well_formed(addresses: Iterable[str]) -> dict[str, str]:
    """Address to domain name. What is no address is left out: nothing could be done with it."""
    parts = {}
    for listed in addresses:
        address = listed.lower()
        local_part, name = split_address(address)
        if local_part and name and len(address) <= MAX_ADDRESS and not CONTROL.search(address):
            parts[address] = name
        else:
            logger.warning("PurelyMail listed a mailbox that is not an address; it is left out.")
    return parts


def create_mailbox(
    *,
    local_part: str,
    domain: Domain,
    password: str,
    send_welcome_email: bool = False,
    enable_password_reset: bool = False,
) -> Mailbox:
    """Create a mailbox at PurelyMail. The password goes there and is stored nowhere."""
    address = f"{local_part}@{domain.name}"
    if domain.is_shared:
        raise RefusedError(
            _("%(domain)s belongs to PurelyMail. Choose one of your own domains.")
            % {"domain": domain.name},
            field="domain",
        )
    if Mailbox.objects.filter(address=address).exists():
        raise RefusedError(
            _("%(address)s exists already. Choose another local part, or open that mailbox.")
            % {"address": address},
            field="local_part",
        )
    options = {
        "send_welcome_email": send_welcome_email,
        "enable_password_reset": enable_password_reset,
    }
    with audited(Action.MAILBOX_CREATED, target=address, after=options):
        _refuse_taken(address)
        get_client().create_user(
            local_part=local_part,
            domain=domain.name,
            password=password,
            send_welcome_email=send_welcome_email,
            enable_password_reset=enable_password_reset,
        )
        _confirm_created(address)
        mailbox, _created = Mailbox.objects.get_or_create(
            address=address, defaults={"domain": domain}
        )
    return mailbox


def _refuse_taken(address: str) -> None:
    """Refuse an address that exists outside our copy.

    Else a creation without answer would find the old mailbox, and pass our password off as its own.
    """
    try:
        get_client().get_user(address=address)
    except MissingError:
        return
    except UnavailableError as error:
        raise UnavailableError(
            _("%(reason)s The mailbox was not created.") % {"reason": error}
        ) from None
    raise RefusedError(
        _(
            "%(address)s exists at PurelyMail already, and nothing was changed. "
            "Refresh the list of mailboxes to see it here."
        )
        % {"address": address},
        field="local_part",
    )


def _confirm_created(address: str) -> None:
    """PurelyMail says yes to more than it does, so look. No answer now does not undo its yes."""
    try:
        get_client().get_user(address=address)
    except MissingError:
        raise UnknownOutcomeError(
            _(
                "PurelyMail said that it created %(address)s, but does not know it. "
                "Refresh the list of mailboxes before you try again."
            )
            % {"address": address}
        ) from None
    except UnavailableError as error:
        logger.warning("Could not read back %s: %s", address, error)


def reset_password(*, mailbox: Mailbox, password: str) -> None:
    """Give a mailbox a new password. PurelyMail takes it without a way to check it."""
    with audited(Action.MAILBOX_PASSWORD_RESET, target=mailbox.address):
        try:
            get_client().modify_user(address=mailbox.address, new_password=password)
        except MissingError:
            raise RefusedError(
                _(
                    "%(address)s is not at PurelyMail any more, so nothing was changed. "
                    "Refresh the list of mailboxes."
                )
                % {"address": mailbox.address}
            ) from None
