"""What the latest run of a job could not bring over."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.models import Loss, MigrationJob, State

LOSSES_SHOWN = 6


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
