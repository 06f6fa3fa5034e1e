"""What can be done to a batch as a whole; what its jobs do is decided job by job."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.models import TO_DO, Batch, BatchState, BulkWork, MigrationJob
from migrations_app.queueing import dispatch
from migrations_app.selectors import JobFilter
from migrations_app.selectors.jobs import IDLE
from migrations_app.services.bulk import Outcome, act_on_all
from migrations_app.services.jobs import queue_lock
from migrations_app.services.repeats import refuse_bound
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError

WITH_JOBS = (BatchState.IMPORTING, BatchState.ACTIVE)


def pause_batch(*, batch: Batch) -> None:
    """From now on none of its jobs starts; what runs goes on to its end."""
    with audited(Action.MIGRATIONS_PAUSED, target=batch), queue_lock():
        _refuse_without_jobs(batch)
        paused = Batch.objects.filter(pk=batch.pk, paused_at=None).update(
            paused_at=timezone.now(), paused_by=current_actor().name[:254]
        )
        if not paused:
            raise RefusedError(_("“%(batch)s” is paused already.") % {"batch": batch})


def _refuse_without_jobs(batch: Batch) -> None:
    """A preview has none, unless its import stopped half-way."""
    is_made = Batch.objects.filter(pk=batch.pk, state__in=WITH_JOBS).exists()
    if not is_made and not MigrationJob.objects.filter(batch=batch).exists():
        raise RefusedError(
            _("“%(batch)s” has no jobs yet: nothing of it starts before it is imported.")
            % {"batch": batch}
        )


def resume_batch(*, batch: Batch) -> None:
    """Let its jobs start again, each in its turn; what it was held back for is counted anew."""
    with audited(Action.MIGRATIONS_RESUMED, target=batch), queue_lock():
        row = Batch.objects.filter(pk=batch.pk)
        ended = (
            row.filter(paused_at__isnull=False).update(paused_at=None, paused_by=""),
            row.filter(held_until__gt=Now()).update(held_until=Now(), held_because=""),
        )
        if not any(ended):
            raise RefusedError(_("“%(batch)s” is not paused.") % {"batch": batch})
        transaction.on_commit(dispatch.kick)


def schedule_batch(*, batch: Batch, start_at: datetime | None) -> None:
    """Let its jobs start at a time, or without one as soon as there is a place.

    What runs goes on, and starts again no earlier if it is interrupted or fails.
    """
    before, after = {"start_at": _written(batch.start_at)}, {"start_at": _written(start_at)}
    with (
        audited(Action.MIGRATIONS_SCHEDULED, target=batch, before=before, after=after),
        queue_lock(),
    ):
        Batch.objects.filter(pk=batch.pk).update(start_at=start_at)
        to_do = MigrationJob.objects.filter(TO_DO, batch=batch)
        to_do.update(start_at=start_at, version=F("version") + 1)
        transaction.on_commit(dispatch.kick)


def erase_batch(*, batch: Batch) -> Outcome | BulkWork:
    """Forget the passwords of all that have ended. A cut-over needs them to its end."""
    refuse_bound(batch)
    return act_on_all(action="erase", wanted=JobFilter(batch=batch.pk), target=batch)


def delete_batch(*, batch: Batch) -> BulkWork | None:
    """Delete a batch in which nothing waits or runs, with its jobs, their logs and passwords.

    A large one is deleted by a worker: the work is returned.
    """
    refuse_bound(batch)
    jobs = MigrationJob.objects.filter(batch=batch)
    if batch.is_importing or jobs.exclude(IDLE).exists():
        raise RefusedError(
            _("Jobs of “%(batch)s” wait or run. Cancel the batch first.") % {"batch": batch}
        )
    if jobs.exists():
        wanted = JobFilter(batch=batch.pk, superseded=True)
        outcome = act_on_all(action="delete_batch", wanted=wanted, target=batch)
        if isinstance(outcome, BulkWork):
            return outcome
    remove_empty_batch(batch=batch)
    return None


def remove_empty_batch(*, batch: Batch) -> None:
    """The end of its deletion, once its jobs are gone."""
    facts = {"created_by": batch.created_by_name, "dry_run": batch.dry_run}
    with audited(Action.MIGRATIONS_DELETED, target=batch, before=facts), queue_lock():
        if MigrationJob.objects.filter(batch=batch).exists():
            raise RefusedError(
                _("“%(batch)s” still has jobs, so it was not deleted.") % {"batch": batch}
            )
        batch.delete()


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
