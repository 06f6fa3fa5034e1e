"""A run that cannot be started, or not be followed: the row says why, and other hosts go on."""

from __future__ import annotations

import errno
import os
import threading
import time

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines.base import LogLine, Progress
from migrations_app.engines.causes import Cause
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import logs, output, runner, start
from migrations_app.running.clerk import Clerk
from migrations_app.selectors.hosts import withdrawn_workers
from migrations_app.services import workers
from migrations_app.tests.queueing import FAKE, make_job
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.tests.processes import processes_with
from purelymanage.purelymail.errors import UnknownOutcomeError

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_KEY = "YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="


@pytest.fixture(autouse=True)
def _stand_in(settings, tmp_path):
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    settings.WORKER_HOST = "a:1"


def host(name: str, **facts) -> WorkerHost:
    now = timezone.now()
    return WorkerHost.objects.create(name=name, started_at=now, seen_at=now, **facts)


def run(behaviour=None, *, breaking=lambda: None, **facts) -> MigrationJob:
    make_job(behaviour=behaviour, **facts)
    claimed = queue.claim("a:1")
    breaking()
    runner.run(claimed)
    return MigrationJob.objects.get(pk=claimed.pk)


def disk_full(*_args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def break_engine(settings, monkeypatch):
    settings.IMAPSYNC_PATH = "/nowhere/imapsync"


def break_keys(settings, monkeypatch):
    settings.ENCRYPTION_KEYS = [OTHER_KEY]


def break_disk(settings, monkeypatch):
    monkeypatch.setattr(runner, "private_directory", disk_full)


def break_program(settings, monkeypatch):
    """There when it was looked for, and gone when it is to be started."""
    monkeypatch.setattr(runner.Child, "__init__", _without_program(runner.Child.__init__, settings))


def _without_program(begin, settings):
    def begin_elsewhere(self, argv, **facts):
        begin(self, ["/nowhere/imapsync", *argv[1:]], **facts)

    return begin_elsewhere


FAULTS = [
    (break_engine, "IMAPSYNC_PATH"),
    (break_keys, "ENCRYPTION_KEYS"),
    (break_disk, "No space left on device"),
    (break_program, "IMAPSYNC_PATH"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_a_host_that_can_run_no_job_leaves_them_to_the_others(settings, monkeypatch, fault, words):
    sick = host("a:1")
    host("b:1")
    with monkeypatch.context() as broken:
        old = settings.IMAPSYNC_PATH, settings.ENCRYPTION_KEYS
        job = run(breaking=lambda: fault(settings, broken))
        settings.IMAPSYNC_PATH, settings.ENCRYPTION_KEYS = old
    assert (job.state, job.requeues, job.retries, job.cause) == (State.QUEUED, 0, 0, "")
    assert words in job.verdict
    sick.refresh_from_db()
    assert words in sick.drained_because
    assert withdrawn_workers() == [sick]
    entry = Entry.objects.get(action="worker.drained")
    assert (entry.actor_kind, entry.target) == ("system", "a:1")
    assert queue.claim("a:1") is None
    runner.run(queue.claim("b:1"))
    job.refresh_from_db()
    assert job.state == State.DONE
    workers.resume(host=sick)
    assert withdrawn_workers() == []
    make_job("next")
    assert queue.claim("a:1") is not None


@pytest.mark.parametrize(("fault", "words"), FAULTS[:2])
@pytest.mark.parametrize("other", ["gone", "drained"])
def test_the_last_host_that_takes_work_says_what_is_wrong_with_the_job(
    settings, monkeypatch, fault, words, other
):
    host("a:1")
    facts = {"drained_at": timezone.now()} if other == "drained" else {}
    row = host("b:1", **facts)
    if other == "gone":
        WorkerHost.objects.filter(pk=row.pk).update(seen_at="2026-01-01T00:00Z")
    job = run(breaking=lambda: fault(settings, monkeypatch))
    assert job.state == State.FAILED
    assert words in job.verdict
    assert job.cause in (Cause.ENGINE_MISSING, Cause.KEY_MISSING)
    assert withdrawn_workers() == []


def test_a_host_nobody_knows_does_not_hand_its_jobs_on_for_ever(settings):
    host("b:1")
    settings.IMAPSYNC_PATH = "/nowhere/imapsync"
    assert run().state == State.FAILED


def test_a_host_without_the_engine_that_one_job_wants_goes_on_with_the_others(settings):
    host("a:1")
    host("b:1")
    settings.MIGRATION_ENGINE = "builtin"
    settings.IMAPSYNC_PATH = "/nowhere/imapsync"
    job = run(engine_wanted="imapsync")
    assert (job.state, job.cause) == (State.FAILED, Cause.ENGINE_MISSING)
    assert withdrawn_workers() == []


@pytest.mark.parametrize("error", [ConnectionResetError, TimeoutError])
def test_a_connection_that_breaks_speaks_of_no_host(monkeypatch, error):
    host("a:1")
    host("b:1")

    def break_off(*_args):
        raise error

    monkeypatch.setattr(runner, "private_directory", break_off)
    assert run().cause == Cause.WORKER_CRASHED
    assert withdrawn_workers() == []


def test_a_full_disk_is_waited_for_where_there_is_one_host_only(monkeypatch):
    monkeypatch.setattr(runner, "private_directory", disk_full)
    job = run()
    assert (job.state, job.cause, job.retries) == (State.QUEUED, Cause.WORKER_HOST, 1)
    assert job.try_after > timezone.now()
    assert "a:1 cannot run it: No space left on device." in job.verdict
    assert job.verdict in logs.tail(job).text


def test_a_fault_of_our_own_is_told_and_tried_again_and_leaves_nothing_behind(
    monkeypatch, tmp_path, caplog
):
    marker = f"child-{tmp_path.name}-{os.getpid()}"

    def fall_over(*_args):
        raise ZeroDivisionError("with-a-secret")

    monkeypatch.setattr(runner.Run, "_stop_if_wished", fall_over)
    job = run({"mails": 1000, "pause": 0.05, "child": marker})
    assert (job.state, job.cause, job.retries) == (State.QUEUED, Cause.WORKER_CRASHED, 1)
    assert job.verdict == "The worker on a:1 failed: ZeroDivisionError. Its own log says where."
    text = logs.tail(job).text
    assert "Run 1 on a:1" in text
    assert job.verdict in text
    assert "ZeroDivisionError" in caplog.text
    assert processes_with(marker) == []
    assert not [thread for thread in threading.enumerate() if isinstance(thread, Clerk)]


def test_passwords_that_were_erased_have_a_cause_of_their_own():
    assert run(source_password="").cause == Cause.PASSWORDS_ERASED


def test_an_ending_nobody_understood_has_a_cause(monkeypatch):
    monkeypatch.setattr(runner.Run, "_read", lambda *_: False)
    monkeypatch.setattr("migrations_app.engines.imapsync.parser.ImapsyncReader.conclude", None)
    assert run().cause == Cause.UNKNOWN


def test_a_beat_that_fails_while_somebody_else_is_waited_for_is_not_the_last(monkeypatch):
    beats = []

    def beat(_job):
        beats.append(time.monotonic())
        if len(beats) == 1:
            raise OperationalError

    monkeypatch.setattr(queue, "beat", beat)
    monkeypatch.setattr(queue, "BEAT_SECONDS", 0.05)
    with start.held(make_job()):
        give_up = time.monotonic() + 10
        while len(beats) < 3 and time.monotonic() < give_up:
            time.sleep(0.02)
    assert len(beats) >= 3


def test_the_end_of_a_long_log_is_stored_while_the_engine_runs(monkeypatch):
    """Whoever kills the worker leaves the newest lines, not the oldest alone."""
    monkeypatch.setattr(logs, "HEAD_CHARACTERS", 2_000)
    monkeypatch.setattr(logs, "TAIL_CHARACTERS", 4_000)
    make_job()
    job = queue.claim("a:1")
    redactor = output.Redactor([])
    buffer = output.LogBuffer(redactor)
    one = Clerk(job, progress=Progress(), log=buffer, redactor=redactor)
    for number in range(100):
        for line in range(10):
            buffer.add(LogLine(f"line {number}.{line}"))
        assert one._write()
        text = "".join(logs.stream(job))
        assert text.splitlines()[-1].endswith(f"line {number}.9")
        assert "line 0.0" in text
        assert len(text) < 2 * 6_000 + 1_000
    assert text.count("the log grew too long") == 1


def test_a_run_asks_once_a_second_and_in_one_query_whether_to_stop(
    django_assert_num_queries, monkeypatch
):
    make_job()
    job = queue.claim("a:1")
    one = Clerk(job, progress=None, log=None, redactor=None)
    with django_assert_num_queries(1):
        one._look()
    assert not one.is_to_stop
    MigrationJob.objects.update(stop_requested=True)
    host("a:1", is_draining=True)
    with django_assert_num_queries(1):
        one._look()
    assert one.is_cancelled
    assert one.is_draining


def test_purelymail_that_is_silent_is_no_fault_of_the_host(monkeypatch):
    host("a:1")
    host("b:1")

    def silence(_job):
        raise UnknownOutcomeError("PurelyMail did not answer.")

    monkeypatch.setattr(start.temporary_passwords, "make", silence)
    job = run(uses_app_password=True)
    assert job.cause == Cause.PURELYMAIL_SILENT
    assert withdrawn_workers() == []
