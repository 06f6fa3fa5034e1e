"""Actions on all jobs that match: a few at once, many by a worker who may die at any moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.models.functions import Now

from accounts.models import User
from audit.actions import Action
from audit.models import Entry
from migrations_app.batches import bulk_worker
from migrations_app.engines.causes import Cause
from migrations_app.models import Batch, BulkWork, MigrationJob, State
from migrations_app.selectors import JobFilter
from migrations_app.services import bulk
from migrations_app.services.batch_control import delete_batch
from migrations_app.services.bulk import MOST_AT_ONCE, Outcome, act_on_all, stop_work
from migrations_app.services.jobs import rerun_job, run_job_for_real
from migrations_app.tests.factories import BatchFactory, JobFactory, RunningJobFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

MANY = 4


@pytest.fixture
def acting(admin: User) -> Iterator[User]:
    with acting_as(person(admin, address="203.0.113.7")):
        yield admin


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few are many that the tests are quick."""
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", MANY - 1)


def batch_of(count: int = MANY, **facts: object) -> tuple[Batch, JobFilter]:
    batch = BatchFactory()
    for _ in range(count):
        JobFactory(batch=batch, **facts)
    return batch, JobFilter(batch=batch.pk)


def started(action: str, wanted: JobFilter) -> BulkWork:
    work = act_on_all(action=action, wanted=wanted, target="Lindenhof")
    assert isinstance(work, BulkWork)
    return work


def recorded(action: Action) -> list[Entry]:
    return list(Entry.objects.filter(action=action))


# At once


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1 left out: it needs a new password."), (3, "3 left out: they need new passwords.")],
)
def test_a_wrong_password_is_not_tried_again_with_the_others(
    acting: User, number: int, words: str
) -> None:
    batch, wanted = batch_of(number, state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    refused = "can run again without a new password"
    with pytest.raises(RefusedError, match=refused):
        act_on_all(action="retry", wanted=wanted)
    JobFactory(batch=batch, state=State.FAILED, cause=Cause.SOURCE_UNREACHABLE)
    outcome = act_on_all(action="retry", wanted=wanted)
    assert isinstance(outcome, Outcome)
    assert outcome.sentence == f"1 job queued again. {words}"
    assert batch.jobs.filter(state=State.FAILED).count() == number
    rerun_job(job=batch.jobs.filter(state=State.FAILED)[0])
    assert batch.jobs.filter(state=State.FAILED).count() == number - 1


@pytest.mark.usefixtures("few")
def test_a_worker_leaves_wrong_passwords_out_as_well(acting: User) -> None:
    batch, wanted = batch_of(state=State.FAILED)
    JobFactory(batch=batch, state=State.FAILED, cause=Cause.SIGN_IN_REFUSED)
    assert started("retry", wanted).total == MANY


def test_up_to_fifty_are_done_at_once(acting: User) -> None:
    _batch, wanted = batch_of(MOST_AT_ONCE, state=State.FAILED)
    outcome = act_on_all(action="retry", wanted=wanted)
    assert isinstance(outcome, Outcome)
    assert outcome.done == MOST_AT_ONCE
    assert not BulkWork.objects.exists()
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == MOST_AT_ONCE


def test_an_action_on_all_leaves_alone_what_it_is_not_for(acting: User) -> None:
    batch, wanted = batch_of(2, state=State.FAILED)
    given_up = JobFactory(batch=batch, state=State.INTERRUPTED, requeues=9)
    others = [
        JobFactory(batch=batch),
        JobFactory(batch=batch, state=State.FAILED, source_password=""),
        JobFactory(state=State.FAILED),
        RunningJobFactory(batch=batch),
    ]
    outcome = act_on_all(action="retry", wanted=wanted)
    assert isinstance(outcome, Outcome)
    assert (outcome.done, outcome.refusals) == (3, ())
    assert outcome.sentence == "3 jobs queued again."
    given_up.refresh_from_db()
    assert given_up.state == State.QUEUED
    before = [job.state for job in others]
    for job in others:
        job.refresh_from_db()
    assert [job.state for job in others] == before


@pytest.mark.parametrize("action", ["cancel", "real", "retry", "rerun", "delete"])
def test_an_action_that_is_for_none_of_them_says_so(acting: User, action: str) -> None:
    with pytest.raises(RefusedError, match="None of these jobs"):
        act_on_all(action=action, wanted=JobFilter(batch=BatchFactory().pk))


# Real runs


def test_a_real_run_takes_the_place_of_its_dry_run_in_the_batch(acting: User) -> None:
    batch, wanted = batch_of(2, dry_run=True)
    act_on_all(action="real", wanted=wanted)
    dry = MigrationJob.objects.filter(batch=batch, dry_run=True).order_by("pk")
    real = MigrationJob.objects.filter(batch=batch, dry_run=False).order_by("pk")
    assert [job.superseded_by for job in dry] == list(real)
    with pytest.raises(RefusedError, match="None of these jobs"):
        act_on_all(action="real", wanted=wanted)
    with pytest.raises(RefusedError, match="run for real already"):
        run_job_for_real(job=dry[0])


def test_a_real_run_starts_when_its_batch_does(acting: User) -> None:
    batch, _wanted = batch_of(0)
    batch.start_at = batch.created_at
    batch.save()
    assert run_job_for_real(job=JobFactory(batch=batch, dry_run=True)).start_at == batch.start_at


# By a worker


@pytest.mark.usefixtures("few")
def test_many_are_done_by_a_worker_each_on_record_in_the_name_of_who_asked(acting: User) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)
    assert (work.total, work.created_by, work.acting_from) == (MANY, acting, "203.0.113.7")
    assert not recorded(Action.JOB_QUEUED)
    with acting_as(person(acting)):
        bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.refused, bool(work.ended_at)) == (MANY, 0, True)
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == MANY
    entries = recorded(Action.JOB_QUEUED)
    assert len(entries) == MANY
    assert {(entry.actor_name, entry.address) for entry in entries} == {
        (str(acting), "203.0.113.7")
    }


@pytest.mark.usefixtures("few")
def test_jobs_made_by_the_work_do_not_belong_to_it(acting: User) -> None:
    batch, wanted = batch_of(dry_run=True)
    work = started("real", wanted)
    newer = JobFactory(batch=batch, dry_run=True)
    bulk_worker.work()
    newer.refresh_from_db()
    work.refresh_from_db()
    assert work.done == MANY
    assert newer.superseded_by is None


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("action", ["delete", "rerun"])
def test_what_ended_after_the_work_was_asked_for_does_not_belong_to_it(
    acting: User, action: str
) -> None:
    batch, wanted = batch_of(MANY - 1)
    going_on = RunningJobFactory(batch=batch)
    JobFactory(batch=batch)
    work = started(action, wanted)
    MigrationJob.objects.filter(pk=going_on.pk).update(state=State.DONE, ended_at=Now())
    bulk_worker.work()
    work.refresh_from_db()
    going_on.refresh_from_db()
    assert (work.done, work.total, going_on.state) == (MANY, MANY, State.DONE)


@pytest.mark.usefixtures("few")
def test_a_job_run_again_before_its_worker_died_is_not_run_a_third_time(acting: User) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)
    first = MigrationJob.objects.order_by("pk")[0]
    BulkWork.objects.update(in_hand_id=first.pk)
    MigrationJob.objects.filter(pk=first.pk).update(ended_at=Now())
    bulk_worker.work()
    work.refresh_from_db()
    first.refresh_from_db()
    assert (work.done, first.state) == (MANY, State.FAILED)


@pytest.mark.usefixtures("few")
def test_a_worker_that_dies_doubles_nothing_and_loses_nothing(
    acting: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, wanted = batch_of(dry_run=True)
    work = started("real", wanted)
    count = bulk_worker._count
    calls: list[int] = []

    def dies(work: BulkWork, pk: int, *, refusal: str = "") -> None:
        calls.append(pk)
        if len(calls) == 2:  # the second job is done, and nobody wrote that down
            raise KeyboardInterrupt
        count(work, pk, refusal=refusal)

    monkeypatch.setattr(bulk_worker, "_count", dies)
    with pytest.raises(KeyboardInterrupt):
        bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.in_hand_id) == (1, calls[1])
    bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.refused, work.in_hand_id) == (MANY, 0, None)
    assert MigrationJob.objects.filter(batch=batch, dry_run=False).count() == MANY


@pytest.mark.usefixtures("few")
def test_a_worker_that_dies_before_it_did_the_job_in_hand_does_it_next_time(
    acting: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)

    def dies(**_options: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bulk_worker, "act_on_job", dies)
        with pytest.raises(KeyboardInterrupt):
            bulk_worker.work()
    bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.refused) == (MANY, 0)
    assert len(recorded(Action.JOB_QUEUED)) == MANY


@pytest.mark.usefixtures("few")
def test_a_slice_is_given_back_and_gone_on_with(
    acting: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)
    monkeypatch.setattr(bulk_worker, "SLICE_SECONDS", -1)
    bulk_worker.work()
    work.refresh_from_db()
    assert work.ended_at is None
    monkeypatch.undo()
    bulk_worker.work()
    work.refresh_from_db()
    assert work.ended_at


@pytest.mark.usefixtures("few")
def test_a_refused_job_stops_no_other(acting: User) -> None:
    batch, wanted = batch_of(3, state=State.FAILED)
    JobFactory(batch=batch, state=State.FAILED, source_host="x", destination_host="x")
    twin = MigrationJob.objects.filter(batch=batch).first()
    assert twin
    busy = RunningJobFactory(
        source_address=twin.source_address, destination_address=twin.destination_address
    )
    work = started("retry", wanted)
    bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.refused) == (3, 1)
    assert busy.name in work.refusals[0]


@pytest.mark.usefixtures("few")
def test_a_stopped_work_ends_after_the_job_in_hand(
    acting: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)
    act = bulk.act_on_job

    def stopped_meanwhile(**options: object) -> str:
        stop_work(work=work)
        return act(**options)

    monkeypatch.setattr(bulk_worker, "act_on_job", stopped_meanwhile)
    bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, bool(work.ended_at)) == (1, True)
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == 1
    with pytest.raises(RefusedError, match="ended already"):
        stop_work(work=work)


@pytest.mark.usefixtures("few")
def test_nothing_is_done_in_the_name_of_somebody_who_may_not_any_more(acting: User) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    work = started("retry", wanted)
    User.objects.filter(pk=acting.pk).update(role=Role.VIEWER)
    bulk_worker.work()
    work.refresh_from_db()
    assert work.ended_at
    assert "may not change anything" in work.refusals[0]
    assert not MigrationJob.objects.filter(state=State.QUEUED).exists()


@pytest.mark.usefixtures("few")
def test_the_same_work_is_not_started_twice(acting: User) -> None:
    _batch, wanted = batch_of(state=State.FAILED)
    started("retry", wanted)
    with pytest.raises(RefusedError, match="under way"):
        act_on_all(action="retry", wanted=wanted)


@pytest.mark.usefixtures("few")
def test_cancelling_a_batch_ends_what_queues_its_jobs(acting: User) -> None:
    batch, wanted = batch_of(dry_run=True)
    JobFactory(batch=batch, state=State.QUEUED)
    real = started("real", wanted)
    act_on_all(action="cancel", wanted=wanted)
    real.refresh_from_db()
    assert real.ended_at
    bulk_worker.work()
    assert not MigrationJob.objects.filter(state=State.QUEUED).exists()


@pytest.mark.usefixtures("few")
def test_cancelling_a_few_of_a_batch_leaves_work_on_the_others_alone(acting: User) -> None:
    batch, wanted = batch_of(dry_run=True)
    JobFactory(batch=batch, state=State.QUEUED, name="lea")
    real = started("real", wanted)
    act_on_all(action="cancel", wanted=JobFilter(batch=batch.pk, query="lea"))
    bulk_worker.work()
    real.refresh_from_db()
    assert real.done == MANY


@pytest.mark.usefixtures("few")
def test_a_large_batch_is_deleted_by_a_worker_with_all_its_jobs(acting: User) -> None:
    batch, wanted = batch_of(2, dry_run=True)
    act_on_all(action="real", wanted=wanted)
    MigrationJob.objects.update(state=State.DONE)
    other = JobFactory()
    assert delete_batch(batch=batch)
    bulk_worker.work()
    assert list(MigrationJob.objects.all()) == [other]
    assert not Batch.objects.exists()
    assert len(recorded(Action.JOB_DELETED)) == MANY
    assert len(recorded(Action.MIGRATIONS_DELETED)) == 1


@pytest.mark.usefixtures("few")
def test_a_batch_whose_jobs_were_queued_again_meanwhile_stays(acting: User) -> None:
    batch, _wanted = batch_of()
    work = delete_batch(batch=batch)
    assert work
    busy = MigrationJob.objects.filter(batch=batch).first()
    MigrationJob.objects.filter(pk=busy.pk).update(state=State.QUEUED)
    bulk_worker.work()
    work.refresh_from_db()
    assert list(batch.jobs.all()) == [busy]
    assert "still has jobs" in work.refusals[0]
