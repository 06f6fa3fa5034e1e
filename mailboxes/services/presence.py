"""Whether an address is at PurelyMail: asked before a change, and looked at after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from domains.models import Domain
from mailboxes.models import Mailbox
from purelymanage.core.addresses import shown_address, shown_domain
from purelymanage.core.errors import (
    MissingError,
    PurelyManageError,
    RefusedError,
    UnavailableError,
)
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletion
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NotReachedError,
    RateLimitedError,
    UnknownOutcomeError,
)

logger = logging.getLogger(__name__)


def refuse_shared(domain: Domain) -> None:
    """Refuse a domain that PurelyMail shares among its customers."""
    if domain.is_shared:
        raise RefusedError(
            _("%(domain)s belongs to PurelyMail. Choose one of your own domains.")
            % {"domain": shown_domain(domain.name)},
            field="domain",
        )


def refuse_doomed(domain: Domain) -> None:
    """Refuse a domain that is to be deleted: whoever confirmed that was not shown this mailbox."""
    if pending_deletion(DeletionKind.DOMAIN, domain.name):
        raise RefusedError(
            _(
                "The deletion of %(domain)s is pending, and takes all its mailboxes along. "
                "Cancel it first, or choose another domain; nothing was changed."
            )
            % {"domain": shown_domain(domain.name)},
            field="domain",
        )


def refuse_listed(address: str) -> None:
    """Refuse an address of the copy, without a call."""
    if Mailbox.objects.filter(address=address).exists():
        raise RefusedError(
            _("%(address)s exists already. Choose another local part, or open that mailbox.")
            % {"address": shown_address(address)},
            field="local_part",
        )


def refuse_taken(address: str, *, consequence: str) -> None:
    """Refuse an address that exists outside our copy. `consequence` is told when nobody answers.

    Else a change without answer would find the old mailbox, and take it for its own work.
    """
    try:
        get_client().get_user(address=address)
    except MissingError:
        return
    except UnavailableError as error:
        raise not_sent(error, consequence) from None
    raise RefusedError(
        _(
            "%(address)s exists at PurelyMail already, and nothing was changed. "
            "Refresh the list of mailboxes to see it here."
        )
        % {"address": shown_address(address)},
        field="local_part",
    )


def not_sent(error: UnavailableError, consequence: str) -> NotReachedError:
    """The question before a change had no answer, so the change itself never left."""
    words = f"{error} {consequence}"
    if isinstance(error, RateLimitedError):
        return RateLimitedError(words, retry_after=error.retry_after)
    return NotReachedError(words)


def confirm_there(address: str, *, claim: str) -> None:
    """PurelyMail says yes to more than it does, so look. No answer now does not undo its yes.

    `claim` is what it said, for the sentence that tells of a yes without effect.
    """
    try:
        get_client().get_user(address=address)
    except MissingError:
        raise UnknownOutcomeError(
            _(
                "%(claim)s, but it does not know %(address)s. "
                "Refresh the list of mailboxes before you try again."
            )
            % {"claim": claim, "address": shown_address(address)}
        ) from None
    except PurelyManageError as error:
        logger.warning("Could not read back %s: %s", address, error)


@contextmanager
def known_there(address: str) -> Iterator[None]:
    """Tell of a mailbox that vanished outside the panel, whatever was to be done to it."""
    try:
        yield
    except MissingError:
        raise RefusedError(
            _(
                "%(address)s is not at PurelyMail any more, so nothing was changed. "
                "Refresh the list of mailboxes."
            )
            % {"address": shown_address(address)}
        ) from None
