"""The local copy of PurelyMail's domains and credit, and how fresh each part of the copy is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

REFRESH_PATIENCE = timedelta(seconds=90)


class Verdict(NamedTuple):
    """One DNS check and whether PurelyMail last saw it pass."""

    name: str
    passes: bool


class DomainQuerySet(models.QuerySet["Domain"]):
    """Conditions on domains."""

    def ours(self) -> DomainQuerySet:
        """Domains of the account itself, not those PurelyMail shares among its customers."""
        return self.filter(is_shared=False)

    def search(self, text: str) -> DomainQuerySet:
        """Those whose name contains `text`, whatever the case."""
        return self.filter(name__icontains=text) if text else self

    def numbers_of(self, relation: str) -> dict[str, int]:
        """How many rows of `relation` hang on each domain that has some, by its name."""
        counted = self.annotate(number=models.Count(relation)).filter(number__gt=0)
        return dict(counted.values_list("name", "number"))


class Domain(models.Model):
    """A domain of the PurelyMail account, as last read; the flags are PurelyMail's verdicts."""

    name = models.CharField(max_length=253, unique=True)
    is_shared = models.BooleanField(default=False)
    passes_mx = models.BooleanField(default=False)
    passes_spf = models.BooleanField(default=False)
    passes_dkim = models.BooleanField(default=False)
    passes_dmarc = models.BooleanField(default=False)
    allow_account_reset = models.BooleanField(default=False)
    symbolic_subaddressing = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def verdicts(self) -> list[Verdict]:
        """What PurelyMail last saw, check by check."""
        return [
            Verdict("MX", self.passes_mx),
            Verdict("SPF", self.passes_spf),
            Verdict("DKIM", self.passes_dkim),
            Verdict("DMARC", self.passes_dmarc),
        ]

    @property
    def failing(self) -> list[str]:
        """The names of the failing checks. Those of shared domains are PurelyMail's business."""
        return [] if self.is_shared else [name for name, passes in self.verdicts if not passes]


class Kind(models.TextChoices):
    """The parts of the local copy."""

    DOMAINS = "domains", _("domains")
    MAILBOXES = "mailboxes", _("mailboxes")
    RULES = "rules", _("routing rules")
    CREDIT = "credit", _("account credit")


def _clock(moment: datetime) -> str:
    """`14:20`, or `19 Nov, 14:20` when that was not today."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localdate()
    return date_format(local, "H:i" if is_today else "j M, H:i")


class SyncState(models.Model):
    """How fresh one part of the copy is, and since when it could not be refreshed."""

    name = models.CharField(max_length=20, primary_key=True, choices=Kind)
    synced_at = models.DateTimeField(null=True, blank=True, help_text="the last whole answer")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="the end of the last try")
    requested_at = models.DateTimeField(null=True, blank=True, help_text="somebody pressed Refresh")
    failed_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    is_outage = models.BooleanField(default=False, help_text="no answer, rather than a refusal")
    empty_since = models.DateTimeField(
        null=True, blank=True, help_text="since when PurelyMail lists none where the copy has some"
    )
    may_be_truncated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.get_name_display()

    @property
    def failed_clock(self) -> str:
        """When it began to fail, as banners say it."""
        return _clock(self.failed_since) if self.failed_since else ""

    @property
    def synced_clock(self) -> str:
        """When the copy was last whole, as banners say it."""
        return _clock(self.synced_at) if self.synced_at else ""

    @property
    def is_expected(self) -> bool:
        """Whether an answer is on its way: asked for, or the very first one."""
        return self.is_refreshing or (self.tried_at is None and self.requested_at is None)

    @property
    def is_overdue(self) -> bool:
        """Whether a refresh somebody asked for has not come, and is not waited for any more."""
        return self._is_awaited(since=None) and not self.is_refreshing

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh somebody asked for has yet to end."""
        return self._is_awaited(since=timezone.now() - REFRESH_PATIENCE)

    def _is_awaited(self, *, since: datetime | None) -> bool:
        """Whether no try has ended since it was asked for, and that was not before `since`."""
        if self.requested_at is None or (since and self.requested_at < since):
            return False
        return self.tried_at is None or self.tried_at < self.requested_at


class CreditReadingQuerySet(models.QuerySet["CreditReading"]):
    """Reads of the credit history."""

    def lowest_per_day(self) -> list[tuple[date, Decimal]]:
        """One value a day, oldest first: what the chart draws."""
        per_day = self.annotate(day=TruncDate("at")).values("day").order_by("day")
        return list(per_day.annotate(lowest=models.Min("credit")).values_list("day", "lowest"))


class CreditReading(models.Model):
    """What the account held at one moment, in US dollars."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    credit = models.DecimalField(max_digits=20, decimal_places=8)

    objects = CreditReadingQuerySet.as_manager()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.credit:.2f} USD"
