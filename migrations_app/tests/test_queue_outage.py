"""A database or a host goes away in the middle of a run: nothing runs twice, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from migrations_app.tests.postgres import BINARIES, MISSING, PrivatePostgres
from migrations_app.tests.workers import Workers
from purelymanage.jobs.tests.processes import gone, processes_with, settles
from purelymanage.tests.panel import MANAGE

pytestmark = [pytest.mark.slow, pytest.mark.once]  # it brings a server of its own

FENCED_AFTER = 24.0
SLACK = 8.0
LEASE = 30.0


HOLDS = """
import time
from django.db import transaction
from purelymanage.core.locks import lock_transaction
with transaction.atomic():
    lock_transaction("migrations.claim")
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    if BINARIES is None:
        pytest.skip(MISSING)
    server = PrivatePostgres(migrated=True)
    yield server
    server.remove()


def start(
    workers: Workers, postgres: PrivatePostgres, name: str, behaviour: dict[str, object]
) -> None:
    """Submit a job and wait until it copies."""
    workers.manage(
        "shell",
        "-c",
        "from migrations_app.tests.queueing import make_job;"
        " from migrations_app.queueing import queue;"
        f" queue.submit(make_job({name!r}, behaviour={behaviour!r}))",
    )
    progress = "SELECT messages_done FROM migrations_app_migrationjob"
    assert settles(lambda: postgres.ask(progress)[0])


@pytest.mark.parametrize(
    ("outage", "mails", "runs"),
    [(8, 150, 1), (36, 350, 2)],
    ids=["a short one is sat out", "a long one is fenced"],
)
def test_the_database_stops_in_the_middle_of_a_run(postgres, tmp_path, outage, mails, runs):
    stamps = tmp_path / "stamps"
    behaviour = {"stamps": str(stamps), "mails": mails, "pause": 0.1}
    workers = Workers(tmp_path, url=postgres.url)
    try:
        start(workers, postgres, "outage", behaviour)
        engines = processes_with("outage@new.example")
        assert engines
        postgres.stop()
        stopped = time.monotonic()
        fenced = settles(lambda: gone(engines), min(outage, FENCED_AFTER + SLACK))
        assert fenced == (runs == 2)
        time.sleep(max(outage - (time.monotonic() - stopped), 0))
        postgres.start()
        ending = "SELECT state, run FROM migrations_app_migrationjob"
        assert settles(lambda: postgres.ask(ending)[0] == "done", 150)
        assert postgres.ask(ending) == ("done", runs)
        assert stamps.read_text().count("start") == runs
    finally:
        family = workers.family()
        workers.stop()
        assert settles(lambda: gone(family), 5)


def test_a_host_vanishes_and_is_back_while_another_has_its_job(postgres, tmp_path):
    hosts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        hosts.append(Workers(tmp_path / name, url=postgres.url))
        if len(hosts) == 1:
            start(hosts[0], postgres, "vanished", {"mails": 1000, "pause": 0.1})
    standing = "SELECT run, messages_done > 0, state FROM migrations_app_migrationjob"
    engines = processes_with("vanished@")
    frozen = [hosts[0].supervisor.pid, *hosts[0].family()]
    try:
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        assert settles(lambda: gone(engines), LEASE), "what wakes up would write beside the other"
        assert settles(lambda: postgres.ask(standing)[:2] == (2, True), 2 * LEASE)
        second = set(processes_with("vanished@"))
    finally:
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    try:
        assert not settles(lambda: set(processes_with("vanished@")) - second, 5)
        assert postgres.ask(standing) == (2, True, "running")
    finally:
        for host in hosts:
            host.stop()
    assert settles(lambda: gone([*frozen, *second]), 5)


def test_a_host_that_freezes_in_the_middle_of_a_claim_holds_the_others_up_for_seconds(
    postgres, tmp_path
):
    workers = Workers(tmp_path, url=postgres.url)
    argv = [*MANAGE, "shell", "-c", HOLDS]
    frozen = subprocess.Popen(argv, env=workers.environment, stdout=subprocess.PIPE)
    try:
        while b"held" not in frozen.stdout.readline():
            assert frozen.poll() is None
        frozen.send_signal(signal.SIGSTOP)
        start(workers, postgres, "held-up", {"mails": 50, "pause": 0.1})
    finally:
        frozen.kill()
        frozen.communicate()
        workers.stop()
