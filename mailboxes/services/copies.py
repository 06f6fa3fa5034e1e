"""The refresh of the copy of the mailboxes."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.utils import timezone

from domains.copy import Changes, believed, refreshing, update_rows
from domains.models import Kind
from domains.services import domains_called
from mailboxes.models import Mailbox
from purelymanage.core.addresses import CONTROL, MAX_ADDRESS, split_address
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.types import MAX_LISTED_USERS

logger = logging.getLogger(__name__)


def refresh_mailboxes() -> Changes:
    """Bring the copy of the mailboxes up to date with one call to PurelyMail."""
    with refreshing(Kind.MAILBOXES) as state:
        asked_at = timezone.now()
        listed = believed(
            state,
            ask=get_client().list_users,
            size=lambda answer: len(answer.addresses),
            held=min(Mailbox.objects.count(), MAX_LISTED_USERS),
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
