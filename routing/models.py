"""The local copy of PurelyMail's routing rules, and edits of them that are under way."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Cast, Concat, Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from domains.dependants import SYMBOLS
from domains.models import Domain
from purelymanage.core.addresses import shown_domain
from purelymanage.core.search import holds
from purelymanage.deletions.models import PendingDeletion


class RuleKind(models.TextChoices):
    """The four forms PurelyMail offers, and their names in lists."""

    EXACT = "exact", _("Address")
    PREFIX = "prefix", _("Prefix")
    ANY = "any", _("Any address")
    CATCH_ALL = "catch_all", _("Catch-all")


def kind_of(match_user: str, *, is_prefix: bool, is_catchall: bool) -> RuleKind:
    """Which of PurelyMail's forms it is; odd ones count as any address, as they do there."""
    if not match_user:
        return RuleKind.CATCH_ALL if is_catchall else RuleKind.ANY
    return RuleKind.PREFIX if is_prefix else RuleKind.EXACT


def pattern_of(match_user: str, *, is_prefix: bool) -> str:
    """What stands before the `@`: `user`, `prefix*` or `*`."""
    return f"{match_user}{'*' if is_prefix or not match_user else ''}"


class RoutingRuleQuerySet(models.QuerySet["RoutingRule"]):
    """Conditions on routing rules."""

    def search(self, text: str) -> RoutingRuleQuerySet:
        """Those whose source, as it is written in lists, or a target contains `text`."""
        if not text:
            return self
        local_part, at, typed = text.casefold().rpartition("@")
        found = holds("found_by", text)
        here = Q(domain__name__istartswith=typed) if at else Q(domain__name__icontains=typed)
        for name in Domain.objects.filter(name__contains="xn--").values_list("name", flat=True):
            shown = shown_domain(name).casefold()
            if shown.startswith(typed) if at else typed in shown:
                here |= Q(domain__name=name)
                found |= holds("found_by", f'{local_part}@{name}"')
        written = holds("found_by", f"{local_part}@\n") if at else Q()
        return self.filter(found | (written & here))

    def of_kind(self, kind: RuleKind) -> RoutingRuleQuerySet:
        """Those of one of PurelyMail's forms."""
        if kind in (RuleKind.ANY, RuleKind.CATCH_ALL):
            return self.filter(match_user="", is_catchall=kind == RuleKind.CATCH_ALL)
        return self.exclude(match_user="").filter(is_prefix=kind == RuleKind.PREFIX)

    def delivering_to(self, address: str) -> RoutingRuleQuerySet:
        """Those with `address` among their targets."""
        return self.filter(targets__icontains=f'"{address}"')


class RoutingRule(models.Model):
    """Domain, match and targets, as last read. `purelymail_id` is PurelyMail's 64-bit number."""

    purelymail_id = models.BigIntegerField(unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="routing_rules")
    match_user = models.CharField(max_length=254, blank=True)
    is_prefix = models.BooleanField(default=False)
    is_catchall = models.BooleanField(default=False)
    targets = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    found_by = models.GeneratedField(
        expression=Lower(
            Concat(
                "match_user",
                Case(When(is_prefix=True, then=Value("*")), default=Value("")),
                Value("@\n"),
                Cast("targets", models.CharField()),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
        help_text="what a search looks into beside the domain, ready to be compared",
    )

    deletion: PendingDeletion | None
    """Its pending deletion; set by the list."""

    objects = RoutingRuleQuerySet.as_manager()

    class Meta:
        ordering = ["domain__name", "match_user", "is_prefix", "pk"]
        indexes = [
            GinIndex(
                Cast(Lower(Cast("targets", models.TextField())), models.JSONField()),
                name="rules_by_target",
            )
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def pattern(self) -> str:
        """What stands before the `@`: `user`, `prefix*` or `*`."""
        return pattern_of(self.match_user, is_prefix=self.is_prefix)

    @property
    def source(self) -> str:
        """`user@domain`, `prefix*@domain` or `*@domain`."""
        return f"{self.pattern}@{self.domain}"

    @property
    def kind(self) -> RuleKind:
        """Which of PurelyMail's forms it is."""
        return kind_of(self.match_user, is_prefix=self.is_prefix, is_catchall=self.is_catchall)

    @property
    def is_mute(self) -> bool:
        """Whether symbolic subaddressing keeps it from ever matching."""
        return self.domain.symbolic_subaddressing and not SYMBOLS.isdisjoint(self.match_user)


class RuleEdit(models.Model):
    """An edit under way: PurelyMail has no update, so one rule is deleted and another created.

    The row is written before the first call and removed after the last, so that an edit that was
    cut short is found and brought to an end: to the new rule, or back to the old one.
    """

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+")
    old_id = models.BigIntegerField(unique=True, help_text="PurelyMail's number of the old rule")
    old = models.JSONField(help_text="match_user, is_prefix, is_catchall, targets")
    new = models.JSONField(help_text="the same of the new rule, and its domain")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    started_at = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=500, blank=True, help_text="why it is not at its end yet")

    def __str__(self) -> str:
        return f"{self.domain}: {self.old_id}"
