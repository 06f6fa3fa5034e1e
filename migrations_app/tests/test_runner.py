from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now

from migrations_app import tasks
from migrations_app.engines.causes import Cause
from migrations_app.engines.imapsync.command import MEMORY
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import clerk, logs, output, passfiles, runner, start
from migrations_app.tests.queueing import (
    DESTINATION_PASSWORD,
    FAKE,
    SOURCE_PASSWORD,
    make_job,
)
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.tests.processes import processes_with

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stand_in(settings, tmp_path):
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    settings.WORKER_HOST = "a:1"


def run(behaviour=None, **facts) -> MigrationJob:
    make_job(behaviour=behaviour, **facts)
    claimed = queue.claim("a:1")
    runner.run(claimed)
    return MigrationJob.objects.get(pk=claimed.pk)


def meanwhile(action, *, when) -> threading.Thread:
    """Do something as soon as the one job is at the point `when`."""

    def work() -> None:
        try:
            give_up = time.monotonic() + 10
            while time.monotonic() < give_up:
                job = MigrationJob.objects.first()
                if job and when(job):
                    action(job)
                    return
                time.sleep(0.05)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def is_copying(job: MigrationJob) -> bool:
    return job.messages_done > 0


@pytest.fixture
def outage(monkeypatch):
    """Five seconds in which nothing can be stored."""
    absent = threading.Event()
    real = queue.report

    def report(*args, **facts):
        if absent.is_set():
            raise OperationalError("the database is gone")
        return real(*args, **facts)

    def begin_and_end(_job: MigrationJob) -> None:
        absent.set()
        time.sleep(5)
        absent.clear()

    monkeypatch.setattr(queue, "report", report)
    return begin_and_end


def test_a_job_runs_to_its_end_with_progress_folders_and_log():
    job = run({"mails": 4})
    assert (job.state, job.exit_status, job.engine) == (State.DONE, 0, "imapsync")
    assert (job.messages_done, job.messages_total, job.messages_copied) == (4, 4, 4)
    assert job.bytes_done == 400
    folder = job.folder_results.get()
    assert (folder.source, folder.copied) == ("INBOX", 4)
    text = logs.tail(job).text
    assert "Run 1 on a:1, engine: imapsync 2.229." in text
    assert job.verdict in text
    assert job.token is None
    assert job.lease_until is None


def test_the_log_names_the_engine_that_was_wanted_for_this_job():
    make_job(engine_wanted="builtin")
    claimed = queue.claim("a:1")
    words = start.prepare(claimed, start.plan_of(claimed)).words
    assert words == ["Run 1 on a:1, engine: Built-in."]


def test_progress_is_stored_while_it_runs():
    seen = []
    thread = meanwhile(lambda job: seen.append(job), when=is_copying)
    job = run({"mails": 30, "pause": 0.1})
    thread.join()
    assert seen[0].state == State.RUNNING
    assert seen[0].phase == "copy"
    assert 0 < seen[0].messages_done < 30
    assert job.messages_done == 30


def test_a_failed_engine_fails_the_job_with_a_verdict():
    job = run({"mails": 0, "status": 16})
    assert (job.state, job.exit_status) == (State.FAILED, 16)
    assert job.verdict


def test_an_engine_that_is_not_installed_fails_the_job_with_the_cure(settings):
    settings.IMAPSYNC_PATH = "/nowhere/imapsync"
    job = run()
    assert job.state == State.FAILED
    assert "IMAPSYNC_PATH" in job.verdict
    assert job.verdict in logs.tail(job).text


def test_passwords_that_do_not_open_fail_the_job_with_the_cure(settings):
    make_job()
    claimed = queue.claim("a:1")
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="]
    runner.run(claimed)
    claimed.refresh_from_db()
    assert claimed.state == State.FAILED
    assert "Put the lost key back, or edit the job" in claimed.verdict


def test_an_engine_killed_by_a_stranger_is_interrupted_and_tried_again():
    job = run({"crash": 9})
    assert (job.state, job.requeues, job.cause) == (State.INTERRUPTED, 1, Cause.STOPPED)
    assert "stopped by SIGKILL. Perhaps the machine ran out of memory." in job.verdict
    assert "try 2 of 4" in job.verdict
    assert job.verdict in logs.tail(job).text
    assert queue.claim("a:1").pk == job.pk


def test_an_engine_that_says_a_signal_stopped_it_counts_as_a_try_too():
    job = run({"status": 6})
    assert (job.state, job.requeues, job.exit_status) == (State.INTERRUPTED, 1, 6)


def test_passwords_erased_while_it_waited_fail_the_job_with_the_cure():
    make_job(source_password="")
    claimed = queue.claim("a:1")
    runner.run(claimed)
    claimed.refresh_from_db()
    assert claimed.state == State.FAILED
    assert "Edit the job and type them again" in claimed.verdict
    assert claimed.verdict in logs.tail(claimed).text


def test_a_cancel_between_claim_and_start_of_the_engine_counts():
    make_job(behaviour={"mails": 1000, "pause": 0.05})
    claimed = queue.claim("a:1")
    queue.cancel(MigrationJob.objects.get(), by="Adam")
    runner.run(claimed)
    claimed.refresh_from_db()
    assert claimed.state == State.CANCELLED
    assert claimed.messages_copied < 200


def test_an_engine_that_prints_without_end_fills_nothing(monkeypatch):
    monkeypatch.setattr(output, "HEAD_CHARACTERS", 20_000)
    monkeypatch.setattr(output, "TAIL_CHARACTERS", 10_000)
    monkeypatch.setattr(clerk, "FIRST_SECONDS", 60)
    job = run({"lines": 5_000})
    assert job.state == State.DONE
    text = "".join(logs.stream(job))
    assert len(text) < 32_000
    assert "useless line 1 " in text
    assert "useless line 5000 " in text
    assert "lines left out: they came too fast." in text
    assert job.verdict in text.splitlines()[-1]


def test_an_engine_that_falls_over_gets_a_clear_verdict():
    job = run({"mails": 0, "status": 3})
    assert job.state == State.FAILED
    assert job.exit_status == 3


def test_cancel_stops_a_running_engine_within_seconds():
    thread = meanwhile(lambda job: queue.cancel(job, by="Adam"), when=is_copying)
    started = time.monotonic()
    job = run({"mails": 1000, "pause": 0.05})
    thread.join()
    assert job.state == State.CANCELLED
    assert "Adam" in job.verdict
    assert time.monotonic() - started < 6


def test_an_engine_that_ignores_sigterm_is_killed_with_all_it_started(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "STOP_SECONDS", 1.0)
    marker = f"child-{tmp_path.name}-{os.getpid()}"
    pids = []

    def cancel(job: MigrationJob) -> None:
        pids.extend(processes_with(marker))
        queue.cancel(job, by="Adam")

    thread = meanwhile(cancel, when=is_copying)
    job = run({"mails": 1000, "pause": 0.05, "deaf": 1, "child": marker})
    thread.join()
    assert job.state == State.CANCELLED
    assert len(pids) >= 2, "the engine and its child were there"
    assert processes_with(marker) == []


def test_a_draining_host_gives_its_job_back_without_counting():
    def drain(_job: MigrationJob) -> None:
        WorkerHost.objects.create(name="a:1", started_at=Now(), seen_at=Now(), is_draining=True)

    thread = meanwhile(drain, when=is_copying)
    job = run({"mails": 1000, "pause": 0.05})
    thread.join()
    assert (job.state, job.requeues) == (State.QUEUED, 0)
    assert queue.claim("b:1").pk == job.pk


def test_a_run_that_lost_its_lease_is_killed_and_says_nothing(tmp_path):
    marker = f"child-{tmp_path.name}-{os.getpid()}"

    def steal(job: MigrationJob) -> None:
        MigrationJob.objects.filter(pk=job.pk).update(lease_until=seconds_from_now(-1))
        queue.reap()
        assert queue.claim("b:1")

    thread = meanwhile(steal, when=is_copying)
    job = run({"mails": 1000, "pause": 0.05, "child": marker})
    thread.join()
    assert (job.state, job.owner, job.run) == (State.RUNNING, "b:1", 2)
    assert processes_with(marker) == []


def test_a_run_without_a_database_ends_itself_and_is_tried_again(outage, monkeypatch):
    """The engine goes on for a while, then is killed before the lease can end elsewhere."""
    monkeypatch.setattr(clerk, "FENCE_SECONDS", 2.0)
    thread = meanwhile(outage, when=is_copying)
    job = run({"mails": 1000, "pause": 0.05})
    thread.join()
    assert (job.state, job.requeues) == (State.INTERRUPTED, 1)
    assert "did not answer" in job.verdict


def test_an_ending_during_a_short_outage_is_stored_afterwards(outage):
    thread = meanwhile(outage, when=is_copying)
    job = run({"mails": 40, "pause": 0.1})
    thread.join()
    assert job.state == State.DONE
    text = logs.tail(job).text
    assert text.count("INBOX/") in (0, 40), "no line is lost or stored twice"


def test_a_run_that_was_lost_before_it_began_starts_no_engine(tmp_path):
    make_job(behaviour={"stamps": str(tmp_path / "stamps")})
    claimed = queue.claim("a:1")
    MigrationJob.objects.filter(pk=claimed.pk).update(token=None)
    with pytest.raises(runner.RunLostError):
        runner.run(claimed)
    assert not (tmp_path / "stamps").exists()


def test_echoed_passwords_are_never_stored():
    job = run({"echo": 1, "status": 16})
    everything = "".join(logs.stream(job)) + job.verdict + job.folder
    assert output.HIDDEN in everything
    for password in (SOURCE_PASSWORD, DESTINATION_PASSWORD):
        assert password not in everything
        assert password[:8] not in everything
        for form in output._spellings(password):
            assert form not in everything


def test_a_huge_line_without_an_end_is_cut():
    job = run({"flood": 5_000_000})
    assert job.state == State.DONE
    assert len("".join(logs.stream(job))) < 20_000


def test_the_engine_gets_none_of_our_keys(tmp_path, settings):
    os.environ["SECRET_KEY_CANARY"] = "canary"
    try:
        run({"env": str(tmp_path / "env")})
    finally:
        del os.environ["SECRET_KEY_CANARY"]
    environment = eval((tmp_path / "env").read_text())
    assert not {"SECRET_KEY", "SECRET_KEY_CANARY", "ENCRYPTION_KEYS", "DATABASE_URL"} & set(
        environment
    )
    values = " ".join(environment.values())
    assert settings.SECRET_KEY not in values
    assert settings.PURELYMAIL_API_TOKEN not in values
    assert environment["GLIBC_TUNABLES"] == MEMORY, "what the engine itself asks for"


def test_nothing_stays_in_the_private_directory(tmp_path):
    leftover = tmp_path / "runs" / "999999999-1-dead"
    leftover.mkdir(parents=True)
    run()
    assert list((tmp_path / "runs").iterdir()) == []


def test_passwords_reach_the_engine_by_memory_and_are_erased(tmp_path):
    file = passfiles.Passfile("pä ss", directory=tmp_path, name="passfile1")
    assert list(tmp_path.iterdir()) == []
    assert Path(file.path).read_bytes() == "pä ss\n".encode()
    copy = os.open(file.path, os.O_RDONLY)
    file.erase()
    file.erase()
    assert os.read(copy, 99) == b""
    os.close(copy)


def test_without_memory_files_a_private_file_serves(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    file = passfiles.Passfile("pass", directory=tmp_path, name="passfile1")
    assert Path(file.path).stat().st_mode & 0o777 == 0o600
    assert Path(file.path).read_text() == "pass\n"
    file.erase()
    assert list(tmp_path.iterdir()) == []


def test_a_job_runs_with_private_files_too(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    assert run().state == State.DONE


def test_run_next_claims_runs_and_leaves_when_there_is_nothing():
    job = make_job()
    tasks.run_next()
    job.refresh_from_db()
    assert job.state == State.DONE
    tasks.run_next()
    job.refresh_from_db()
    assert job.run == 1


def test_a_worker_goes_on_to_the_next_job_until_its_turn_is_over(monkeypatch):
    for name in "abc":
        make_job(name)
    tasks.run_next()
    assert set(MigrationJob.objects.values_list("state", flat=True)) == {State.DONE}
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0)
    for name in "de":
        make_job(name)
    tasks.run_next()
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == 1
