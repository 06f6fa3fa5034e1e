"""What reports say: made of stored rows alone, however the servers are by now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Options
from migrations_app.models import ENDED_WELL, Batch, FolderResult, MigrationJob
from migrations_app.progress.batches import BatchView
from migrations_app.progress.jobs import JobView
from migrations_app.reports.figures import (
    Figures,
    figures_of,
    look_of_batch,
    look_of_folder,
    look_of_mailbox,
)
from migrations_app.selectors.batches import view_of_batch
from migrations_app.selectors.jobs import view_of
from migrations_app.selectors.losses import Losses, losses_of
from purelymanage.core.paging import page_of
from purelymanage.ui.states import Look

ROWS = 500
"""Mailboxes on a page of a batch's report."""
CHUNK = 200
"""Mailboxes read at once for its files."""

COLUMNS = (
    "name",
    "source_host",
    "source_address",
    "destination_host",
    "destination_address",
    "dry_run",
    "options",
    "state",
    "requeues",
    "engine",
    "cause",
    "verdict",
    "tries",
    "started_at",
    "ended_at",
    "created_by",
    "created_by__name",
    "created_by__email",
)
"""What of a job a row of a batch's report needs; above all no password."""

SUMS = ("found", "present", "skipped", "failed", "bytes_found")
REAL = Q(job__dry_run=False)


@dataclass(frozen=True)
class FolderRow:
    """One folder of a mailbox."""

    result: FolderResult
    figures: Figures
    look: Look


@dataclass(frozen=True)
class MailboxReport:
    """One mailbox, folder by folder."""

    job: MigrationJob
    view: JobView
    folders: list[FolderRow]
    total: Figures
    look: Look
    losses: Losses


@dataclass(frozen=True)
class MailboxRow:
    """One mailbox of many."""

    job: MigrationJob
    figures: Figures
    look: Look

    @property
    def note(self) -> str:
        """Why messages were left out or why none arrived, and what more than one try comes to."""
        job, words = self.job, self.figures.reasons
        if job.is_finished and job.state not in ENDED_WELL:
            return str(Cause(job.cause).label) if job.cause in Cause else job.verdict
        if job.tries < 2 or job.dry_run or not job.is_finished:
            return words
        tries = _("last of %(count)d tries: what the earlier ones copied counts as already there")
        return "; ".join(filter(None, (words, tries % {"count": job.tries})))


@dataclass(frozen=True)
class BatchSummary:
    """What all mailboxes of a batch come to, and what was to be copied of them."""

    view: BatchView
    total: Figures
    look: Look
    options: Options
    """Those of most of its mailboxes."""
    others: int
    """How many mailboxes have other options."""

    @property
    def run(self) -> str:
        """Whether its mailboxes were copied or only compared: real, dry, or both."""
        tally = self.view.tally
        if not tally.total:
            return "dry" if self.view.batch.dry_run else "real"
        return {0: "real", tally.total: "dry"}.get(tally.dry, "both")


@dataclass(frozen=True)
class BatchReport:
    """A page of a batch's mailboxes, and the sum of all of them."""

    summary: BatchSummary
    page: Page[MigrationJob]
    rows: list[MailboxRow]


def report_of_job(job: MigrationJob) -> MailboxReport:
    """The latest run of one job."""
    results, is_dry_run = list(job.folder_results.all()), job.dry_run
    total = figures_of(results, is_dry_run=is_dry_run)
    return MailboxReport(
        job=job,
        view=view_of(job),
        folders=[_folder_row(result, is_dry_run=is_dry_run) for result in results],
        total=total,
        look=look_of_mailbox(job, total),
        losses=losses_of(job, everything=True),
    )


def _folder_row(result: FolderResult, *, is_dry_run: bool) -> FolderRow:
    figures = figures_of([result], is_dry_run=is_dry_run)
    return FolderRow(result, figures, look_of_folder(figures, is_dry_run=is_dry_run))


def report_of_batch(batch: Batch, number: str | None) -> BatchReport:
    """The asked page of a batch's report, in a few queries however many jobs it has."""
    summary = summary_of_batch(batch)
    page = page_of(_jobs_of(batch), number, size=ROWS, count=summary.view.tally.total)
    return BatchReport(summary, page, _rows(page.object_list))


def summary_of_batch(batch: Batch) -> BatchSummary:
    """What is said of all of its mailboxes together."""
    view, total = view_of_batch(batch), total_of_batch(batch)
    options, others = _options_of(batch)
    return BatchSummary(view, total, look_of_batch(view, total), options, others)


def _options_of(batch: Batch) -> tuple[Options, int]:
    """Those of most of its jobs, which may have been edited since, and how many have others."""
    jobs = MigrationJob.objects.filter(batch=batch, superseded_by=None).order_by()
    counted: Counter[Options] = Counter()
    for data, number in jobs.values_list("options").annotate(number=Count("pk")):
        counted[Options.from_json(data)] += number
    if not counted:
        return Options.from_json(batch.options), 0
    [(options, number)] = counted.most_common(1)
    return options, counted.total() - number


def mailboxes_of(batch: Batch) -> Iterator[MailboxRow]:
    """All mailboxes of a batch, in order, read as they are wanted.

    Each chunk is a query of its own: no transaction and no cursor stays open while somebody
    downloads slowly.
    """
    jobs = _jobs_of(batch)
    chunk = list(jobs[:CHUNK])
    while chunk:
        yield from _rows(chunk)
        chunk = list(jobs.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def _jobs_of(batch: Batch) -> QuerySet[MigrationJob]:
    """In the order of the batch's file."""
    jobs = MigrationJob.objects.filter(batch=batch, superseded_by=None).order_by("pk")
    return jobs.select_related("created_by").only(*COLUMNS)


def _rows(jobs: Iterable[MigrationJob]) -> list[MailboxRow]:
    found = list(jobs)
    results: dict[int, list[FolderResult]] = defaultdict(list)
    for result in FolderResult.objects.filter(job__in=[job.pk for job in found]).order_by():
        results[result.job_id].append(result)
    return [_row(job, results[job.pk]) for job in found]


def _row(job: MigrationJob, results: list[FolderResult]) -> MailboxRow:
    figures = figures_of(results, is_dry_run=job.dry_run)
    return MailboxRow(job, figures, look_of_mailbox(job, figures))


def total_of_batch(batch: Batch) -> Figures:
    """The sum of all its mailboxes, in two queries; reasons are told by mailbox only."""
    results = FolderResult.objects.filter(job__batch=batch, job__superseded_by=None).order_by()
    sums = results.aggregate(
        **{f"sum_{name}": _sum(name) for name in SUMS},
        sum_folders=Count("pk"),
        sum_unfinished=Count("pk", filter=Q(is_done=False)),
        sum_copied=_sum("copied", REAL),
        sum_to_copy=_sum("copied", ~REAL),
        sum_bytes_copied=_sum("bytes_copied", REAL),
    )
    named = {name.removeprefix("sum_"): number for name, number in sums.items()}
    return Figures(**named, **_held(results))


def _held(results: QuerySet[FolderResult]) -> dict[str, Any]:
    """What the destinations hold: two folders that went into the same one count once."""
    counted = results.filter(destination_messages__isnull=False)
    by_folder = counted.values("job", "destination").annotate(
        held=Max("destination_messages"),
        held_bytes=Max("destination_bytes"),
        arrived=_sum("copied", REAL) + _sum("present", REAL),
    )
    return by_folder.aggregate(
        there=Sum("held"),
        there_bytes=Sum("held_bytes"),
        lacking=Coalesce(Sum(Greatest(F("arrived") - F("held"), 0)), 0),
    )


def _sum(name: str, wanted: Q | None = None) -> Coalesce:
    return Coalesce(Sum(name, filter=wanted), 0)
