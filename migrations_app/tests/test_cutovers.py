"""A domain's mail moves, step by step."""

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

from audit.models import Entry
from domains.advice import Advice
from domains.models import CheckSource, DnsChange, DnsRecord, Domain, RecordKey, RecordState
from domains.tests.factories import DnsRecordFactory, DomainFactory
from migrations_app.engines.causes import Cause
from migrations_app.models import Batch, CutOver, CutOverStep, MigrationJob, State
from migrations_app.running.start import plan_of
from migrations_app.selectors import cutovers as selectors
from migrations_app.selectors.repeats import DUE
from migrations_app.services import cutovers, repeats
from migrations_app.services.batch_control import delete_batch, pause_batch
from migrations_app.tests.factories import BatchFactory, JobFactory
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
DOMAIN = "lindenhof.example"


def batch_of(count: int = 2, **facts: object) -> Batch:
    """A batch of the domain, whose real runs have ended well unless told otherwise."""
    DomainFactory(name=DOMAIN)
    batch = BatchFactory(name="Lindenhof")
    for number in range(count):
        values = {"succeeded_at": timezone.now(), **facts}
        JobFactory(batch=batch, destination_address=f"p{number}@{DOMAIN}", **values)
    return batch


def begun(**facts: object) -> CutOver:
    return cutovers.begin_cut_over(batch=batch_of(**facts), every_hours=6)


def mx(state: RecordState, **facts: object) -> None:
    DnsRecord.objects.all().delete()
    DnsRecordFactory(domain=DomainFactory(name=DOMAIN), state=state, **facts)


def fresh(cut_over: CutOver) -> CutOver:
    return CutOver.objects.select_related("batch", "catch_up").get(pk=cut_over.pk)


def step_after_tick(cut_over: CutOver) -> str:
    cutovers.advance_all()
    return fresh(cut_over).step


def end_all() -> None:
    """All jobs that wait end well, and those that are due; a busy machine needs several goes."""
    repeats.run_due()
    while MigrationJob.objects.filter(DUE).exists():
        repeats.run_due()
    MigrationJob.objects.filter(state=State.QUEUED).update(
        state=State.DONE, succeeded_at=timezone.now(), ended_at=timezone.now()
    )


def test_it_goes_from_the_first_copy_to_its_end_by_itself() -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        cut_over = begun()
        mx(RecordState.WRONG)
        assert step_after_tick(cut_over) == CutOverStep.DELTA
        assert set(MigrationJob.objects.values_list("repeat_hours", flat=True)) == {6}
        assert step_after_tick(cut_over) == CutOverStep.DELTA
        clock.shift(timedelta(hours=30))
        mx(RecordState.OK)
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        assert fresh(cut_over).mx_seen_at == start + timedelta(hours=30)
        end_all()
        assert not MigrationJob.objects.exclude(repeat_hours=None, repeat_at=None).exists()
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        clock.shift(timedelta(hours=23, minutes=59))
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        clock.shift(timedelta(minutes=1))
        assert step_after_tick(cut_over) == CutOverStep.CATCH_UP
        assert step_after_tick(cut_over) == CutOverStep.CATCH_UP
        catching_up = fresh(cut_over).catch_up.jobs.all()
        assert [job.state for job in catching_up] == [State.QUEUED, State.QUEUED]
        assert {(*job.options["include"], job.options["max_age_days"]) for job in catching_up} == {
            ("INBOX", 2)
        }
        end_all()
        assert step_after_tick(cut_over) == CutOverStep.PURGE
        assert step_after_tick(cut_over) == CutOverStep.DONE
    assert not MigrationJob.objects.exclude(source_password="").exists()
    assert not MigrationJob.objects.exclude(destination_password="").exists()
    assert fresh(cut_over).ended_at
    assert set(fresh(cut_over).step_times) == set(CutOverStep)
    assert Entry.objects.filter(action="job.credentials_erased").count() == 4


def test_the_first_copy_waits_for_runs_and_for_dry_runs_to_be_run_for_real() -> None:
    cut_over = begun()
    dry = JobFactory(batch=cut_over.batch, dry_run=True, destination_address=f"dry@{DOMAIN}")
    assert step_after_tick(cut_over) == CutOverStep.COPY
    assert "1 dry run" in selectors.waits_for(fresh(cut_over))
    MigrationJob.objects.filter(pk=dry.pk).update(dry_run=False, state=State.RUNNING)
    assert step_after_tick(cut_over) == CutOverStep.COPY
    MigrationJob.objects.filter(pk=dry.pk).update(state=State.FAILED)
    assert step_after_tick(cut_over) == CutOverStep.DELTA


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        (RecordState.WRONG, {}),
        (RecordState.MISSING, {}),
        (RecordState.NO_ANSWER, {"answered_at": None, "is_answered": False}),
        (RecordState.OK, {"is_answered": False}),
    ],
)
def test_only_an_mx_that_was_seen_to_point_here_counts(
    state: RecordState, facts: dict[str, object]
) -> None:
    cut_over = begun()
    mx(state, **facts)
    cutovers.advance_all()
    assert step_after_tick(cut_over) == CutOverStep.DELTA


def test_an_mx_that_still_names_others_too_says_so() -> None:
    """Some mail goes there until they are removed, so that the cut-over waits."""
    cut_over = at(begun(), CutOverStep.DELTA)
    mx(RecordState.WRONG, advice=Advice.MX_OTHERS)
    assert step_after_tick(cut_over) == CutOverStep.DELTA
    assert "to PurelyMail and to others" in selectors.waits_for(fresh(cut_over))


def test_an_mx_counts_once_a_second_lookup_has_seen_it() -> None:
    cut_over = begun()
    mx(RecordState.OK)
    change = DnsChange.objects.create(
        domain=Domain.objects.get(),
        source=CheckSource.OWN,
        subject=RecordKey.MX,
        before=RecordState.WRONG,
        after=RecordState.OK,
    )
    cutovers.advance_all()
    assert step_after_tick(cut_over) == CutOverStep.DELTA
    assert "a second lookup" in selectors.waits_for(fresh(cut_over))
    DnsChange.objects.filter(pk=change.pk).update(held_at=timezone.now())
    assert step_after_tick(cut_over) == CutOverStep.FINAL


def test_a_domain_that_is_gone_is_said_to_be_gone() -> None:
    cut_over = at(begun(), CutOverStep.DELTA)
    mx(RecordState.OK)
    Domain.objects.all().delete()
    assert step_after_tick(cut_over) == CutOverStep.DELTA
    assert "no domain of yours any more" in selectors.waits_for(fresh(cut_over))


def test_an_mx_that_went_back_keeps_the_old_inboxes_for_later() -> None:
    cut_over = begun()
    mx(RecordState.OK)
    cutovers.advance_all()
    assert step_after_tick(cut_over) == CutOverStep.FINAL
    end_all()
    mx(RecordState.WRONG)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        mx(RecordState.OK)
        assert step_after_tick(cut_over) == CutOverStep.CATCH_UP


def test_a_final_sync_begun_before_mx_moved_comes_once_more_when_it_moves() -> None:
    """Whoever clicks too early loses nothing that was filed into folders in between."""
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        cut_over = at(begun(), CutOverStep.FINAL)
        mx(RecordState.WRONG)
        end_all()
        clock.shift(timedelta(days=3))
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        assert "does not point to PurelyMail yet" in selectors.waits_for(fresh(cut_over))
        mx(RecordState.OK)
        stale = fresh(cut_over)
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        assert fresh(cut_over).mx_seen_at == fresh(cut_over).step_since == timezone.now()
        with pytest.raises(RefusedError, match="moved on"):
            cutovers._advance(stale, CutOverStep.FINAL)
        repeats.run_due()
        assert MigrationJob.objects.filter(state=State.QUEUED).count() == 2
        end_all()
        clock.shift(timedelta(hours=23))
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        assert not MigrationJob.objects.filter(state=State.QUEUED).exists()
        clock.shift(timedelta(hours=1))
        assert step_after_tick(cut_over) == CutOverStep.CATCH_UP


def test_the_final_sync_is_waited_for() -> None:
    cut_over = begun()
    mx(RecordState.OK)
    cutovers.advance_all()
    cutovers.advance_all()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        repeats.run_due()
        assert step_after_tick(cut_over) == CutOverStep.FINAL
        end_all()
        assert step_after_tick(cut_over) == CutOverStep.CATCH_UP


def test_each_step_may_begin_by_hand_and_never_two_at_a_click() -> None:
    cut_over = begun()
    for step in (CutOverStep.COPY, CutOverStep.DELTA, CutOverStep.FINAL, CutOverStep.CATCH_UP):
        cutovers.advance_by_hand(cut_over=fresh(cut_over), step=step)
        with pytest.raises(RefusedError, match="moved on"):
            cutovers.advance_by_hand(cut_over=fresh(cut_over), step=step)
    assert fresh(cut_over).step == CutOverStep.PURGE
    assert fresh(cut_over).mx_seen_at is None
    MigrationJob.objects.update(state=State.DONE)
    cutovers.advance_by_hand(cut_over=fresh(cut_over), step=CutOverStep.PURGE)
    assert fresh(cut_over).step == CutOverStep.DONE
    assert not MigrationJob.objects.exclude(source_password="").exists()


def test_a_late_catch_up_goes_back_to_the_final_sync() -> None:
    cut_over = begun(count=1)
    mx(RecordState.OK)
    cutovers.advance_all()
    cutovers.advance_all()
    end_all()
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        cutovers.advance_all()
        cutovers.advance_all()
    job = fresh(cut_over).catch_up.jobs.get()
    assert job.options["max_age_days"] == 5


def test_a_catch_up_that_had_to_wait_reaches_back_to_the_final_sync_all_the_same() -> None:
    """A night window, a closed host or a new password may keep it for days."""
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        cut_over = begun(count=1)
        at(cut_over, CutOverStep.FINAL)
        clock.shift(timedelta(hours=24, minutes=3))
        at(cut_over, CutOverStep.CATCH_UP)
        end_all()
        cutovers.advance_all()
        job = fresh(cut_over).catch_up.jobs.get()
        assert job.options["max_age_days"] == 2
        assert plan_of(job).options.max_age_days == 2
        clock.shift(timedelta(days=3))
        assert plan_of(job).options.max_age_days == 5
    assert plan_of(JobFactory(batch=cut_over.batch)).options.max_age_days is None


@pytest.mark.parametrize(
    "ending",
    [
        {"state": State.FAILED, "cause": Cause.SOURCE_UNREACHABLE},
        {"state": State.INTERRUPTED, "requeues": 4},
        {"state": State.DONE},
    ],
    ids=["failed", "given up", "never begun"],
)
def test_whose_final_sync_failed_is_caught_up_as_a_whole(ending: dict[str, object]) -> None:
    """Its last good run may be days ago: two days of the inbox would leave out all before."""
    with time_machine.travel(timezone.now() - timedelta(days=5)):
        cut_over = begun(options={"exclude": ["Trash"]})
    at(cut_over, CutOverStep.FINAL)
    missed = cut_over.batch.jobs.first()
    MigrationJob.objects.filter(pk=missed.pk).update(repeat_at=None, **ending)
    end_all()
    at(cut_over, CutOverStep.CATCH_UP)
    cutovers.advance_all()
    assert {
        job.source_address == missed.source_address: (
            job.options.get("include"),
            job.options["exclude"],
            plan_of(job).options.max_age_days,
        )
        for job in fresh(cut_over).catch_up.jobs.all()
    } == {True: (None, ["Trash"], None), False: (["INBOX"], [], 2)}


def test_a_password_that_does_not_open_keeps_no_cut_over_from_its_end() -> None:
    cut_over = at(begun(count=2), CutOverStep.CATCH_UP)
    end_all()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE migrations_app_migrationjob SET source_password = %s WHERE id = %s",
            [f"pm1.deadbeef.{'A' * 40}", cut_over.batch.jobs.first().pk],
        )
    cutovers.advance_all()
    closed, opened = fresh(cut_over).catch_up.jobs.order_by("source_address")
    assert (closed.has_passwords, opened.has_passwords) == (False, True)
    end_all()
    assert step_after_tick(cut_over) == CutOverStep.PURGE


def test_a_worker_that_died_while_it_made_the_jobs_makes_none_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutovers, "SLICE", 1)
    cut_over = at(begun(count=3), CutOverStep.CATCH_UP)
    end_all()
    with monkeypatch.context() as patch:
        patch.setattr(cutovers, "record_all", _dies)
        with pytest.raises(KeyboardInterrupt):
            cutovers.advance_all()
    assert not fresh(cut_over).catch_up.jobs.exists()
    with monkeypatch.context() as patch:
        patch.setattr(cutovers, "prolong", _dies)
        with pytest.raises(KeyboardInterrupt):
            cutovers.advance_all()
    cutovers.advance_all()
    assert fresh(cut_over).catch_up.jobs.count() == 3


def _dies(*_args: object, **_options: object) -> None:
    raise KeyboardInterrupt


def at(cut_over: CutOver, wanted: CutOverStep) -> CutOver:
    """Moved on by hand."""
    while fresh(cut_over).step != wanted:
        cutovers.advance_by_hand(cut_over=fresh(cut_over), step=fresh(cut_over).step)
    return fresh(cut_over)


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
        patch.setattr(cutovers, "_advance", _dies)
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
