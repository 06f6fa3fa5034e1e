"""The local copy of PurelyMail's users: addresses with storage and a password."""

from __future__ import annotations

from django.db import models

from domains.models import Domain
from purelymanage.core.addresses import split_address

SYMBOLS = frozenset(".+-_")
"""With symbolic subaddressing on, PurelyMail drops or joins what follows one of these."""


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    """Conditions on mailboxes."""

    def search(self, text: str) -> MailboxQuerySet:
        """Those whose address contains `text`, whatever the case."""
        return self.filter(address__icontains=text) if text else self


class Mailbox(models.Model):
    """One address, as last read from PurelyMail."""

    address = models.CharField(max_length=254, unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="mailboxes")
    created_at = models.DateTimeField(auto_now_add=True)

    rule_count: int
    """How many routing rules name it; set by the list."""

    objects = MailboxQuerySet.as_manager()

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "mailboxes"

    def __str__(self) -> str:
        return self.address

    @property
    def may_miss_mail(self) -> bool:
        """Whether PurelyMail may simplify its own address before it looks for a mailbox."""
        local_part, _domain = split_address(self.address)
        return self.domain.symbolic_subaddressing and not SYMBOLS.isdisjoint(local_part)
