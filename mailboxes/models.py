"""The local copy of PurelyMail's users; work on many of them at once is in `batches/models.py`."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from domains.dependants import SYMBOLS
from domains.models import Domain
from mailboxes.batches.models import MailboxBatch, MailboxBatchRow
from mailboxes.moves import Move
from purelymanage.core.addresses import shown_domain, split_address
from purelymanage.core.search import holds
from purelymanage.deletions.models import DeletionKind, PendingDeletion

__all__ = ["Mailbox", "MailboxBatch", "MailboxBatchRow"]


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    """Conditions on mailboxes."""

    def search(self, text: str, *, domains: Iterable[str] | None = None) -> MailboxQuerySet:
        """Those whose address contains `text` as it is stored or shown, whatever the case.

        `domains`: the names of all that have mailboxes, where they are known already.
        """
        if not text:
            return self
        found = holds("address", text)
        local_part, at, typed = text.casefold().rpartition("@")
        if domains is None:
            domains = Domain.objects.filter(name__contains="xn--").values_list("name", flat=True)
        for name in (name for name in domains if "xn--" in name):
            shown = shown_domain(name).casefold()
            if shown.startswith(typed) if at else typed in shown:
                found |= models.Q(address__iendswith=f"{local_part}@{name}")
        return self.filter(found)

    def pending(self) -> MailboxQuerySet:
        """Those to be deleted within a day."""
        return self.filter(address__in=_pending_keys())

    def active(self) -> MailboxQuerySet:
        """Those that stay."""
        return self.exclude(address__in=_pending_keys())


class Mailbox(models.Model):
    """One address, as last read from PurelyMail."""

    address = models.CharField(max_length=254, unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="mailboxes")
    created_at = models.DateTimeField(auto_now_add=True)

    rule_count: int
    """How many routing rules name it; set by the list, as the next two."""
    last_move: Move | None
    deletion: PendingDeletion | None

    objects = MailboxQuerySet.as_manager()

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "mailboxes"

    def __str__(self) -> str:
        return self.address

    @property
    def local_part(self) -> str:
        """What stands before the `@`."""
        return split_address(self.address)[0]

    @property
    def may_miss_mail(self) -> bool:
        """Whether PurelyMail may simplify its own address before it looks for a mailbox."""
        return self.domain.symbolic_subaddressing and not SYMBOLS.isdisjoint(self.local_part)


def _pending_keys() -> models.QuerySet[PendingDeletion, str]:
    rows = PendingDeletion.objects.pending().filter(kind=DeletionKind.MAILBOX)
    return rows.values_list("key", flat=True)
