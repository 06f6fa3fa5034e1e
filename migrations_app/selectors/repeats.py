"""Which jobs may run once more by themselves, and which are about to."""

from __future__ import annotations

from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Now

from migrations_app.engines.cures import CURES, Remedy
from migrations_app.models import WAITING, Batch, MigrationJob, State
from migrations_app.selectors.jobs import GIVEN_UP, HAS_ENDED_WELL, IDLE, RUNS_AGAIN

_PASSING = [cause for cause, cure in CURES.items() if cure.remedy is Remedy.RETRY]
_MAY_PASS = GIVEN_UP | Q(state=State.FAILED, cause__in=_PASSING)

REPEATABLE = Q(dry_run=False) & RUNS_AGAIN & (HAS_ENDED_WELL | _MAY_PASS)
"""Real jobs that neither wait nor run, and that another run may help: no wrong password."""
DUE = REPEATABLE & Q(repeat_at__lte=Now())
UNDER_WAY = WAITING | Q(state=State.RUNNING)
RUNS_ON = REPEATABLE | (UNDER_WAY & Q(dry_run=False))
"""Real jobs that may run again without a person."""
TO_COME = UNDER_WAY | DUE
"""A run of theirs is under way, or is to begin now."""

LEFT_OUT = IDLE & ~RUNS_AGAIN & ~Q(state=State.CANCELLED)
"""What nobody cancelled and yet nothing can run again: the passwords were erased."""


def jobs_of(batch: Batch) -> QuerySet[MigrationJob]:
    """Those that count: no dry run whose real run there is."""
    return MigrationJob.objects.filter(batch=batch, superseded_by=None)


def hours_of(batch: Batch) -> int | None:
    """How often its jobs repeat; of several answers the shortest."""
    repeating = jobs_of(batch).filter(repeat_hours__isnull=False)
    hours: int | None = repeating.aggregate(hours=Min("repeat_hours"))["hours"]
    return hours
