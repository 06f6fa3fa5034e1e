"""A database that stops in the middle of a run: nothing runs twice at once, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from migrations_app.tests.postgres import BINARIES, MISSING, PrivatePostgres
from migrations_app.tests.workers import Workers
from purelymanage.jobs.tests.processes import gone, processes_with, settles

pytestmark = [pytest.mark.slow, pytest.mark.once]  # it brings a server of its own

FENCED_AFTER = 24.0
SLACK = 8.0


@pytest.fixture
def postgres() -> Iterator[PrivatePostgres]:
    if BINARIES is None:
        pytest.skip(MISSING)
    server = PrivatePostgres()
    yield server
    server.remove()


@pytest.mark.parametrize(
    ("outage", "mails", "runs"),
    [(8, 150, 1), (36, 350, 2)],
    ids=["a short one is sat out", "a long one is fenced"],
)
def test_the_database_stops_in_the_middle_of_a_run(postgres, tmp_path, outage, mails, runs):
    stamps = tmp_path / "stamps"
    behaviour = {"stamps": str(stamps), "mails": mails, "pause": 0.1}
    workers = Workers(tmp_path, url=postgres.url, prepare=True)
    try:
        workers.manage(
            "shell",
            "-c",
            "from migrations_app.tests.queueing import make_job; from migrations_app import queue;"
            f" queue.submit(make_job('outage', behaviour={behaviour!r}))",
        )
        progress = "SELECT messages_done FROM migrations_app_migrationjob"
        assert settles(lambda: postgres.ask(progress)[0])
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
