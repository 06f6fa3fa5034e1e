"""What the latest run of a job could not bring over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from migrations_app.models import Batch, Loss, MigrationJob, State

LOSSES_SHOWN = 6
CHUNK = 500
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


def losses_of(job: MigrationJob, *, everything: bool) -> Losses:
    """The first messages that did not arrive, or all that were kept; none while the job runs."""
    if job.state == State.RUNNING:  # they are stored with the run's end
        return Losses([], 0, 0)
    kept = job.losses.all()
    rows = list(kept if everything else kept[: LOSSES_SHOWN + 1])
    stored = len(rows)
    if not everything and stored > LOSSES_SHOWN:
        rows, stored = rows[:LOSSES_SHOWN], kept.count()
    return Losses(rows, stored, max(stored, job.messages_failed) if stored else 0)


def has_losses(batch: Batch) -> bool:
    """Whether anything of a batch did not arrive."""
    return _losses_in(batch).exists()


def losses_in(batch: Batch) -> Iterator[Loss]:
    """All that did not arrive of a batch, each with its job, those of a job together.

    Each chunk is a query of its own, as for the mailboxes of a report.
    """
    fields = [field.name for field in Loss._meta.concrete_fields]
    losses = _losses_in(batch).select_related("job")
    losses = losses.only(*fields, *(f"job__{name}" for name in JOB_COLUMNS))
    last = 0
    while chunk := list(losses.filter(pk__gt=last)[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def _losses_in(batch: Batch) -> QuerySet[Loss]:
    """In the order they were stored: those of a job all at once, with its run's end."""
    return Loss.objects.filter(job__batch=batch, job__superseded_by=None).order_by("pk")
