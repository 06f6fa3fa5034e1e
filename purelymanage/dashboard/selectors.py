"""What the home page needs to know, all of it from the local copy, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from domains.models import CreditReading, Domain, SyncState
from migrations_app.models import MAX_REQUEUES, MigrationJob, State
from purelymanage.dashboard.credit import SHOWN, Credit, Day
from routing.models import RoutingRule

BARS = 5
RUNNING_SHOWN = 5
FAILED_SHOWN = 50
FAILING_SHOWN = 5


class PerDomain(NamedTuple):
    """A domain and how many mailboxes it has."""

    domain: Domain
    mailboxes: int


@dataclass(frozen=True)
class Rules:
    """How many routing rules there are."""

    total: int
    catch_alls: int


@dataclass(frozen=True)
class Migrations:
    """Jobs by state; the running ones and those a person has to look at."""

    running: list[MigrationJob]
    running_count: int
    queued_count: int
    failed: list[MigrationJob]
    failed_count: int

    @property
    def failed_alike(self) -> list[list[MigrationJob]]:
        """The failed jobs in groups that need the same thing done, the largest first."""
        groups: dict[tuple[str, str], list[MigrationJob]] = defaultdict(list)
        for job in self.failed:
            groups[job.state, job.cause].append(job)
        return sorted(groups.values(), key=len, reverse=True)


@dataclass(frozen=True)
class Home:
    """Everything the home page shows."""

    per_domain: list[PerDomain]
    """All domains, those with most mailboxes first."""
    rules: Rules
    credit: Credit | None
    copy: dict[str, SyncState]
    migrations: Migrations

    @cached_property
    def domains(self) -> list[Domain]:
        """The account's own ones."""
        return [entry.domain for entry in self.per_domain if not entry.domain.is_shared]

    @cached_property
    def failing_domains(self) -> list[Domain]:
        """The worst first; a failing DMARC check alone may well be a policy of one's own."""
        return sorted(
            (domain for domain in self.domains if domain.failing),
            key=lambda domain: (domain.failing == ["DMARC"], -len(domain.failing), domain.name),
        )

    @property
    def failing_shown(self) -> list[Domain]:
        return self.failing_domains[:FAILING_SHOWN]

    @property
    def passing_count(self) -> int:
        return len(self.domains) - len(self.failing_domains)

    @property
    def mailbox_count(self) -> int:
        return sum(entry.mailboxes for entry in self.per_domain)

    @cached_property
    def _in_use(self) -> list[PerDomain]:
        return [entry for entry in self.per_domain if entry.mailboxes]

    @property
    def domains_in_use(self) -> int:
        return len(self._in_use)

    @property
    def bars(self) -> list[PerDomain]:
        return self._in_use[:BARS]

    @property
    def other_domains(self) -> int:
        return len(self._in_use) - len(self.bars)

    @property
    def other_mailboxes(self) -> int:
        return self.mailbox_count - sum(entry.mailboxes for entry in self.bars)

    @property
    def summary(self) -> str:
        """The account in a few words: its largest domain and how many more."""
        if not self.domains:
            return _("No domain is known yet.")
        largest, more = self.domains[0].name, len(self.domains) - 1
        if not more:
            return largest
        words = ngettext(
            "%(domain)s and %(count)d more domain", "%(domain)s and %(count)d more domains", more
        )
        return words % {"domain": largest, "count": more}

    @property
    def unread(self) -> bool:
        """Whether PurelyMail was never read: a panel that has just been started."""
        return not any(state.synced_at for state in self.copy.values())


def home() -> Home:
    """A fixed number of queries; none of them grows with the number of mailboxes or jobs."""
    domains = Domain.objects.annotate(number=Count("mailboxes")).order_by("-number", "name")
    return Home(
        per_domain=[
            PerDomain(domain, domain.number)  # type: ignore[attr-defined]  # annotated above
            for domain in domains
        ],
        rules=Rules(
            **RoutingRule.objects.aggregate(
                total=Count("pk"), catch_alls=Count("pk", filter=Q(is_catchall=True))
            )
        ),
        credit=_credit(),
        copy={state.name: state for state in SyncState.objects.all()},
        migrations=_migrations(),
    )


def _credit() -> Credit | None:
    since = timezone.now() - SHOWN
    latest = CreditReading.objects.order_by("-at").first()
    if latest is None:
        return None
    days = [
        Day(day=day, credit=lowest)
        for day, lowest in CreditReading.objects.filter(at__gte=since).lowest_per_day()
    ]
    return Credit(amount=latest.credit, days=days)


def _migrations() -> Migrations:
    jobs = MigrationJob.objects.defer("source_password", "destination_password")
    again = MigrationJob.objects.filter(
        pk__gt=OuterRef("pk"),
        source_host=OuterRef("source_host"),
        source_address=OuterRef("source_address"),
        destination_host=OuterRef("destination_host"),
        destination_address=OuterRef("destination_address"),
    )
    given_up = Q(state=State.INTERRUPTED, requeues__gt=MAX_REQUEUES)
    broken = Q(state__in=[State.FAILED, State.DONE_WITH_ERRORS]) | given_up
    counts = MigrationJob.objects.aggregate(
        running_count=Count("pk", filter=Q(state=State.RUNNING)),
        queued_count=Count("pk", filter=Q(state=State.QUEUED)),
        failed_count=Count("pk", filter=broken & Q(~Exists(again))),
    )
    return Migrations(
        running=list(jobs.filter(state=State.RUNNING).order_by("started_at", "pk")[:RUNNING_SHOWN]),
        failed=list(
            jobs.filter(broken)
            .exclude(Exists(again))
            .order_by(F("ended_at").desc(nulls_last=True))[:FAILED_SHOWN]
        ),
        **counts,
    )
