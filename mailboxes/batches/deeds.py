"""What is done to a row, by kind of batch: by the same service that does it to one mailbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from audit.actions import Action
from audit.models import Entry, Outcome
from domains.copy import own_change
from domains.models import Domain, Kind
from mailboxes.batches.models import BatchKind, MailboxBatchRow, RowState
from mailboxes.models import Mailbox
from mailboxes.services import change_settings, create_mailbox
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.crypto import DecryptionError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.purelymail.client import get_client

Settled = tuple[RowState, str]
"""Where a row ends, and what there is to say about it."""


@dataclass(frozen=True)
class Deed:
    """`do` raises RefusedError where it cannot be done, UnavailableError where nobody answers.

    `look` is asked about a row whose end nobody saw: how it ended, or None to do it again.
    """

    do: Callable[[MailboxBatchRow], Settled]
    look: Callable[[MailboxBatchRow], Settled | None]


def _create(row: MailboxBatchRow) -> Settled:
    domain = Domain.objects.filter(name=row.domain_name).first()
    if domain is None:
        raise RefusedError(
            _("%(domain)s is not one of your domains any more.") % {"domain": row.domain_name}
        )
    try:
        password = row.password.reveal()
    except DecryptionError:
        raise RefusedError(
            _("The stored password does not open: its key is not among ENCRYPTION_KEYS.")
        ) from None
    create_mailbox(local_part=row.local_part, domain=domain, password=password)
    return RowState.DONE, _created(row)


def _look_for_created(row: MailboxBatchRow) -> Settled | None:
    """A mailbox that is there now is ours only if we know that it was not before our call.

    We know by the row, which tells of a call that left us after that question, or by the audit
    entry, which ended well before the row could say so.
    """
    try:
        get_client().get_user(address=row.address)
    except MissingError:
        return None
    _add_to_copy(row)
    if row.message or _is_on_record(row):
        return RowState.DONE, _created(row)
    return RowState.FAILED, _(
        "It exists now; whether with this password is unknown, because the worker ended in the "
        "middle of it. Reset its password."
    )


def _created(row: MailboxBatchRow) -> str:
    return "" if row.is_generated else _("Created with the password from your file.")


def _is_on_record(row: MailboxBatchRow) -> bool:
    """By this batch: what the same person did in a browser has the browser's address."""
    entries = Entry.objects.filter(
        action=Action.MAILBOX_CREATED,
        target=shown_address(row.address),
        at__gte=row.batch.started_at,
        actor_id=row.batch.created_by_id,
        address=None,
    )
    return entries.filter(outcome__result=Outcome.Result.OK).exists()


def _add_to_copy(row: MailboxBatchRow) -> None:
    domain = Domain.objects.filter(name=row.domain_name).first()
    if domain:
        with own_change(Kind.MAILBOXES):
            Mailbox.objects.get_or_create(address=row.address, defaults={"domain": domain})


def _require_2fa(row: MailboxBatchRow) -> Settled:
    settings = change_settings(mailbox=_mailbox(row), require_two_factor=True, accepts_lockout=True)
    return RowState.DONE, "" if settings.recovery_methods else _("No recovery method.")


def _delete(row: MailboxBatchRow) -> Settled:
    if pending_deletion(DeletionKind.MAILBOX, row.address):
        return RowState.SKIPPED, _("Its deletion is pending already.")
    schedule_deletion(kind=DeletionKind.MAILBOX, key=_mailbox(row).address)
    return RowState.DONE, ""


def _look_for_deletion(row: MailboxBatchRow) -> Settled | None:
    if pending_deletion(DeletionKind.MAILBOX, row.address):
        return RowState.DONE, ""
    return None


def _mailbox(row: MailboxBatchRow) -> Mailbox:
    mailbox = Mailbox.objects.select_related("domain").filter(address=row.address).first()
    if mailbox is None:
        raise RefusedError(_("It is not in the list of mailboxes any more; nothing was changed."))
    return mailbox


DEEDS = {
    BatchKind.CREATE: Deed(do=_create, look=_look_for_created),
    BatchKind.REQUIRE_2FA: Deed(do=_require_2fa, look=lambda _row: None),
    BatchKind.DELETE: Deed(do=_delete, look=_look_for_deletion),
}
