"""What pages need to know about domains and the freshness of the copy."""

from __future__ import annotations

from django.db.models import Case, Count, IntegerField, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from domains.filters import ListFilter, Listing
from domains.models import Domain, Kind, SyncState
from domains.models.domain import DomainQuerySet
from purelymanage.core.addresses import shown_domain
from purelymanage.core.paging import page_of
from purelymanage.ui.navigation import PER_GROUP

COLUMNS = {
    "health": ["is_healthy", "name"],
    "name": ["name"],
    "mailboxes": ["mailbox_count", "name"],
}


def copy_state(kind: Kind) -> SyncState:
    """How fresh this part of the copy is; a blank row where it was never read."""
    return SyncState.objects.filter(pk=kind).first() or SyncState(name=kind)


def domain_list(wanted: ListFilter) -> Listing:
    """The page, with mailboxes and rules per domain, and how many domains there are in all."""
    rows = counted(Domain.objects.search(wanted.search))
    rows = rows.annotate(is_healthy=_is_healthy()).order_by(*wanted.order_by(COLUMNS))
    page = page_of(rows, wanted.page)
    total = Domain.objects.count() if wanted.is_set else page.paginator.count
    return Listing(page=page, total=total, searched=total)


def counted(rows: DomainQuerySet) -> DomainQuerySet:
    """With `mailbox_count` and `rule_count`, how many of each hang on a domain."""
    return rows.annotate(mailbox_count=_count("mailboxes"), rule_count=_count("routing_rules"))


def _is_healthy() -> Case:
    """0 where a check fails, 1 where all pass, so that failing ones come first."""
    passing = {f"passes_{check}": True for check in ("mx", "spf", "dkim", "dmarc")}
    return Case(
        When(is_shared=True, then=Value(1)),
        When(**passing, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _count(relation: str) -> Coalesce:
    """How many rows hang on a domain; a subquery each, because two joins would multiply."""
    counted = (
        Domain.objects.filter(pk=OuterRef("pk"))
        .order_by()
        .annotate(number=Count(relation))
        .values("number")
    )
    return Coalesce(Subquery(counted), Value(0))


def find_domains(text: str) -> list[tuple[str, str, str]]:
    """The first few whose name contains `text`, for the command palette."""
    return [
        (shown_domain(domain.name), reverse("domains:detail", args=[domain.pk]), _("Domain"))
        for domain in Domain.objects.search(text)[:PER_GROUP]
    ]
