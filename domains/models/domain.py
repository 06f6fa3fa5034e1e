"""The local copy of PurelyMail's domains."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models import Case, F, Q, Value, When

from purelymanage.core.addresses import shown_domain

CHECKS = ("mx", "spf", "dkim", "dmarc")
"""PurelyMail's four checks, as in `passes_mx`."""
OURS = Q(is_shared=False)
JUDGED = OURS & (Q(checked_at__isnull=False) | Q(looked_at__isnull=False))
FAILING = JUDGED & Q(failing_count__gt=0)
PASSING = JUDGED & Q(failing_count=0)


class Verdict(NamedTuple):
    """One DNS check and whether PurelyMail last saw it pass."""

    name: str
    passes: bool


class DomainQuerySet(models.QuerySet["Domain"]):
    """Conditions on domains."""

    def ours(self) -> DomainQuerySet:
        """Domains of the account itself, not those PurelyMail shares among its customers."""
        return self.filter(OURS)

    def judged(self) -> DomainQuerySet:
        """Those of ours whose DNS somebody has looked at: PurelyMail when we asked, or we."""
        return self.filter(JUDGED)

    def failing(self) -> DomainQuerySet:
        """Those with a check to repair; what was accepted or is meant so does not count."""
        return self.filter(FAILING)

    def passing(self) -> DomainQuerySet:
        """Those with nothing to repair."""
        return self.filter(PASSING)

    def unjudged(self) -> DomainQuerySet:
        """Those of ours nobody has looked at yet."""
        return self.filter(OURS, ~JUDGED)

    def due_for_recheck(self, now: datetime) -> DomainQuerySet:
        """Asked for, never checked, failing, healthy: in this order, oldest first in each."""
        is_wanted, is_new = Q(recheck_wanted_at__isnull=False), Q(checked_at=None)
        due = is_wanted | Q(recheck_after__lte=now) | (is_new & Q(recheck_after=None))
        tier = Case(
            When(is_wanted, then=Value(0)),
            When(is_new, then=Value(1)),
            When(failing_count__gt=0, then=Value(2)),
            default=Value(3),
        )
        since = Case(
            When(is_wanted, then=F("recheck_wanted_at")),
            When(is_new, then=F("created_at")),
            default=F("checked_at"),
        )
        return self.ours().filter(due).order_by(tier, since, "name")

    def search(self, text: str) -> DomainQuerySet:
        """Those whose name contains `text` as it is stored or shown, whatever the case."""
        if not text:
            return self
        foreign = Domain.objects.filter(name__contains="xn--").values_list("name", flat=True)
        shown = [name for name in foreign if text.casefold() in shown_domain(name).casefold()]
        return self.filter(models.Q(name__icontains=text) | models.Q(name__in=shown))

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

    # Rechecks by PurelyMail, which cost calls: `domains/rechecks.py` decides when
    failing_count = models.PositiveSmallIntegerField(
        default=4, help_text="failing checks; those accepted or meant so do not count"
    )
    checked_at = models.DateTimeField(null=True, blank=True, help_text="its last recheck")
    recheck_after = models.DateTimeField(
        null=True,
        blank=True,
        help_text="when its next regular recheck is due; null until the first one has a verdict",
    )
    recheck_wanted_at = models.DateTimeField(
        null=True, blank=True, help_text="a recheck was asked for out of turn"
    )
    recheck_error = models.CharField(max_length=500, blank=True)

    # Our own lookups, which cost nothing: `domains/lookups.py`
    looked_at = models.DateTimeField(null=True, blank=True, help_text="the last lookup answered")
    look_after = models.DateTimeField(null=True, blank=True, help_text="null is at once")
    unanswered_since = models.DateTimeField(
        null=True, blank=True, help_text="since when no lookup of it has had any answer"
    )

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_international(self) -> bool:
        """Whether people write it otherwise than DNS does."""
        return shown_domain(self.name) != self.name

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
        """The checks PurelyMail fails. Those of shared domains are its own business."""
        return [] if self.is_shared else [name for name, passes in self.verdicts if not passes]
