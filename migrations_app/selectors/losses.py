"""What the latest run of a job could not bring over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from migrations_app.models import Batch, Loss, MigrationJob, State
from migrations_app.reports.figures import unnamed_words

LOSSES_SHOWN = 6
CHUNK = 50
JOB_COLUMNS = ("source_address", "source_host", "destination_address", "messages_failed")


@dataclass(frozen=True)
class Losses:
    """Some of the messages that did not arrive, and how many there are in all."""

    rows: list[Loss]
    stored: int
    total: int

    @property
    def is_cut(self) -> bool:
        return len(self.rows) < self.stored

    @property
    def unnamed(self) -> int:
        """How many more there are than were kept."""
        return self.total - self.stored

    @property
    def unnamed_words(self) -> str:
        """What there is to say about those."""
        return unnamed_words(self.unnamed, of=self.total)


def losses_of(job: MigrationJob, *, everything: bool) -> Losses:
    """The first messages that did not arrive, or all that were kept; none while the job runs."""
    if job.state == State.RUNNING:  # they are stored with the run's end
        return Losses([], 0, 0)
    kept = job.losses.all()
    rows = list(kept if everything else kept[: LOSSES_SHOWN + 1])
    stored = len(rows)
    if not everything and stored > LOSSES_SHOWN:
        rows, stored = rows[:LOSSES_SHOWN], kept.count()
    return Losses(rows, stored, max(stored, job.messages_failed))


def has_losses(batch: Batch) -> bool:
    """Whether anything of a batch did not arrive."""
    return _lossy_jobs(batch).exists()


def losses_in(batch: Batch) -> Iterator[tuple[MigrationJob, list[Loss]]]:
    """Each job of a batch of which anything did not arrive, and what is kept of it by name.

    Each chunk is a query of its own, as for the mailboxes of a report.
    """
    jobs, last = _lossy_jobs(batch), 0
    while chunk := list(jobs.filter(pk__gt=last)[:CHUNK]):
        kept: dict[int, list[Loss]] = defaultdict(list)
        for loss in Loss.objects.filter(job__in=[job.pk for job in chunk]).order_by("job_id", "pk"):
            kept[loss.job_id].append(loss)
        for job in chunk:
            yield job, kept[job.pk]
        last = chunk[-1].pk


def _lossy_jobs(batch: Batch) -> QuerySet[MigrationJob]:
    """In the order of the batch's file; what a running one loses is known at its end."""
    named = Exists(Loss.objects.filter(job=OuterRef("pk")))
    jobs = MigrationJob.objects.filter(batch=batch, superseded_by=None)
    lossy = jobs.filter(Q(messages_failed__gt=0) | named).exclude(state=State.RUNNING)
    return lossy.only(*JOB_COLUMNS).order_by("pk")
