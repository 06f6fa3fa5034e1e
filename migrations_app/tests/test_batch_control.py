"""What is done to a batch as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from migrations_app.engines.base import Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Options
from migrations_app.models import Batch, BatchState, MigrationJob, State
from migrations_app.queueing import dispatch, queue
from migrations_app.services.batch_control import (
    delete_batch,
    pause_batch,
    resume_batch,
    schedule_batch,
)
from migrations_app.services.jobs import (
    End,
    rerun_job,
    run_job_for_real,
    run_job_now,
    update_job,
)
from migrations_app.tests.factories import BatchFactory, JobFactory, RunningJobFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def actions() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))


def test_a_paused_batch_starts_nothing_until_it_is_resumed(admin: User) -> None:
    job = JobFactory(batch=BatchFactory(), state=State.QUEUED)
    with acting_as(person(admin)):
        pause_batch(batch=job.batch)
    job.batch.refresh_from_db()
    assert (job.batch.is_paused, job.batch.paused_by) == (True, str(admin))
    assert not dispatch.eligible().exists()
    with pytest.raises(RefusedError, match="paused already"):
        pause_batch(batch=job.batch)
    resume_batch(batch=job.batch)
    assert dispatch.eligible().get() == job
    with pytest.raises(RefusedError, match="is not paused"):
        resume_batch(batch=job.batch)
    assert actions()[0] == "migrations.paused"
    assert "migrations.resumed" in actions()


def test_a_preview_is_told_that_there_is_nothing_to_pause_yet() -> None:
    batch = BatchFactory(state=BatchState.PREVIEW)
    with pytest.raises(RefusedError, match="has no jobs yet: nothing of it starts before"):
        pause_batch(batch=batch)
    batch.refresh_from_db()
    assert not batch.is_paused
    JobFactory(batch=batch, state=State.QUEUED)  # its import stopped half-way
    pause_batch(batch=batch)
    assert not dispatch.eligible().exists()


def test_pausing_stops_no_running_job() -> None:
    job = RunningJobFactory(batch=BatchFactory())
    pause_batch(batch=job.batch)
    job.refresh_from_db()
    assert (job.state, job.stop_requested) == (State.RUNNING, False)


def test_a_start_at_holds_for_what_waits_and_can_be_changed_and_taken_away() -> None:
    batch = BatchFactory()
    queued = JobFactory(batch=batch, state=State.QUEUED)
    interrupted = JobFactory(batch=batch, state=State.INTERRUPTED, requeues=1)
    ended = JobFactory(batch=batch)
    schedule_batch(batch=batch, start_at=in_hours(3))
    for row in (batch, queued, interrupted, ended):
        row.refresh_from_db()
    assert (queued.start_at, interrupted.start_at) == (batch.start_at, batch.start_at)
    assert (queued.version, ended.start_at) == (1, None)
    assert not dispatch.eligible().exists()
    schedule_batch(batch=batch, start_at=None)
    assert set(dispatch.eligible()) == {queued, interrupted}


def in_hours(hours: int) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def edit(*, job: MigrationJob) -> MigrationJob:
    ends = (End(None, job.source_address, ""), End(None, job.destination_address, ""))
    names = ("source", "destination")
    facts = {"name": job.name, "dry_run": job.dry_run, "options": Options()}
    return update_job(job=job, **facts, **dict(zip(names, ends, strict=True)))


@pytest.mark.parametrize("again", [rerun_job, run_job_for_real, edit])
def test_what_is_queued_later_starts_no_earlier_than_its_batch(
    again: Callable[..., MigrationJob],
) -> None:
    job = JobFactory(batch=BatchFactory(), dry_run=True)
    schedule_batch(batch=job.batch, start_at=in_hours(3))
    queued = again(job=MigrationJob.objects.get(pk=job.pk))
    queued.refresh_from_db()
    assert queued.start_at == Batch.objects.get().start_at
    assert not dispatch.eligible().exists()
    run_job_now(job=queued)
    assert dispatch.eligible().get() == queued


@pytest.mark.parametrize("again", [rerun_job, edit])
def test_what_is_queued_later_does_not_wait_for_a_start_taken_away(
    again: Callable[..., MigrationJob],
) -> None:
    job = JobFactory(batch=BatchFactory(), start_at=in_hours(3), state=State.CANCELLED)
    schedule_batch(batch=job.batch, start_at=None)
    again(job=MigrationJob.objects.get(pk=job.pk))
    assert dispatch.eligible().get() == job


@pytest.mark.parametrize("ending", ["interrupted", "failed", "given back"])
def test_what_ran_when_the_start_was_set_starts_again_no_earlier(ending: str) -> None:
    JobFactory(batch=BatchFactory(), state=State.QUEUED)
    running = queue.claim("a:1")
    assert running is not None
    schedule_batch(batch=Batch.objects.get(), start_at=in_hours(3))
    if ending == "interrupted":
        queue.interrupt(running, why="The worker stopped.")
    elif ending == "failed":
        queue.finish(running, Verdict("failed", Cause.SOURCE_UNREACHABLE, "No."))
    else:
        queue.release(running)
    MigrationJob.objects.update(try_after=None)
    assert not dispatch.eligible().exists()
    schedule_batch(batch=Batch.objects.get(), start_at=None)
    assert dispatch.eligible().exists()


def test_deleting_a_batch_takes_its_jobs_along_and_no_other() -> None:
    batch, other = BatchFactory(), JobFactory()
    real = JobFactory(batch=batch)
    JobFactory(batch=batch, dry_run=True, superseded_by=real)
    assert delete_batch(batch=batch) is None
    assert list(MigrationJob.objects.all()) == [other]
    assert not Batch.objects.exists()
    assert actions().count("job.deleted") == 2
    assert actions()[-1] == "migrations.deleted"


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.INTERRUPTED])
def test_a_busy_batch_is_not_deleted(state: State) -> None:
    job = JobFactory(batch=BatchFactory(), state=state)
    JobFactory(batch=job.batch)
    with pytest.raises(RefusedError, match="Cancel the batch first"):
        delete_batch(batch=job.batch)
    assert job.batch.jobs.count() == 2
