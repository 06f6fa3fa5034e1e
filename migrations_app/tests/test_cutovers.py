"""A domain's mail moves, step by step."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from domains.advice import Advice
from domains.models import CheckSource, DnsChange, Domain, RecordKey, RecordState
from migrations_app.engines.causes import Cause
from migrations_app.models import CutOverStep, MigrationJob, State
from migrations_app.running.start import plan_of
from migrations_app.selectors import cutovers as selectors
from migrations_app.services import cutovers, repeats
from migrations_app.tests.cutting_over import (
    DOMAIN,
    at,
    begun,
    dies,
    end_all,
    fresh,
    mx,
    step_after_tick,
)
from migrations_app.tests.factories import JobFactory
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


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
        patch.setattr(cutovers, "record_all", dies)
        with pytest.raises(KeyboardInterrupt):
            cutovers.advance_all()
    assert not fresh(cut_over).catch_up.jobs.exists()
    with monkeypatch.context() as patch:
        patch.setattr(cutovers, "prolong", dies)
        with pytest.raises(KeyboardInterrupt):
            cutovers.advance_all()
    cutovers.advance_all()
    assert fresh(cut_over).catch_up.jobs.count() == 3
