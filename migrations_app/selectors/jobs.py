"""What the pages about jobs need to know; reads only, and none of them leaves the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.paginator import Page
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from migrations_app.models import (
    ENDED_WELL,
    FINISHED,
    HELD_BACK,
    LATEST_FIRST,
    MAX_REQUEUES,
    RUNS_FIRST,
    WAITING,
    FolderResult,
    MigrationJob,
    State,
)
from migrations_app.progress.jobs import JobView
from migrations_app.queueing.dispatch import QueueView
from migrations_app.selectors.wrong_passwords import MADE_FOR_THE_RUN, REFUSED
from purelymanage.core.paging import page_of
from purelymanage.core.search import holds

FOLDERS_SHOWN = 6
LINES_SHOWN = 200

NOT_IN_ROWS = (
    "created_at",
    "created_by",
    "source_port",
    "source_security",
    "destination_port",
    "destination_security",
    "options",
    "stopped_by",
    "token",
    "owner",
    "lease_until",
    "engine",
    "found_by",
    *(f"source_server__{name}" for name in ("host", "port", "security", "created_at")),
    *(f"batch__{name}" for name in ("options", "created_at", "created_by", "acting_from")),
)
"""Columns the list does not show and that take time to read."""

FILTERS: dict[str, tuple[str, ...]] = {
    "running": (State.RUNNING,),
    "queued": (State.QUEUED,),
    "interrupted": (State.INTERRUPTED,),
    "failed": (State.FAILED,),
    "errors": (State.DONE_WITH_ERRORS,),
    "done": (State.DONE,),
    "cancelled": (State.CANCELLED,),
}
"""What `?state=` may say."""


GIVEN_UP = Q(state=State.INTERRUPTED, requeues__gt=MAX_REQUEUES)
IDLE = Q(state__in=FINISHED) | GIVEN_UP
"""Neither waits nor runs."""
RUNS_AGAIN = ~Q(source_password="") & (~Q(destination_password="") | Q(uses_app_password=True))
"""What it needs to run is still stored."""
HAS_PASSWORDS = ~Q(source_password="", destination_password="")
HAS_ENDED_WELL = Q(state__in=ENDED_WELL)
READY = Q(dry_run=True, superseded_by=None) & HAS_ENDED_WELL & RUNS_AGAIN
"""Dry runs that may be run for real."""
NEEDS_PASSWORD = Q(state=State.FAILED, cause__in=REFUSED) & ~MADE_FOR_THE_RUN
"""Those that would fail once more with the password that is stored."""
FITS: dict[str, Q] = {
    "cancel": WAITING | Q(state=State.RUNNING, stop_requested=False),
    "now": HELD_BACK,
    "real": READY,
    "rerun": IDLE & RUNS_AGAIN,
    "retry": (Q(state=State.FAILED) & ~NEEDS_PASSWORD | GIVEN_UP) & RUNS_AGAIN,
    "erase": IDLE & HAS_PASSWORDS,
    "delete": IDLE,
    "delete_batch": IDLE,
}
"""Which jobs an action on all that match is for; it leaves the others as they are."""


@dataclass(frozen=True)
class JobFilter:
    """What the list is narrowed to."""

    query: str = ""
    state: str = ""
    batch: int | None = None
    """The number of a batch."""
    superseded: bool = False
    """Whether those of the batch that another one goes on from are meant as well."""

    @classmethod
    def of(cls, parameters: Any, *, batch: int | None = None) -> JobFilter:
        """From the address; what makes no sense is left out."""
        state = parameters.get("state", "")
        query = parameters.get("q", "").replace("\0", "").strip()[:200]
        return cls(query=query, state=state if state in FILTERS else "", batch=batch)

    @property
    def is_set(self) -> bool:
        return bool(self.query or self.state)


@dataclass(frozen=True)
class JobList:
    """One page of jobs, and how many there are in each state."""

    rows: list[JobView]
    page: Page[MigrationJob]
    counts: dict[str, int]
    """By filter key; "" counts all that the search finds."""
    elsewhere: int
    """How many the search finds in other states than the chosen one."""
    is_active: bool
    """Whether anything runs or waits, so that looking again makes sense."""


def matching(
    wanted: JobFilter, *, action: str = "", as_of: datetime | None = None
) -> QuerySet[MigrationJob]:
    """The jobs that match, in no order; with an `action` (a key of FITS) those it is for.

    It was asked for `as_of` then. Passwords are erased of dry runs as well that a real one goes
    on from: they keep those of the same mailboxes.
    """
    jobs = _searched(replace(wanted, superseded=True) if action == "erase" else wanted)
    if wanted.state:
        jobs = jobs.filter(state__in=FILTERS[wanted.state])
    return meant(jobs, action, as_of) if action else jobs


def meant(
    jobs: QuerySet[MigrationJob], action: str, as_of: datetime | None
) -> QuerySet[MigrationJob]:
    """Those the action is for, and was for then: what ended since is left alone.

    Nobody who deletes what has ended means the log of a run that goes on.
    """
    jobs = jobs.filter(FITS[action])
    return jobs if as_of is None or action == "cancel" else jobs.exclude(ended_at__gt=as_of)


def _searched(wanted: JobFilter) -> QuerySet[MigrationJob]:
    """What matches in whatever state."""
    jobs = MigrationJob.objects.all()
    if wanted.batch is not None:
        jobs = jobs.filter(batch=wanted.batch)
        if not wanted.superseded:
            jobs = jobs.filter(superseded_by=None)
    return jobs.filter(holds("found_by", wanted.query)) if wanted.query else jobs


def _in_order(jobs: QuerySet[MigrationJob]) -> QuerySet[MigrationJob]:
    """What runs comes first, then what happened last."""
    return jobs.order_by(RUNS_FIRST, LATEST_FIRST, "-pk")


def list_jobs(
    wanted: JobFilter,
    number: str | None,
    *,
    queue: QueueView | None = None,
    counts: dict[str, int] | None = None,
) -> JobList:
    """The asked page of the jobs that match, in a few queries; `counts` where they are known."""
    queue, counts = queue or QueueView(), counts or _count(wanted)
    page = page_of(_in_order(_rows(matching(wanted))), number, count=counts[wanted.state])
    goes_on = counts["running"] or counts["queued"] or (counts["interrupted"] and queue.places)
    elsewhere = counts[""] - page.paginator.count
    return JobList(_views(page, queue), page, counts, elsewhere, is_active=bool(goes_on))


def list_known(pks: list[int], queue: QueueView) -> list[JobView]:
    """The rows a browser shows already, in its order, as they are now."""
    found = _rows(MigrationJob.objects.all()).in_bulk(pks)
    return _views((found[pk] for pk in pks if pk in found), queue)


def _rows(jobs: QuerySet[MigrationJob]) -> QuerySet[MigrationJob]:
    """With all that the list shows of each."""
    return jobs.select_related("source_server", "batch").defer(*NOT_IN_ROWS)


def _count(wanted: JobFilter) -> dict[str, int]:
    """How many the search finds, by filter key, and "" for all."""
    counted = dict(_searched(wanted).values_list("state").annotate(count=Count("pk")))
    numbers = {key: sum(counted.get(state, 0) for state in FILTERS[key]) for key in FILTERS}
    return numbers | {"": sum(counted.values())}


def counting(wanted: JobFilter) -> dict[str, Count]:
    """The same as aggregates over jobs, for a query that counts other things as well."""
    found = holds("found_by", wanted.query) if wanted.query else Q()
    states = {key: Q(state__in=states) for key, states in FILTERS.items()} | {"": Q()}
    return {key: Count("pk", filter=fits & found) for key, fits in states.items()}


def _views(jobs: Iterable[MigrationJob], queue: QueueView) -> list[JobView]:
    now = timezone.now()
    return [_view(job, now, queue) for job in jobs]


def view_of(job: MigrationJob) -> JobView:
    """One job with what its page shows."""
    return _view(job, timezone.now(), QueueView())


def _view(job: MigrationJob, now: datetime, queue: QueueView) -> JobView:
    if job.is_finished or job.state == State.RUNNING:
        return JobView(job, now)
    return JobView(job, now, queue.places.get(job.pk), queue.reason(job))


@dataclass(frozen=True)
class LogLine:
    """One line of a log, taken apart."""

    at: datetime | None
    level: str
    words: str


def log_lines(text: str) -> list[LogLine]:
    """The lines of a piece of log."""
    return [_log_line(line) for line in text.splitlines()]


def _log_line(line: str) -> LogLine:
    moment, _blank, rest = line.partition(" ")
    level, _blank, words = rest.partition(" ")
    try:
        return LogLine(datetime.fromisoformat(moment), level, words)
    except ValueError:
        return LogLine(None, "info", line)


@dataclass(frozen=True)
class Folders:
    """The folders of the latest run; those with work come first when not all are shown."""

    rows: list[FolderResult]
    total: int

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < self.total


def folders_of(job: MigrationJob, *, everything: bool) -> Folders:
    """A few folders, those that need a look first, or all in their order."""
    results = job.folder_results.all()
    if everything:
        rows = list(results)
        return Folders(rows, len(rows))
    urgent = Case(
        When(failed__gt=0, then=Value(0)),
        When(source=job.folder, is_done=False, then=Value(1)),
        When(copied__gt=0, then=Value(2)),
        When(found__gt=0, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    chosen = sorted(results.order_by(urgent, "position")[:FOLDERS_SHOWN], key=_position)
    return Folders(chosen, results.count())


def _position(result: FolderResult) -> int:
    return result.position


def running_jobs() -> QuerySet[MigrationJob]:
    """Those that run now, on whatever host."""
    return MigrationJob.objects.filter(state=State.RUNNING)


def find_jobs(text: str, *, limit: int = 5) -> list[MigrationJob]:
    """The newest few jobs that match, for the palette."""
    return list(_searched(JobFilter(query=text)).order_by("-pk")[:limit])
