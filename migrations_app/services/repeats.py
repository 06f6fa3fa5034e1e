"""Runs that come again: what arrived meanwhile is copied, until the mail itself moves.

`repeat_at` says when a job runs once more, `repeat_hours` whether that goes on. Who is to run once
more while a run is under way does so after it: the present run may have passed a folder already.
"""

from __future__ import annotations

import time

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.models import WAITING, Batch, MigrationJob, State
from migrations_app.queueing.queue import NO_REPEAT
from migrations_app.selectors.cutovers import open_cut_over
from migrations_app.selectors.jobs import IDLE
from migrations_app.selectors.repeats import DUE, REPEATABLE, RUNS_ON, UNDER_WAY, jobs_of
from migrations_app.services.jobs import queue_lock, rerun_job
from purelymanage.core.addresses import shown_domain
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.core.errors import PurelyManageError, RefusedError
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue

RUN = "migrations_app.tasks.repeat_jobs"
LOCK, LOCK_SECONDS = "migrations.repeats", 120.0
WORK_SECONDS = 20.0
AT_ONCE = 100
READ = ("batch", "source_server", "destination_server")
MOST_HOURS = 24 * 7


def repeat_job(*, job: MigrationJob, hours: int | None) -> None:
    """Run a real job again every so many hours; None ends that."""
    if job.dry_run and hours:
        raise RefusedError(
            _("“%(job)s” is a dry run, which copies nothing. Run it for real first.") % {"job": job}
        )
    facts = {"before": {"hours": job.repeat_hours}, "after": {"hours": hours}}
    with audited(Action.JOB_REPEATED, target=job, **facts), queue_lock():
        repeat(MigrationJob.objects.filter(pk=job.pk), hours)


def repeat_batch(*, batch: Batch, hours: int | None) -> None:
    """The same for all jobs of a batch; those that are dry runs yet begin with their real run."""
    facts = {"after": {"hours": hours}}
    with audited(Action.MIGRATIONS_REPEATED, target=batch, **facts), queue_lock():
        refuse_bound(batch)
        repeat(jobs_of(batch), hours)


def repeat(jobs: QuerySet[MigrationJob], hours: int | None) -> None:
    """Set it for these jobs, under the lock of the queue; who was cancelled is left alone.

    A dry run, and what needs a person, begins once it was run for real, or again.
    """
    changed = {"version": F("version") + 1}
    if hours is None:
        jobs.exclude(repeat_hours=None, repeat_at=None).update(**NO_REPEAT, **changed)
        return
    wanted = jobs.exclude(state=State.CANCELLED)
    wanted.update(repeat_hours=hours, repeat_at=None, **changed)
    wanted.filter(RUNS_ON).update(repeat_at=seconds_from_now(3600 * hours))


def sync_job_finally(*, job: MigrationJob) -> None:
    """Run a real job once more and never again by itself."""
    if job.dry_run:
        raise RefusedError(
            _("“%(job)s” is a dry run, which copies nothing. Run it for real first.") % {"job": job}
        )
    with audited(Action.JOB_SYNCED_FINALLY, target=job), queue_lock():
        row = MigrationJob.objects.filter(pk=job.pk)
        if not row.filter(REPEATABLE | UNDER_WAY).exists():
            raise RefusedError(
                _("“%(job)s” did not end well or has no passwords any more. Edit and re-run it.")
                % {"job": job}
            )
        sync_finally(row)


def sync_batch_finally(*, batch: Batch) -> None:
    """The same for all real jobs of a batch that can run."""
    with audited(Action.MIGRATIONS_SYNCED_FINALLY, target=batch), queue_lock():
        refuse_bound(batch)
        if not jobs_of(batch).filter(REPEATABLE | UNDER_WAY).exists():
            raise RefusedError(
                _("No real run of “%(batch)s” ended well, so there is nothing to sync once more.")
                % {"batch": batch}
            )
        sync_finally(jobs_of(batch))


def sync_finally(jobs: QuerySet[MigrationJob]) -> None:
    """Once more, then no more; under the lock of the queue. Who waits for a run has one to come."""
    repeat(jobs.filter(WAITING | Q(dry_run=True)), None)
    once_more = jobs.filter(REPEATABLE | Q(state=State.RUNNING, dry_run=False))
    once_more.update(repeat_hours=None, repeat_at=Now(), version=F("version") + 1)
    enqueue(RUN)


def run_due() -> None:
    """Queue what is to run once more, for a while; then pass on. Idempotent, one worker at a time.

    Queueing a job sets or ends its next turn in the same statement, so a killed worker loses none.
    """
    give_back_at = time.monotonic() + WORK_SECONDS
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        if not alone:
            return
        with acting_as(SYSTEM):
            is_over = _queue_due(give_back_at)
    if not is_over:
        enqueue(RUN)


def _queue_due(give_back_at: float) -> bool:
    """Whether all that was due has had its turn."""
    hopeless = MigrationJob.objects.filter(IDLE, repeat_at__lte=Now()).exclude(REPEATABLE)
    hopeless.update(repeat_at=None, version=F("version") + 1)  # until a person has it run
    reached = 0
    due = MigrationJob.objects.select_related(*READ).order_by("pk")
    while jobs := list(due.filter(DUE, pk__gt=reached)[:AT_ONCE]):
        for job in jobs:
            if time.monotonic() >= give_back_at:
                return False
            _once_more(job)
            reached = job.pk
    return True


def _once_more(job: MigrationJob) -> None:
    """What is refused stays on record as such and is not asked for every minute."""
    if not MigrationJob.objects.filter(DUE, pk=job.pk).exists():
        return  # a person was faster since it was read
    try:
        rerun_job(job=job, by_itself=True)
    except PurelyManageError:
        hours = job.repeat_hours
        later = seconds_from_now(3600 * hours) if hours else None
        MigrationJob.objects.filter(DUE, pk=job.pk).update(repeat_at=later)


def refuse_bound(batch: Batch) -> None:
    """A cut-over decides what becomes of its batch."""
    if cut_over := open_cut_over(batch):
        raise RefusedError(
            _("“%(batch)s” belongs to the cut-over of %(domain)s. Stop that first.")
            % {"domain": shown_domain(cut_over.domain), "batch": batch}
        )
