"""What stops a cut-over, ends it, and keeps others out; and whose passwords are erased then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from domains.models import RecordState
from migrations_app.engines.causes import Cause
from migrations_app.models import CutOver, CutOverStep, MigrationJob, State
from migrations_app.selectors import cutovers as selectors
from migrations_app.services import cutovers, repeats
from migrations_app.services.batch_control import delete_batch, pause_batch
from migrations_app.tests.cutting_over import (
    DOMAIN,
    at,
    batch_of,
    begun,
    dies,
    end_all,
    fresh,
    mx,
    step_after_tick,
)
from migrations_app.tests.factories import BatchFactory, JobFactory
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_who_never_ended_well_keeps_its_passwords_for_a_week() -> None:
    cut_over = begun()
    failed = JobFactory(
        batch=cut_over.batch,
        destination_address=f"x@{DOMAIN}",
        state=State.FAILED,
        cause=Cause.DESTINATION_FULL,
    )
    cut_over = at(cut_over, CutOverStep.PURGE)
    assert selectors.waits_for(cut_over) == "2 jobs wait or run."
    end_all()
    assert selectors.waits_for(cut_over) == "The passwords are being erased."
    assert step_after_tick(cut_over) == CutOverStep.PURGE
    failed.refresh_from_db()
    assert failed.source_password
    assert MigrationJob.objects.exclude(source_password="").count() == 1
    assert step_after_tick(cut_over) == CutOverStep.PURGE
    assert "1 job did not end well" in selectors.waits_for(fresh(cut_over))
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert step_after_tick(cut_over) == CutOverStep.DONE
    assert not MigrationJob.objects.exclude(source_password="").exists()


@pytest.mark.parametrize("catches_up", [False, True])
def test_whose_last_run_failed_keeps_its_passwords_to_be_run_again(catches_up: bool) -> None:
    """It ended well days ago, but neither its final sync nor its catching up may be missing."""
    cut_over = at(begun(count=2), CutOverStep.CATCH_UP)
    end_all()
    cutovers.advance_all()
    end_all()
    batch = fresh(cut_over).catch_up if catches_up else cut_over.batch
    failed = batch.jobs.first()
    MigrationJob.objects.filter(pk=failed.pk).update(
        state=State.FAILED, cause=Cause.SOURCE_BUSY, succeeded_at=timezone.now()
    )
    cutovers.advance_all()
    assert step_after_tick(cut_over) == CutOverStep.PURGE
    assert list(MigrationJob.objects.exclude(source_password="")) == [failed]


def test_an_old_inbox_is_looked_into_after_the_final_sync_and_not_instead_of_it() -> None:
    cut_over = at(begun(), CutOverStep.CATCH_UP)
    assert step_after_tick(cut_over) == CutOverStep.CATCH_UP
    assert not fresh(cut_over).catch_up.jobs.exists()
    repeats.run_due()
    assert cut_over.batch.jobs.filter(state=State.QUEUED).count() == 2
    end_all()
    cutovers.advance_all()
    assert fresh(cut_over).catch_up.jobs.count() == 2


def test_what_is_to_run_for_the_last_time_keeps_its_passwords_until_then() -> None:
    cut_over = at(begun(count=1), CutOverStep.PURGE)
    cutovers.advance_all()
    assert fresh(cut_over).batch.jobs.exclude(source_password="").exists()
    end_all()
    assert step_after_tick(cut_over) == CutOverStep.DONE


def test_erasing_by_hand_begins_before_the_end_is_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut_over = at(begun(count=1), CutOverStep.PURGE)
    MigrationJob.objects.update(state=State.RUNNING)
    with pytest.raises(RefusedError, match="still wait or run"):
        cutovers.advance_by_hand(cut_over=cut_over, step=CutOverStep.PURGE)
    MigrationJob.objects.update(state=State.FAILED)
    with monkeypatch.context() as patch:
        patch.setattr(cutovers, "_advance", dies)
        with pytest.raises(KeyboardInterrupt):
            cutovers.advance_by_hand(cut_over=cut_over, step=CutOverStep.PURGE)
    assert not MigrationJob.objects.exclude(source_password="").exists()
    assert step_after_tick(cut_over) == CutOverStep.DONE


def test_stopping_ends_the_repeating_and_resuming_begins_it_again() -> None:
    cut_over = at(begun(), CutOverStep.DELTA)
    mx(RecordState.OK)
    cutovers.stop_cut_over(cut_over=cut_over)
    assert not MigrationJob.objects.exclude(repeat_hours=None).exists()
    assert step_after_tick(cut_over) == CutOverStep.DELTA
    with pytest.raises(RefusedError):
        cutovers.advance_by_hand(cut_over=fresh(cut_over), step=CutOverStep.DELTA)
    cutovers.resume_cut_over(cut_over=fresh(cut_over))
    assert MigrationJob.objects.filter(repeat_hours=6).count() == 2
    assert step_after_tick(cut_over) == CutOverStep.FINAL


def test_a_final_sync_that_was_stopped_begins_again() -> None:
    cut_over = at(begun(), CutOverStep.FINAL)
    cutovers.stop_cut_over(cut_over=cut_over)
    repeats.run_due()
    assert not MigrationJob.objects.filter(state=State.QUEUED).exists()
    cutovers.resume_cut_over(cut_over=fresh(cut_over))
    repeats.run_due()
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == 2


@pytest.mark.parametrize("step", [CutOverStep.CATCH_UP, CutOverStep.PURGE])
def test_what_was_stopped_while_a_worker_was_at_it_goes_no_further(step: CutOverStep) -> None:
    cut_over = at(begun(), step)
    end_all()
    stale = fresh(cut_over)
    cutovers.stop_cut_over(cut_over=cut_over)
    cutovers._work_on(stale)
    assert fresh(cut_over).step == step
    assert not fresh(cut_over).catch_up.jobs.exists()
    assert MigrationJob.objects.exclude(source_password="").count() == 2


def test_without_passwords_there_is_nothing_to_begin_and_nothing_to_resume() -> None:
    batch = batch_of()
    MigrationJob.objects.update(source_password="", destination_password="")
    with pytest.raises(RefusedError, match="were erased"):
        cutovers.begin_cut_over(batch=batch, every_hours=6)
    MigrationJob.objects.all().delete()
    JobFactory(batch=batch, destination_address=f"lea@{DOMAIN}")
    cut_over = cutovers.begin_cut_over(batch=batch, every_hours=6)
    cutovers.stop_cut_over(cut_over=cut_over)
    MigrationJob.objects.update(source_password="", destination_password="")
    with pytest.raises(RefusedError, match="were erased"):
        cutovers.resume_cut_over(cut_over=fresh(cut_over))
    assert fresh(cut_over).stopped_at


def test_mailboxes_whose_passwords_went_meanwhile_are_not_passed_over_in_silence() -> None:
    """Their own time erases those that ended well, and leaves those that did not."""
    batch = batch_of(count=3)
    erased = {"source_password": "", "destination_password": ""}
    JobFactory(batch=batch, destination_address=f"x@{DOMAIN}", state=State.CANCELLED, **erased)
    done = MigrationJob.objects.filter(state=State.DONE)
    done.filter(pk__in=done.values("pk")[:2]).update(**erased)
    with pytest.raises(RefusedError, match="passwords of 2 mailboxes of “Lindenhof” were erased"):
        cutovers.begin_cut_over(batch=batch, every_hours=6)
    done.filter(source_password="").delete()
    cut_over = cutovers.begin_cut_over(batch=batch, every_hours=6)
    cutovers.stop_cut_over(cut_over=cut_over)
    JobFactory(batch=batch, destination_address=f"y@{DOMAIN}", **erased)
    with pytest.raises(RefusedError, match="passwords of 1 mailbox of"):
        cutovers.resume_cut_over(cut_over=fresh(cut_over))


def test_its_batch_is_not_deleted_under_it() -> None:
    cut_over = at(begun(), CutOverStep.DELTA)
    with pytest.raises(RefusedError, match="Stop that first"):
        delete_batch(batch=cut_over.batch)
    cutovers.stop_cut_over(cut_over=cut_over)
    delete_batch(batch=cut_over.batch)
    assert not CutOver.objects.exists()


def test_one_that_breaks_keeps_no_other_from_going_on() -> None:
    broken = begun()
    CutOver.objects.filter(pk=broken.pk).update(step="nonsense")
    batch = BatchFactory()
    JobFactory(batch=batch, destination_address=f"lea@{DOMAIN}", succeeded_at=timezone.now())
    other = cutovers.begin_cut_over(batch=batch, every_hours=6)
    assert step_after_tick(other) == CutOverStep.DELTA


def test_a_paused_batch_says_so() -> None:
    cut_over = at(begun(), CutOverStep.FINAL)
    pause_batch(batch=cut_over.batch)
    words = selectors.waits_for(fresh(cut_over))
    assert words == "2 jobs wait or run. The batch “Lindenhof” is paused."


def test_while_it_is_under_way_its_batch_is_not_repeated_otherwise() -> None:
    cut_over = begun()
    with pytest.raises(RefusedError, match="belongs to the cut-over"):
        repeats.repeat_batch(batch=cut_over.batch, hours=None)
    with pytest.raises(RefusedError, match="belongs to the cut-over"):
        repeats.sync_batch_finally(batch=cut_over.batch)


def test_dry_runs_alone_are_not_moved_on() -> None:
    cut_over = begun(dry_run=True)
    with pytest.raises(RefusedError, match="dry runs only"):
        cutovers.advance_by_hand(cut_over=cut_over, step=CutOverStep.COPY)


def test_a_batch_has_one_cut_over_and_one_domain_of_ours() -> None:
    cut_over = begun()
    with pytest.raises(RefusedError, match="already"):
        cutovers.begin_cut_over(batch=cut_over.batch, every_hours=6)
    JobFactory(batch=cut_over.batch, destination_address="lea@other.example")
    with pytest.raises(RefusedError, match="2 domains"):
        cutovers.begin_cut_over(batch=cut_over.batch, every_hours=6)
    foreign = JobFactory(batch=BatchFactory(), destination_address="lea@foreign.example")
    with pytest.raises(RefusedError, match="no domain of yours"):
        cutovers.begin_cut_over(batch=foreign.batch, every_hours=6)


def test_two_workers_take_one_step_at_a_time() -> None:
    cut_over = begun()
    stale = fresh(cut_over)
    cutovers.advance_all()
    with pytest.raises(RefusedError, match="moved on"):
        cutovers._advance(stale, CutOverStep.DELTA)
    assert fresh(cut_over).step == CutOverStep.DELTA


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_both_believe_to_be_alone_make_each_job_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One was frozen until its lock had run out, and goes on."""

    @contextmanager
    def believe_it(_name: str, **_options: object) -> Iterator[bool]:
        yield True

    def slow_copy(job: MigrationJob) -> MigrationJob:
        time.sleep(0.02)
        return copy_of(job)

    cut_over = at(begun(count=6), CutOverStep.CATCH_UP)
    end_all()
    both, copy_of = threading.Barrier(2, timeout=20), cutovers.copy_of
    monkeypatch.setattr(cutovers, "SLICE", 2)
    monkeypatch.setattr(cutovers, "only_one", believe_it)
    monkeypatch.setattr(cutovers, "copy_of", slow_copy)

    def work() -> None:
        both.wait()
        cutovers.advance_all()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert fresh(cut_over).catch_up.jobs.count() == 6
