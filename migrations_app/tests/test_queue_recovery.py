"""What must hold when processes are killed: real supervisors, clusters and engine processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from migrations_app.models import MigrationJob, State
from migrations_app.queueing import dispatch, queue
from migrations_app.running import logs
from migrations_app.tests.queueing import make_job
from migrations_app.tests.workers import Workers
from purelymanage.jobs.health import seconds_since_worker_seen
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.tests.processes import gone, processes_with, settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

RECOVERY_SECONDS = 90


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    running = Workers(tmp_path)
    assert settles(WorkerHost.objects.exists)
    yield running
    family = running.family()
    if running.supervisor.poll() is None:
        running.stop()
    assert settles(lambda: gone(family), 10)


def submit(name: str, tmp_path: Path, **behaviour: object) -> MigrationJob:
    job = make_job(name, behaviour={"stamps": str(tmp_path / "stamps"), **behaviour})
    queue.submit(job)
    return job


def state(job: MigrationJob) -> str:
    job.refresh_from_db()
    return job.state


def engine_of(marker: str) -> list[int]:
    """The stand-in engine itself, without its guard."""
    return [
        pid
        for pid in processes_with(marker)
        if "guard.py" not in Path(f"/proc/{pid}/cmdline").read_text()
    ]


def until_copying(job: MigrationJob) -> None:
    def is_copying() -> bool:
        job.refresh_from_db()
        return job.state == State.RUNNING and job.messages_done > 0

    assert settles(is_copying)


def ends_done(job: MigrationJob, *, runs: int, seconds: float = RECOVERY_SECONDS) -> bool:
    settles(lambda: state(job) == State.DONE, seconds)
    return (job.state, job.run) == (State.DONE, runs)


def stamps(tmp_path: Path) -> list[list[str]]:
    return [line.split() for line in (tmp_path / "stamps").read_text().splitlines()]


@pytest.mark.once
def test_a_killed_engine_runs_again(workers, tmp_path):
    job = submit("killed-engine", tmp_path, mails=40, pause=0.1)
    until_copying(job)
    for pid in engine_of("killed-engine@"):
        os.kill(pid, signal.SIGKILL)
    assert ends_done(job, runs=2)
    assert "stopped by SIGKILL" in "".join(logs.stream(job))


def test_a_killed_worker_leaves_no_engine_and_its_job_runs_again(workers, tmp_path):
    job = submit("killed-worker", tmp_path, mails=60, pause=0.1, child="killed-worker-child")
    until_copying(job)
    engines = processes_with("killed-worker")
    assert len(engines) >= 3, "guard, engine and its child"
    guard = next(pid for pid in engines if pid not in engine_of("killed-worker"))
    os.kill(workers.parent(guard), signal.SIGKILL)
    assert settles(lambda: gone(engines), 2)
    assert ends_done(job, runs=2)
    assert "Requeued, try 2 of 4." in "".join(logs.stream(job))


@pytest.mark.once
def test_a_killed_sentinel_leaves_no_worker_and_its_job_runs_again(workers, tmp_path):
    job = submit("killed-sentinel", tmp_path, mails=60, pause=0.1)
    until_copying(job)
    main = workers.main_of("sync")
    [sentinel] = workers.children(main)
    below = [*workers.children(sentinel), *processes_with("killed-sentinel")]
    os.kill(sentinel, signal.SIGKILL)
    assert settles(lambda: gone(below), 5)
    assert ends_done(job, runs=2)


def test_a_killed_supervisor_leaves_nothing_and_the_next_one_goes_on(workers, tmp_path):
    job = submit("killed-supervisor", tmp_path, mails=60, pause=0.1, deaf=1, child="killed-super")
    until_copying(job)
    family = [*workers.family(), *processes_with("killed-super")]
    workers.supervisor.kill()
    workers.supervisor.wait()
    assert settles(lambda: gone(family), 5)
    assert state(job) == State.RUNNING
    second = Workers(tmp_path)
    try:
        assert ends_done(job, runs=2)
    finally:
        second.stop()


@pytest.mark.once
def test_a_worker_that_is_only_stopped_loses_its_engine_before_the_job_runs_again(
    workers, tmp_path
):
    job = submit("stopped-worker", tmp_path, mails=300, pause=0.1)
    until_copying(job)
    engines = processes_with("stopped-worker@")
    guard = next(pid for pid in engines if pid not in engine_of("stopped-worker@"))
    worker = workers.parent(guard)
    os.kill(worker, signal.SIGSTOP)
    try:
        assert settles(lambda: gone(engines), 30)
        job.refresh_from_db()
        assert job.run == 1
    finally:
        os.kill(worker, signal.SIGCONT)
    assert ends_done(job, runs=2)


@pytest.mark.once
def test_stopping_gives_running_jobs_back_and_leaves_nothing(workers, tmp_path):
    jobs = [submit(f"drained-{number}", tmp_path, mails=1000, pause=0.1) for number in range(2)]
    for job in jobs:
        until_copying(job)
    family = workers.family()
    assert workers.stop() < 15
    assert gone(family)
    assert [(state(job), job.requeues) for job in jobs] == [(State.QUEUED, 0)] * 2
    assert not WorkerHost.objects.exists()


@pytest.mark.once
def test_stopping_waits_no_longer_than_its_grace_for_a_deaf_engine(workers, tmp_path):
    job = submit("deaf", tmp_path, mails=1000, pause=0.1, deaf=1)
    until_copying(job)
    family = workers.family()
    assert workers.stop() < 25
    assert gone(family)
    assert (state(job), job.requeues) == (State.QUEUED, 0)


@pytest.mark.once
def test_the_heartbeat_is_young_while_workers_run(workers):
    age = seconds_since_worker_seen()
    assert age is not None
    time.sleep(11)
    assert seconds_since_worker_seen() < 8
    assert settles(lambda: WorkerHost.objects.get().app_answered_at, 20)


@pytest.mark.once
def test_a_frozen_sync_cluster_is_found_and_restarted(workers, tmp_path):
    main = workers.main_of("sync")
    [sentinel] = settles(lambda: workers.children(main))
    assert settles(lambda: len(workers.children(sentinel)) >= 6)
    for pid in [sentinel, *workers.children(sentinel)]:
        os.kill(pid, signal.SIGSTOP)
    job = submit("frozen", tmp_path)
    assert ends_done(job, runs=1, seconds=150)
    assert workers.main_of("sync") != main


def test_two_supervisors_share_the_cap_and_lose_and_double_nothing(tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("two hosts share a PostgreSQL database")
    limits = dispatch.limits()
    limits.concurrency, limits.per_source_host = 3, 64
    limits.save()
    most = []
    ended = threading.Event()

    def sample() -> None:
        try:
            while not ended.wait(0.02):
                most.append(MigrationJob.objects.filter(state=State.RUNNING).count())
        finally:
            connections.close_all()

    sampler = threading.Thread(target=sample)
    sampler.start()
    hosts = [Workers(tmp_path, capacity=2), Workers(tmp_path, capacity=2)]
    try:
        assert settles(lambda: WorkerHost.objects.count() == 2)
        jobs = [submit(f"many-{number}", tmp_path, mails=2, pause=0.15) for number in range(40)]
        assert settles(
            lambda: MigrationJob.objects.filter(state=State.DONE).count() == len(jobs), 120
        )
    finally:
        ended.set()
        sampler.join()
        for host in hosts:
            host.stop()
    assert max(most) == 3
    assert set(MigrationJob.objects.values_list("run", flat=True)) == {1}
    assert len(set(MigrationJob.objects.values_list("owner", flat=True))) == 2
    at_once: set[str] = set()
    for word, _moment, _pid, mailbox in sorted(stamps(tmp_path), key=lambda stamp: stamp[1]):
        if word == "start":
            assert mailbox not in at_once
            at_once.add(mailbox)
            assert len(at_once) <= 3
        else:
            at_once.remove(mailbox)
    assert len(stamps(tmp_path)) == 2 * len(jobs)
