"""What the list of domains and the command palette show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db.models import (
    Case,
    Count,
    IntegerField,
    OuterRef,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from domains.checks import checks_of
from domains.filters import ListFilter, Listing
from domains.models import Domain
from domains.models.domain import FAILING, JUDGED, OURS, PASSING, DomainQuerySet
from purelymanage.core.addresses import shown_domain
from purelymanage.core.paging import page_of
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletions
from purelymanage.ui.navigation import PER_GROUP

COLUMNS = {
    "health": ["rank", "name"],
    "name": ["name"],
    "mailboxes": ["mailbox_count", "name"],
    "checked": ["checked_at", "name"],
}
STATES: dict[str, Callable[[DomainQuerySet], DomainQuerySet]] = {
    "failing": DomainQuerySet.failing,
    "passing": DomainQuerySet.passing,
    "unchecked": DomainQuerySet.unjudged,
}
FilterLink = tuple[str, str, bool, int | None]


@dataclass(frozen=True)
class Health:
    """How many domains there are in each state, whatever the filter."""

    every: int
    failing: int
    passing: int
    unchecked: int

    def number(self, state: str) -> int:
        """How many there are in this state of the filter; "" is all."""
        every: dict[str, int] = vars(self)
        return every[state or "every"]

    def links(self, wanted: ListFilter) -> list[FilterLink]:
        """The row of filters above the list; each keeps what was searched."""
        states = (
            ("", _("All"), self.every),
            ("failing", _("Failing"), self.failing),
            ("passing", _("Passing"), self.passing),
            ("unchecked", _("Never checked"), self.unchecked),
        )
        return [
            (label, replace(wanted, state=state, page="").url, wanted.state == state, number)
            for state, label, number in states
        ]


def health() -> Health:
    """One query for all four numbers."""
    return Health(
        **Domain.objects.aggregate(
            every=Count("pk"),
            failing=Count("pk", filter=FAILING),
            passing=Count("pk", filter=PASSING),
            unchecked=Count("pk", filter=OURS & ~JUDGED),
        )
    )


def domain_list(wanted: ListFilter, healths: Health) -> Listing:
    """The page; each domain with its checks, what hangs on it, and a deletion that waits."""
    rows = Domain.objects.search(wanted.search)
    if wanted.state:
        rows = STATES[wanted.state](rows)
    ranked = counted(rows).annotate(rank=_rank()).order_by(*wanted.order_by(COLUMNS))
    count = None if wanted.search else healths.number(wanted.state)
    page = page_of(ranked, wanted.page, count=count)
    checks = checks_of(page)
    deletions = pending_deletions(DeletionKind.DOMAIN, [domain.name for domain in page])
    for domain in page:
        domain.checks = checks[domain.pk]
        domain.deletion = deletions.get(domain.name)
    return Listing(page=page, total=healths.every, searched=healths.every)


def _rank() -> Case:
    """Failing ones first, then those nobody has looked at."""
    return Case(
        When(FAILING, then=Value(0)),
        When(OURS & ~JUDGED, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def counted(rows: DomainQuerySet) -> DomainQuerySet:
    """With `mailbox_count` and `rule_count`, how many of each hang on a domain."""
    return rows.annotate(mailbox_count=_count("mailboxes"), rule_count=_count("routing_rules"))


def _count(relation: str) -> Coalesce:
    """How many rows hang on a domain; a subquery each, because two joins would multiply."""
    rows = getattr(Domain, relation).rel.related_model.objects
    hanging = rows.filter(domain=OuterRef("pk")).order_by().values("domain")
    return Coalesce(Subquery(hanging.annotate(number=Count("pk")).values("number")), Value(0))


def find_domains(text: str) -> list[tuple[str, str, str]]:
    """The first few whose name contains `text`, for the command palette."""
    return [
        (shown_domain(domain.name), reverse("domains:detail", args=[domain.pk]), _("Domain"))
        for domain in Domain.objects.search(text)[:PER_GROUP]
    ]
