"""What the pages about batches need to know; how far they are is counted from their jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
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
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least, Now
from django.shortcuts import get_object_or_404
from django.utils import timezone

from migrations_app.models import (
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
from migrations_app.selectors.jobs import ENDED_WELL, FITS, GIVEN_UP, IDLE, READY
from migrations_app.selectors.wrong_passwords import WRONG_PASSWORD
from purelymanage.core.paging import page_of

UNFINISHED_SHOWN = 3
ENDED_WORK_SHOWN = timedelta(minutes=10)
WORKS_SHOWN = 5

RUNNING = Q(state=State.RUNNING)
TO_DO = RUNNING | WAITING
RAN = Q(started_at__isnull=False) & (RUNNING | IDLE)


def batch_of(pk: int) -> Batch:
    """The batch of an address, with its servers, or 404; a discarded one is gone."""
    batches = Batch.objects.select_related("source_server", "destination_server", "cut_over")
    return get_object_or_404(batches.exclude(state=BatchState.DISCARDED), pk=pk)


def list_batches(number: str | None) -> Page[Batch]:
    """The asked page, the newest first, each batch with a `view`; discarded ones are left out."""
    batches = Batch.objects.select_related("source_server", "destination_server")
    page = page_of(batches.exclude(state=BatchState.DISCARDED), number)
    views = _views(page.object_list, QueueView())
    for batch in page:
        batch.view = views[batch.pk]
    return page


def unfinished_batches(queue: QueueView) -> list[BatchView]:
    """The newest few of which something runs or waits, for the list of jobs."""
    to_do = MigrationJob.objects.filter(TO_DO, batch=OuterRef("pk"), superseded_by=None)
    batches = Batch.objects.filter(Q(state=BatchState.IMPORTING) | Exists(to_do))
    newest = batches.select_related("source_server", "destination_server")[:UNFINISHED_SHOWN]
    return list(_views(newest, queue).values())


def view_of_batch(batch: Batch, queue: QueueView | None = None) -> BatchView:
    """A batch with how far it is. Two queries at most, however many jobs it has."""
    return _views([batch], queue or QueueView())[batch.pk]


def _views(batches: Iterable[Batch], queue: QueueView) -> dict[int, BatchView]:
    found = {batch.pk: batch for batch in batches}
    if not found:
        return {}
    now = timezone.now()
    jobs = MigrationJob.objects.filter(batch__in=found, superseded_by=None).order_by()
    tallies = {row.pop("batch"): Tally(**row) for row in _counted(jobs)}
    running: dict[int | None, list[JobView]] = defaultdict(list)
    if any(tally.running for tally in tallies.values()):
        for job in queue.running:
            running[job.batch_id].append(JobView(job, now))
    return {
        pk: BatchView(batch, tallies.get(pk, Tally()), running[pk]) for pk, batch in found.items()
    }


def _counted(jobs: QuerySet[MigrationJob]) -> Iterable[Any]:
    """One row per batch, in one query."""
    number = {field: Count("pk", filter=fits) for field, fits in NUMBERS.items()}
    return (
        jobs.annotate(size=_size(), dealt=_dealt_with(), took=_time_taken())
        .values("batch")
        .annotate(
            **number,
            bytes_known=Coalesce(Sum("size"), 0.0),
            sizes_unknown=Count("pk", filter=Q(size=None)),
            bytes_dealt=Coalesce(Sum("dealt"), 0.0),
            bytes_left=Coalesce(Sum(Greatest(F("size") - F("dealt"), 0.0), filter=TO_DO), 0.0),
            sizes_left_unknown=Count("pk", filter=TO_DO & Q(size=None)),
            real_dealt=Coalesce(Sum("dealt", filter=Q(dry_run=False) & RAN), 0.0),
            real_time=Sum("took", filter=Q(dry_run=False) & RAN),
            dry_time=Sum("took", filter=Q(dry_run=True) & ENDED_WELL),
        )
    )


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
    "dry_done": ENDED_WELL & Q(dry_run=True),
    "ready": READY,
    "to_retry": FITS["retry"],
    "to_cancel": FITS["cancel"],
    "repeating": Q(repeat_at__isnull=False),
    "wrong_passwords": WRONG_PASSWORD,
}


def _size() -> Coalesce:
    """Bytes at the source: as the run found them, as a check did, as the dry run before did.

    A maximum, not the first of an order: PostgreSQL would read all jobs in that order for each.
    """
    dry_runs = MigrationJob.objects.filter(superseded_by=OuterRef("pk")).order_by()
    largest = dry_runs.values("superseded_by").annotate(bytes=Max("bytes_total"))
    return Coalesce(
        "bytes_total",
        "check_before__bytes",
        Subquery(largest.values("bytes")),
        output_field=FloatField(),
    )


def _dealt_with() -> Case:
    """Bytes that need no more work: copied, or there already, as far as the messages tell."""
    return Case(
        When(ENDED_WELL, then=Coalesce("bytes_total", "bytes_done", output_field=FloatField())),
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
