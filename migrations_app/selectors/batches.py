"""What the pages about batches need to know; how far they are is counted from their jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page
from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least, Now
from django.shortcuts import get_object_or_404
from django.utils import timezone

from migrations_app.models import (
    LATEST,
    RUNS_FIRST,
    TO_DO,
    WAITING,
    Batch,
    BatchState,
    BulkWork,
    MigrationJob,
    State,
)
from migrations_app.progress.batches import BatchView, Tally
from migrations_app.progress.jobs import JobView
from migrations_app.queueing.dispatch import QueueView
from migrations_app.selectors.checks import CHECKED, CheckSums
from migrations_app.selectors.jobs import (
    FITS,
    GIVEN_UP,
    HAS_ENDED_WELL,
    IDLE,
    NEEDS_PASSWORD,
    READY,
    JobFilter,
    JobList,
    counting,
    list_jobs,
)
from migrations_app.selectors.repeats import RUNS_ON
from migrations_app.selectors.wrong_passwords import WRONG_PASSWORD
from purelymanage.core.paging import page_of

UNFINISHED_SHOWN = 3
ENDED_WORK_SHOWN = timedelta(minutes=10)
WORKS_SHOWN = 5

RUNNING = Q(state=State.RUNNING)
RAN = Q(started_at__isnull=False) & (RUNNING | IDLE)


def batch_of(pk: int) -> Batch:
    """The batch of an address, with its servers, or 404; a discarded one is gone."""
    batches = Batch.objects.select_related("source_server", "destination_server", "cut_over")
    return get_object_or_404(batches.exclude(state=BatchState.DISCARDED), pk=pk)


def list_batches(number: str | None) -> Page[Batch]:
    """The asked page, the newest first; discarded ones are left out."""
    batches = Batch.objects.select_related("source_server", "destination_server")
    return page_of(batches.exclude(state=BatchState.DISCARDED), number)


def look_at(batches: Iterable[Batch]) -> list[BatchView]:
    """How far these are, in a few queries; each gets it as its `view`."""
    views = _views(batches, QueueView())
    for view in views:
        view.batch.view = view
    return views


def stirring(batches: Iterable[Batch], *, since: datetime) -> set[int]:
    """The keys of those of which something goes on, or went on since then; none is counted."""
    found = {batch.pk: batch for batch in batches}
    jobs = MigrationJob.objects.filter(batch__in=found).order_by().values_list("batch", flat=True)
    to_do = jobs.filter(TO_DO, superseded_by=None).distinct()
    lately = jobs.alias(rank=RUNS_FIRST, latest=LATEST).filter(rank=1, latest__gt=since).distinct()
    return {*to_do, *lately, *(pk for pk, batch in found.items() if batch.is_importing)}


def unfinished_batches(queue: QueueView) -> list[BatchView]:
    """The newest few of which something runs or waits, for the list of jobs."""
    to_do = MigrationJob.objects.filter(TO_DO, batch=OuterRef("pk"), superseded_by=None)
    batches = Batch.objects.filter(Q(state=BatchState.IMPORTING) | Exists(to_do))
    newest = batches.select_related("source_server", "destination_server")[:UNFINISHED_SHOWN]
    return _views(newest, queue)


def view_of_batch(batch: Batch) -> BatchView:
    """A batch with how far it is. Two queries at most, however many jobs it has."""
    return _views([batch], QueueView())[0]


@dataclass(frozen=True)
class BatchPage:
    """A batch, one page of its jobs, and what its checks come to."""

    view: BatchView
    jobs: JobList
    checks: CheckSums


def batch_page(batch: Batch, wanted: JobFilter, number: str | None, queue: QueueView) -> BatchPage:
    """All of it counted in one query, however many jobs it has."""
    questions = {"": _tallying(), "list_": counting(wanted), "check_": CHECKED}
    asked = {
        f"{part}{name}": aggregate
        for part, aggregates in questions.items()
        for name, aggregate in aggregates.items()
    }
    answers = _measured(_jobs_of([batch.pk])).aggregate(**asked)
    tally, counts, checks = (
        {name: answers[f"{part}{name}"] for name in aggregates}
        for part, aggregates in questions.items()
    )
    return BatchPage(
        _view(batch, Tally(**tally), queue),
        list_jobs(wanted, number, queue=queue, counts=counts),
        CheckSums(**checks, at_once=queue.limits.concurrency),
    )


def _views(batches: Iterable[Batch], queue: QueueView) -> list[BatchView]:
    found = {batch.pk: batch for batch in batches}
    if not found:
        return []
    counted: Iterable[Any] = _measured(_jobs_of(found)).values("batch").annotate(**_tallying())
    tallies = {row.pop("batch"): Tally(**row) for row in counted}
    return [_view(batch, tallies.get(pk, Tally()), queue) for pk, batch in found.items()]


def _view(batch: Batch, tally: Tally, queue: QueueView) -> BatchView:
    now = timezone.now()
    running = queue.running if tally.running else []
    views = [JobView(job, now) for job in running if job.batch_id == batch.pk]
    return BatchView(batch, tally, views, queue.hours_of)


def _jobs_of(batches: Iterable[int]) -> QuerySet[MigrationJob]:
    """Of each mailbox only the job that no other goes on from."""
    return MigrationJob.objects.filter(batch__in=batches, superseded_by=None).order_by()


def _measured(jobs: QuerySet[MigrationJob]) -> QuerySet[MigrationJob]:
    return jobs.annotate(size=_size(), dealt=_dealt_with(), took=_time_taken())


def _tallying() -> dict[str, Any]:
    """What `Tally` holds, as aggregates over jobs that are `_measured`."""
    numbers = {name: Count("pk", filter=fits) for name, fits in NUMBERS.items()}
    return numbers | {
        "bytes_known": Coalesce(Sum("size"), 0.0),
        "sizes_unknown": Count("pk", filter=Q(size=None)),
        "bytes_dealt": Coalesce(Sum("dealt"), 0.0),
        "bytes_left": Coalesce(Sum(Greatest(F("size") - F("dealt"), 0.0), filter=TO_DO), 0.0),
        "sizes_left_unknown": Count("pk", filter=TO_DO & Q(size=None)),
        "real_dealt": Coalesce(Sum("dealt", filter=Q(dry_run=False) & RAN), 0.0),
        "real_time": Sum("took", filter=Q(dry_run=False) & RAN),
        "dry_time": Sum("took", filter=Q(dry_run=True) & HAS_ENDED_WELL),
    }


NUMBERS: dict[str, Q] = {
    "total": Q(),
    "running": RUNNING,
    "waiting": WAITING,
    "interrupted": Q(state=State.INTERRUPTED) & ~GIVEN_UP,
    "done": Q(state=State.DONE),
    "with_errors": Q(state=State.DONE_WITH_ERRORS),
    "failed": Q(state=State.FAILED) | GIVEN_UP,
    "given_up": GIVEN_UP,
    "cancelled": Q(state=State.CANCELLED),
    "dry": Q(dry_run=True),
    "real_to_do": TO_DO & Q(dry_run=False),
    "dry_done": HAS_ENDED_WELL & Q(dry_run=True),
    "ready": READY,
    "to_retry": FITS["retry"],
    "to_correct": NEEDS_PASSWORD,
    "to_cancel": FITS["cancel"],
    "repeating": RUNS_ON & Q(repeat_at__isnull=False),
    "wrong_passwords": WRONG_PASSWORD,
}


def _size() -> Coalesce:
    """Bytes at the source: as the run found them, as a check did, as the dry run before did."""
    return Coalesce(
        "bytes_total",
        "check_before__bytes",
        "goes_on_from__bytes_total",
        output_field=FloatField(),
    )


def _dealt_with() -> Case:
    """Bytes that need no more work: copied, or there already, as far as the messages tell."""
    return Case(
        When(HAS_ENDED_WELL, then=Coalesce("bytes_total", "bytes_done", output_field=FloatField())),
        When(
            bytes_total__isnull=False,
            messages_total__gt=0,
            then=Cast("bytes_total", FloatField())
            * Least(F("messages_done"), F("messages_total"))
            / F("messages_total"),
        ),
        default=Cast("bytes_done", FloatField()),
        output_field=FloatField(),
    )


def _time_taken() -> ExpressionWrapper[Any]:
    return ExpressionWrapper(
        Coalesce("ended_at", Now()) - F("started_at"), output_field=DurationField()
    )


def works_of(batch: Batch | None) -> list[BulkWork]:
    """Actions on many jobs that are under way, and those that ended a moment ago."""
    recent = timezone.now() - ENDED_WORK_SHOWN
    works = BulkWork.objects.filter(Q(ended_at=None) | Q(ended_at__gt=recent), batch=batch)
    return list(works.order_by("-pk")[:WORKS_SHOWN])
