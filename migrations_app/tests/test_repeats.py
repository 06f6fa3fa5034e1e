"""Runs that come again, and the last one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines.base import Verdict
from migrations_app.engines.causes import Cause
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.selectors import view_of_batch
from migrations_app.services import repeats
from migrations_app.services.jobs import rerun_job, run_job_for_real
from migrations_app.tests.factories import BatchFactory, JobFactory
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
PAST = timedelta(minutes=1)


def due(**facts: object) -> MigrationJob:
    """A job whose next run is due."""
    values = {"repeat_hours": 6, "repeat_at": timezone.now() - PAST, **facts}
    return JobFactory(**values)


def fresh(job: MigrationJob) -> MigrationJob:
    job.refresh_from_db()
    return job


def test_a_real_job_runs_again_after_its_hours_and_again_after_those() -> None:
    job = JobFactory()
    repeats.repeat_job(job=job, hours=6)
    repeats.run_due()
    assert fresh(job).state == State.DONE
    MigrationJob.objects.update(repeat_at=timezone.now() - PAST)
    repeats.run_due()
    assert fresh(job).state == State.QUEUED
    assert timedelta(hours=5.9) < job.repeat_at - timezone.now() < timedelta(hours=6.1)


def test_a_dry_run_does_not_repeat() -> None:
    with pytest.raises(RefusedError, match="copies nothing"):
        repeats.repeat_job(job=JobFactory(dry_run=True), hours=6)


def test_a_run_under_way_is_not_queued_twice() -> None:
    job = due(state=State.RUNNING)
    repeats.run_due()
    assert fresh(job).state == State.RUNNING
    assert not Entry.objects.filter(action="job.queued").exists()


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"state": State.FAILED, "cause": Cause.SOURCE_PASSWORD}, State.FAILED),
        ({"state": State.FAILED, "cause": Cause.SOURCE_BUSY}, State.QUEUED),
        ({"state": State.DONE_WITH_ERRORS}, State.QUEUED),
        ({"state": State.CANCELLED}, State.CANCELLED),
        ({"source_password": ""}, State.DONE),
        ({"destination_password": "", "uses_app_password": True}, State.QUEUED),
    ],
)
def test_only_what_may_work_is_tried_again(facts: dict[str, object], state: State) -> None:
    """The last one is no mailbox of ours: its run says so, where a refusal is told to nobody."""
    job = due(**facts)
    repeats.run_due()
    assert fresh(job).state == state


def twin_of(job: MigrationJob) -> MigrationJob:
    """The same migration, made a second time and waiting."""
    ends = {f"{end}_address": getattr(job, f"{end}_address") for end in ("source", "destination")}
    return JobFactory(state=State.QUEUED, **ends)


def test_what_is_refused_waits_for_its_next_turn() -> None:
    job = due()
    twin_of(job)
    repeats.run_due()
    assert fresh(job).repeat_at > timezone.now() + timedelta(hours=5)
    assert Entry.objects.filter(action="job.queued").count() == 1


def test_a_final_sync_that_is_refused_is_not_asked_for_every_minute() -> None:
    job = JobFactory()
    twin_of(job)
    repeats.sync_job_finally(job=job)
    for _minute in range(3):
        repeats.run_due()
    assert Entry.objects.filter(action="job.queued").count() == 1


def test_what_needs_a_person_is_due_again_once_they_had_it_run() -> None:
    job = due(state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    repeats.run_due()
    assert (fresh(job).repeat_hours, job.repeat_at) == (6, None)
    rerun_job(job=job)
    assert fresh(job).repeat_at > timezone.now() + timedelta(hours=5)


def test_hours_count_from_the_start_of_a_run_however_long_it_waited() -> None:
    """A night window may hold it back for longer than its hours: it does not run twice then."""
    job = JobFactory(state=State.QUEUED, repeat_hours=6, repeat_at=timezone.now() - PAST)
    assert queue.claim("here") == job
    assert fresh(job).repeat_at > timezone.now() + timedelta(hours=5.9)


def test_what_was_asked_for_while_a_run_broke_off_is_the_run_after_it() -> None:
    job = JobFactory(state=State.RUNNING, token="0" * 32)
    repeats.sync_job_finally(job=job)
    queue.interrupt(job, why="The worker stopped.")
    assert queue.claim("here") == job
    assert fresh(job).repeat_at is None


def test_who_was_cancelled_since_the_list_was_made_is_not_queued() -> None:
    job = due()
    MigrationJob.objects.update(state=State.CANCELLED, repeat_at=None, repeat_hours=None)
    repeats._once_more(job)
    assert fresh(job).state == State.CANCELLED


def test_cancelling_ends_the_repeating() -> None:
    job = JobFactory(state=State.QUEUED, repeat_hours=6, repeat_at=timezone.now())
    queue.cancel(job, by="Ada")
    assert (fresh(job).repeat_hours, job.repeat_at) == (None, None)


def test_the_final_sync_is_one_run_and_no_more() -> None:
    job = due(repeat_at=timezone.now() + timedelta(hours=3))
    repeats.sync_job_finally(job=job)
    repeats.run_due()
    assert fresh(job).state == State.QUEUED
    assert (job.repeat_hours, job.repeat_at) == (None, None)


def test_the_final_sync_of_what_runs_comes_after_that_run() -> None:
    job = JobFactory(state=State.RUNNING, token="0" * 32)
    repeats.sync_job_finally(job=job)
    repeats.run_due()
    assert fresh(job).state == State.RUNNING
    queue.finish(job, Verdict(state="done", cause=None, sentence="Done."))
    repeats.run_due()
    assert fresh(job).state == State.QUEUED
    MigrationJob.objects.update(state=State.DONE)
    repeats.run_due()
    assert fresh(job).state == State.DONE


def test_the_final_sync_of_what_waits_is_the_run_it_waits_for() -> None:
    job = due(state=State.QUEUED)
    repeats.sync_job_finally(job=job)
    MigrationJob.objects.update(state=State.DONE)
    repeats.run_due()
    assert fresh(job).state == State.DONE


def test_a_batch_repeats_with_the_real_runs_that_come_later() -> None:
    batch = BatchFactory()
    real, dry = JobFactory(batch=batch), JobFactory(batch=batch, dry_run=True)
    gone = JobFactory(batch=batch, state=State.CANCELLED)
    wrong = JobFactory(batch=batch, state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    repeats.repeat_batch(batch=batch, hours=12)
    assert fresh(real).repeat_at
    assert (fresh(wrong).repeat_hours, wrong.repeat_at) == (12, None)
    assert view_of_batch(batch).tally.repeating == 1
    assert (fresh(dry).repeat_hours, dry.repeat_at) == (12, None)
    assert fresh(gone).repeat_hours is None
    later = run_job_for_real(job=dry)
    assert later.repeat_hours == 12
    assert later.repeat_at > timezone.now() + timedelta(hours=11)
    repeats.repeat_batch(batch=batch, hours=None)
    assert (fresh(real).repeat_hours, real.repeat_at) == (None, None)
    assert (fresh(later).repeat_hours, later.repeat_at) == (None, None)


def test_the_final_sync_of_a_batch_leaves_out_what_needs_a_person() -> None:
    batch = BatchFactory()
    done = JobFactory(batch=batch)
    wrong = JobFactory(batch=batch, state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    repeats.sync_batch_finally(batch=batch)
    repeats.run_due()
    assert (fresh(done).state, fresh(wrong).state) == (State.QUEUED, State.FAILED)


def test_a_batch_without_a_real_run_has_nothing_to_sync() -> None:
    batch = BatchFactory()
    JobFactory(batch=batch, dry_run=True)
    with pytest.raises(RefusedError, match="nothing to sync"):
        repeats.sync_batch_finally(batch=batch)


def test_a_full_slice_passes_the_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(repeats, "WORK_SECONDS", -1.0)
    monkeypatch.setattr(repeats, "enqueue", sent.append)
    job = due()
    repeats.run_due()
    assert fresh(job).state == State.DONE
    assert sent == [repeats.RUN]
