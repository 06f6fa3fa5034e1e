from __future__ import annotations

import threading
import time

import pytest
from django.db import IntegrityError, connections
from django.db.models.functions import Now
from django_q.models import OrmQ

from audit.models import Entry
from migrations_app.engines.base import Verdict
from migrations_app.models import MAX_REQUEUES, FolderResult, MigrationJob, State
from migrations_app.queueing import dispatch, queue
from migrations_app.running import logs
from migrations_app.tests.queueing import make_job
from purelymanage.core.errors import RefusedError
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import WorkerHost

DONE = Verdict(state="done", cause=None, sentence="All there.")


@pytest.fixture(autouse=True)
def _three_at_a_time(db, settings):
    settings.MIGRATION_CONCURRENCY = 3


def lapse(job: MigrationJob) -> None:
    MigrationJob.objects.filter(pk=job.pk).update(lease_until=seconds_from_now(-1))


def fresh(job: MigrationJob) -> MigrationJob:
    return MigrationJob.objects.get(pk=job.pk)


def host(name="a:1", **facts) -> WorkerHost:
    return WorkerHost.objects.create(name=name, started_at=Now(), seen_at=Now(), **facts)


def test_a_verdict_after_other_tries_says_whose_numbers_it_gives() -> None:
    job = make_job()
    first = queue.claim("here")
    assert first
    queue.release(first)
    second = queue.claim("here")
    assert second
    queue.finish(second, DONE)
    job.refresh_from_db()
    assert "the last of 2 tries" in job.verdict

    queue.submit(job)
    again = queue.claim("here")
    assert again
    queue.finish(again, DONE)
    job.refresh_from_db()
    assert job.verdict == DONE.sentence


def test_jobs_are_claimed_first_in_first_out_up_to_the_cap():
    jobs = [make_job(f"j{number}") for number in range(4)]
    claimed = [queue.claim("a:1") for _ in range(4)]
    assert [job and job.pk for job in claimed] == [*(job.pk for job in jobs[:3]), None]
    assert claimed[0].state == State.RUNNING
    assert claimed[0].run == 1
    assert claimed[0].owner == "a:1"


def test_the_cap_can_be_changed_while_jobs_run():
    for number in range(4):
        make_job(f"j{number}")
    limits = dispatch.limits()
    limits.concurrency = 1
    limits.save()
    assert queue.claim("a:1")
    assert queue.claim("a:1") is None
    limits.concurrency = 2
    limits.save()
    assert queue.claim("a:1")


def test_one_destination_mailbox_takes_one_job_at_a_time_however_it_is_spelt():
    make_job("a", destination_address="Anna@new.example")
    make_job("b", destination_address="anna@new.example", destination_port=143)
    third = make_job("c")
    first = queue.claim("a:1")
    assert queue.claim("a:1").pk == third.pk
    assert queue.claim("a:1") is None
    queue.finish(first, DONE)
    assert queue.claim("a:1").name == "b"


def test_the_database_holds_no_two_running_jobs_of_one_mailbox_however_it_is_spelt():
    make_job("a", destination_address="Anna@new.example", state=State.RUNNING)
    with pytest.raises(IntegrityError):
        make_job(
            "b",
            destination_host="NEW.example",
            destination_address="anna@new.example",
            destination_port=143,
            state=State.RUNNING,
        )


def test_a_mailbox_whose_name_looks_like_a_pattern_waits_for_nobody_else():
    make_job("a", destination_address="annaXb@new.example", state=State.RUNNING)
    make_job("b", destination_address="anna_b@new.example")
    assert queue.claim("a:1").name == "b"


def test_a_source_host_serves_no_more_than_its_share():
    limits = dispatch.limits()
    limits.per_source_host = 1
    limits.save()
    make_job("a", source_host="Old.example")
    make_job("b", source_host="old.example")
    other = make_job("c", source_host="other.example")
    assert queue.claim("a:1").name == "a"
    assert queue.claim("a:1").pk == other.pk
    assert queue.claim("a:1") is None


def test_a_draining_host_claims_nothing_and_others_do():
    make_job()
    host("a:1", is_draining=True)
    assert queue.claim("a:1") is None
    assert queue.claim("b:1")


def test_a_claim_starts_with_a_clean_slate():
    facts = {"messages_done": 5, "bytes_total": 7, "verdict": "old", "exit_status": 3}
    job = make_job(run=1, cause="unknown", **facts)
    FolderResult.objects.create(job=job, position=0, source="INBOX", destination="INBOX")
    claimed = queue.claim("a:1")
    assert (claimed.messages_done, claimed.bytes_total, claimed.verdict) == (0, None, "")
    assert (claimed.cause, claimed.exit_status, claimed.folder_results.count()) == ("", None, 0)


def test_a_run_is_void_without_its_token():
    make_job()
    first = queue.claim("a:1")
    lapse(first)
    queue.reap()
    second = queue.claim("b:1")
    assert second.pk == first.pk
    assert second.token != first.token
    assert not queue.beat(first)
    assert not queue.report(first, [], messages_done=9)
    assert not queue.finish(first, DONE)
    assert not queue.release(first)
    assert not queue.interrupt(first, why="x")
    assert fresh(second).state == State.RUNNING
    assert queue.finish(second, DONE)
    assert not queue.beat(second)


def test_a_lapsed_lease_interrupts_requeues_and_gives_up_in_the_end():
    job = make_job()
    for tries in range(1, MAX_REQUEUES + 2):
        claimed = queue.claim("a:1")
        assert claimed.run == tries
        lapse(claimed)
        queue.reap()
        queue.reap()
        row = fresh(job)
        assert (row.state, row.requeues) == (State.INTERRUPTED, tries)
        if tries == 1:
            assert row.verdict == "The worker stopped. Requeued, try 2 of 4."
            assert row.verdict in logs.tail(row).text
            assert not row.is_finished
    assert queue.claim("a:1") is None
    assert row.is_finished
    assert "run the job again" in row.verdict
    entries = Entry.objects.filter(action="job.interrupted")
    assert entries.count() == MAX_REQUEUES + 1
    assert {entry.actor_name for entry in entries} == {"system"}


def test_a_job_is_not_interrupted_without_a_record_of_it(monkeypatch):
    job = make_job()
    lapse(queue.claim("a:1"))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(queue, "record", fail)
    with pytest.raises(ZeroDivisionError):
        queue.reap()
    monkeypatch.undo()
    assert fresh(job).state == State.RUNNING
    queue.reap()
    assert Entry.objects.filter(action="job.interrupted").count() == 1


def test_a_live_lease_is_left_alone():
    make_job()
    claimed = queue.claim("a:1")
    queue.reap()
    assert queue.beat(claimed)


def test_submit_starts_the_count_of_tries_anew():
    job = make_job(state=State.INTERRUPTED, requeues=MAX_REQUEUES + 1, verdict="old")
    assert queue.claim("a:1") is None
    queue.submit(job)
    assert (job.state, job.requeues, job.verdict) == (State.QUEUED, 0, "")
    assert queue.claim("a:1").pk == job.pk


def test_submit_refuses_a_running_job_and_one_without_passwords():
    job = make_job()
    queue.claim("a:1")
    with pytest.raises(RefusedError, match="running already"):
        queue.submit(job)
    erased = make_job("b", source_password="")
    with pytest.raises(RefusedError, match="erased"):
        queue.submit(erased)


def test_a_waiting_job_is_cancelled_at_once():
    job = make_job()
    queue.cancel(job, by="Adam")
    assert (job.state, job.stopped_by) == (State.CANCELLED, "Adam")
    assert "Adam" in job.verdict
    assert queue.claim("a:1") is None
    with pytest.raises(RefusedError, match="ended already"):
        queue.cancel(job, by="Adam")


def test_a_job_that_would_be_tried_again_is_cancelled_at_once_but_not_one_that_is_over():
    job = make_job(state=State.INTERRUPTED, requeues=1)
    queue.cancel(job, by="Adam")
    assert job.state == State.CANCELLED
    over = make_job("b", state=State.INTERRUPTED, requeues=MAX_REQUEUES + 1)
    with pytest.raises(RefusedError):
        queue.cancel(over, by="Adam")


@pytest.mark.parametrize(
    "end", [queue.release, queue.cancelled, lambda job: lapse(job) or queue.reap()]
)
def test_a_running_job_that_was_cancelled_does_not_come_back(end):
    job = make_job()
    claimed = queue.claim("a:1")
    queue.cancel(job, by="Adam")
    assert (job.state, job.stop_requested) == (State.RUNNING, True)
    end(claimed)
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert "Adam" in job.verdict
    assert queue.claim("a:1") is None


def test_release_gives_the_job_back_without_counting():
    job = make_job()
    queue.release(queue.claim("a:1"))
    assert (fresh(job).state, fresh(job).requeues) == (State.QUEUED, 0)
    assert queue.claim("b:1").run == 2


def test_every_visible_change_raises_the_version():
    job = make_job()
    versions = [fresh(job).version]
    claimed = queue.claim("a:1")
    versions.append(claimed.version)
    queue.report(claimed, [], messages_done=1)
    versions.append(fresh(job).version)
    queue.cancel(job, by="Adam")
    versions.append(job.version)
    queue.cancelled(claimed)
    versions.append(fresh(job).version)
    assert versions == sorted(set(versions))


def test_report_updates_folders_in_place():
    make_job()
    claimed = queue.claim("a:1")
    facts = {"job": claimed, "position": 0, "source": "INBOX", "destination": "INBOX"}
    queue.report(claimed, [FolderResult(**facts, copied=1)], folder="INBOX")
    queue.report(claimed, [FolderResult(**facts, copied=2, is_done=True)], folder="INBOX")
    row = claimed.folder_results.get()
    assert (row.copied, row.is_done) == (2, True)


def test_submit_sends_one_message_after_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queue.submit(make_job())
        assert OrmQ.objects.count() == 0
    assert OrmQ.objects.filter(key="sync").count() == 1


def test_messages_never_pile_up(django_capture_on_commit_callbacks):
    for number in range(10):
        make_job(f"j{number}")
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            queue.upkeep()
    assert OrmQ.objects.filter(key="sync").count() == 3


def test_a_host_is_kept_waiting_only_with_a_free_worker_and_something_to_do():
    worker = host("a:1", capacity=1)
    assert not dispatch.is_kept_waiting("a:1")
    make_job("a")
    make_job("b")
    assert dispatch.is_kept_waiting("a:1")
    queue.claim("a:1")
    assert not dispatch.is_kept_waiting("a:1")
    MigrationJob.objects.filter(name="a").update(started_at=seconds_from_now(-120))
    assert not dispatch.is_kept_waiting("a:1"), "its one worker is busy"
    worker.capacity = 2
    worker.save()
    assert dispatch.is_kept_waiting("a:1")
    worker.is_draining = True
    worker.save()
    assert not dispatch.is_kept_waiting("a:1")


@pytest.mark.django_db(transaction=True)
def test_many_claimers_at_once_never_exceed_the_cap_and_never_share_a_job():
    for number in range(30):
        make_job(f"j{number}")
    ended: list[int] = []
    most: list[int] = []

    def work() -> None:
        try:
            for _ in range(40):
                job = queue.claim("a:1")
                if job is None:
                    time.sleep(0.005)
                    continue
                most.append(MigrationJob.objects.filter(state=State.RUNNING).count())
                ended.append(job.pk)
                assert queue.finish(job, DONE)
        finally:
            connections.close_all()

    dispatch.limits()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3
    assert len(ended) == len(set(ended)) == 30
    assert MigrationJob.objects.filter(state=State.DONE, run=1).count() == 30
