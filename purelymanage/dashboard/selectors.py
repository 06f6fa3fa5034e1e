"""What the home page needs to know, all of it from the local copy, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Lower, RowNumber
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Verification
from audit.watch import last_verification
from domains.checks import CheckView, check_views, with_health
from domains.lookups import resolver_outage
from domains.models import CreditReading, Domain, SyncState
from domains.models.domain import FAILING, JUDGED, OURS
from mailboxes.batches.selectors import Waiting, batches_needing_a_person
from migrations_app.models import (
    MAX_REQUEUES,
    Batch,
    HostLimits,
    MigrationJob,
    State,
    TemporaryPassword,
)
from migrations_app.progress.jobs import JobView
from migrations_app.selectors.hosts import closed_hosts, held_batches, withdrawn_workers
from migrations_app.selectors.temporary_passwords import worrying
from purelymanage.core.addresses import shown_domain
from purelymanage.core.aggregates import count_each
from purelymanage.dashboard.credit import SHOWN, Credit, Day
from purelymanage.deletions.alarm import lasting_alarms
from purelymanage.deletions.models import Alarm, DeletionState, PendingDeletion
from purelymanage.jobs.health import seconds_since_worker_seen
from purelymanage.jobs.models import WorkerHost
from routing.models import RoutingRule, RuleEdit

BARS = 5
RUNNING_SHOWN = 5
ALIKE_SHOWN = 3
FAILING_SHOWN = 5
DELETIONS_SHOWN = 5
FAILED_DELETIONS_SHOWN = timedelta(days=7)
EDIT_PATIENCE = timedelta(minutes=5)
"""How long an edit of a rule may take before a person should know."""


class PerDomain(NamedTuple):
    """Of each domain only what is counted: an account may have hundreds."""

    pk: int
    name: str
    is_shared: bool
    unanswered_since: datetime | None
    mailboxes: int
    health: str
    """failing, unchecked or nothing to say."""
    edit_problem: str | None
    """Why an edit of a rule is not at its end, "" where that is not known; None without one."""


class Failing(NamedTuple):
    """A domain that fails, and its four checks."""

    domain: Domain
    checks: list[CheckView]

    @property
    def names(self) -> list[str]:
        return [check.name for check in self.checks if check.is_failing]


@dataclass(frozen=True)
class Rules:
    """How many routing rules there are."""

    total: int
    catch_alls: int


@dataclass(frozen=True)
class Deletions:
    """Those still to come, the soonest first, and those given up lately."""

    shown: list[PendingDeletion]
    total: int
    last_failed: PendingDeletion | None
    failed: int

    @property
    def more(self) -> int:
        return self.total - len(self.shown)


class Alike(NamedTuple):
    """Jobs that ended alike and need the same thing done: the newest few, and how many in all."""

    jobs: list[MigrationJob]
    total: int


@dataclass(frozen=True)
class Migrations:
    """Jobs by state; the running ones and those a person has to look at."""

    running: list[JobView]
    running_count: int
    queued_count: int
    failed: list[Any]
    """The newest few of each sort, with `alike`."""

    @property
    def failed_count(self) -> int:
        return sum(group.total for group in self.failed_alike)

    @cached_property
    def failed_alike(self) -> list[Alike]:
        """The largest group first."""
        groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for job in self.failed:
            groups[job.state, job.cause].append(job)
        return [Alike(jobs, jobs[0].alike) for jobs in groups.values()]


@dataclass(frozen=True)
class Home:
    """Everything the home page shows."""

    per_domain: list[PerDomain]
    """All domains, those with most mailboxes first."""
    failing: list[Failing]
    """The worst few, with their checks."""
    failing_count: int
    unchecked_count: int
    resolver_silent_since: datetime | None
    rules: Rules
    unfinished_edits: list[PerDomain]
    """Domains with an edit of a rule that is not at its end."""
    credit: Credit | None
    copy: dict[str, SyncState]
    migrations: Migrations
    deletions: Deletions
    alarms: list[Alarm]
    batches: list[Waiting]
    app_passwords: list[TemporaryPassword]
    """Made for a run, and left behind."""
    closed_hosts: list[HostLimits]
    """Too many migrations with them ended in the same way."""
    held_batches: list[Batch]
    """Too many of their passwords in a row were refused."""
    withdrawn_workers: list[WorkerHost]
    """Worker hosts that cannot run any job."""
    worker_silence: float | None
    """Seconds since a worker was seen; None if none ever was."""
    log_checked: Verification | None
    """How the last check of the audit log ended."""

    @cached_property
    def domains(self) -> list[PerDomain]:
        """The account's own ones."""
        return [entry for entry in self.per_domain if not entry.is_shared]

    @property
    def passing_count(self) -> int:
        return len(self.domains) - self.failing_count - self.unchecked_count

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
        largest, more = shown_domain(self.domains[0].name), len(self.domains) - 1
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
    domains, numbers = _domains(), _numbers()
    is_silent = any(domain.unanswered_since for domain in domains)
    return Home(
        per_domain=domains,
        failing=_worst(),
        failing_count=sum(domain.health == "failing" for domain in domains),
        unchecked_count=sum(domain.health == "unchecked" for domain in domains),
        resolver_silent_since=resolver_outage() if is_silent else None,
        rules=Rules(total=numbers["rules"], catch_alls=numbers["catch_alls"]),
        unfinished_edits=[domain for domain in domains if domain.edit_problem is not None],
        credit=_credit(),
        copy={state.name: state for state in SyncState.objects.all()},
        migrations=_migrations(queued=numbers["queued"]),
        deletions=_deletions(),
        alarms=lasting_alarms(),
        batches=batches_needing_a_person(),
        app_passwords=worrying(),
        closed_hosts=closed_hosts(),
        held_batches=held_batches(),
        withdrawn_workers=withdrawn_workers(),
        worker_silence=seconds_since_worker_seen(),
        log_checked=last_verification(),
    )


def _domains() -> list[PerDomain]:
    """All, those with most mailboxes first: one query."""
    health = Case(
        When(FAILING, then=Value("failing")),
        When(OURS & ~JUDGED, then=Value("unchecked")),
        default=Value(""),
        output_field=CharField(),
    )
    late = Q(started_at__lt=timezone.now() - EDIT_PATIENCE) | ~Q(problem="")
    edits = RuleEdit.objects.filter(late, domain=OuterRef("pk")).order_by("started_at")
    rows = Domain.objects.annotate(
        number=Count("mailboxes"),
        health=health,
        edit_problem=Subquery(edits.values("problem")[:1]),
    ).order_by("-number", "name")
    shown = rows.values_list(
        "pk", "name", "is_shared", "unanswered_since", "number", "health", "edit_problem"
    )
    return [PerDomain(*row) for row in shown]


def _numbers() -> dict[str, int]:
    """What is only counted: one query."""
    return count_each(
        {
            "rules": RoutingRule.objects.all(),
            "catch_alls": RoutingRule.objects.filter(is_catchall=True),
            "queued": MigrationJob.objects.filter(state=State.QUEUED),
        }
    )


def _worst() -> list[Failing]:
    """What keeps mail from arriving comes first, then who fails most."""
    worst = Domain.objects.failing().order_by("passes_mx", "-failing_count", "name")
    return [Failing(domain, check_views(domain)) for domain in with_health(worst)[:FAILING_SHOWN]]


def _deletions() -> Deletions:
    """The soonest few that are pending and the last one that failed, in one query."""
    lately = timezone.now() - FAILED_DELETIONS_SHOWN
    failed_lately = Q(state=DeletionState.FAILED, ended_at__gte=lately)
    rows: list[Any] = list(
        PendingDeletion.objects.filter(Q(state=DeletionState.PENDING) | failed_lately)
        .annotate(
            total=Window(Count("pk"), partition_by="state"),
            place=Window(
                RowNumber(), partition_by="state", order_by=[F("ended_at").desc(), "due_at", "pk"]
            ),
        )
        .filter(place__lte=DELETIONS_SHOWN)
        .defer("dossier")
        .order_by("state", "place")
    )
    pending = [row for row in rows if row.state == DeletionState.PENDING]
    failed = [row for row in rows if row.state == DeletionState.FAILED]
    return Deletions(
        shown=pending,
        total=pending[0].total if pending else 0,
        last_failed=failed[0] if failed else None,
        failed=failed[0].total if failed else 0,
    )


def _credit() -> Credit | None:
    newest = CreditReading.objects.order_by("-at").values("at")[:1]
    since = ExpressionWrapper(Subquery(newest) - Value(SHOWN), output_field=DateTimeField())
    readings = CreditReading.objects.filter(at__gte=since).order_by("at")
    per_day: dict[date, list[Decimal]] = defaultdict(list)
    for at, credit in readings.values_list("at", "credit"):
        per_day[timezone.localdate(at)].append(credit)
    if not per_day:
        return None
    days = [Day(day, credit=min(found)) for day, found in per_day.items()]
    return Credit(amount=credit, days=days)


def _migrations(*, queued: int) -> Migrations:
    jobs = MigrationJob.objects.defer("source_password", "destination_password")
    running: list[Any] = list(
        jobs.filter(state=State.RUNNING)
        .annotate(total=Window(Count("pk")))
        .order_by("started_at", "pk")[:RUNNING_SHOWN]
    )
    now = timezone.now()
    return Migrations(
        running=[JobView(job, now) for job in running],
        running_count=running[0].total if running else 0,
        queued_count=queued,
        failed=list(_broken()),
    )


def _broken() -> QuerySet[MigrationJob]:
    """The newest few that ended alike, with the number of all such: `alike`."""
    again = MigrationJob.objects.alias(mailbox=Lower("destination_address")).filter(
        pk__gt=OuterRef("pk"),
        source_host__iexact=OuterRef("source_host"),
        source_address=OuterRef("source_address"),
        destination_host__iexact=OuterRef("destination_host"),
        mailbox=Lower(OuterRef("destination_address")),
    )
    given_up = Q(state=State.INTERRUPTED, requeues__gt=MAX_REQUEUES)
    broken = Q(state__in=[State.FAILED, State.DONE_WITH_ERRORS]) | given_up
    newest = F("ended_at").desc(nulls_last=True)
    groups = [F("state"), F("cause")]
    return (
        MigrationJob.objects.filter(broken)
        .exclude(Exists(again))
        .annotate(
            alike=Window(Count("pk"), partition_by=groups),
            place=Window(RowNumber(), partition_by=groups, order_by=[newest, F("pk").desc()]),
        )
        .filter(place__lte=ALIKE_SHOWN)
        .only("name", "state", "cause", "verdict", "ended_at")
        .order_by("-alike", "state", "cause", "place")
    )
