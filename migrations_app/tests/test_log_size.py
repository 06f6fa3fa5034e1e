"""The log of a job stays bounded however often it runs: its head and its newest lines are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from migrations_app.models import MigrationJob
from migrations_app.running import logs
from migrations_app.tests.queueing import make_job

pytestmark = pytest.mark.django_db
GAP = "Lines are left out here: the log grew too long."


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "HEAD_CHARACTERS", 1_000)
    monkeypatch.setattr(logs, "TAIL_CHARACTERS", 2_000)
    monkeypatch.setattr(logs, "CHUNK_CHARACTERS", 300)


def write_run(job: MigrationJob, number: int, lines: int = 100) -> None:
    for start in range(0, lines, 10):
        text = "".join(logs.line(f"run {number} line {start + n}.") for n in range(10))
        logs.append(job, text)


def words(job: MigrationJob) -> Iterator[str]:
    for text in logs.stream(job):
        assert text.endswith("\n")
        for line in text.splitlines():
            yield line.split(" ", 2)[2]


def test_a_short_log_stays_whole() -> None:
    job = make_job()
    write_run(job, 1, lines=20)
    logs.make_room(job)
    assert list(words(job)) == [f"run 1 line {number}." for number in range(20)]


def test_of_many_runs_the_first_and_the_newest_lines_stay() -> None:
    job, other = make_job("a"), make_job("b")
    write_run(other, 0)
    for number in range(1, 6):
        write_run(job, number)
        logs.make_room(job)
        kept = list(words(job))
        assert kept[0] == "run 1 line 0."
        assert kept[-1] == f"run {number} line 99."
        assert kept.count(GAP) == 1, "one line says it, however often it happened"
        assert sum(map(len, logs.stream(job))) <= 3_000 + len(GAP) + 50
    at = kept.index(GAP)
    assert kept[:at] == [f"run 1 line {number}." for number in range(at)]
    assert kept[at + 1 :] == [
        f"run 5 line {number}." for number in range(100 - (len(kept) - at) + 1, 100)
    ]
    assert len(list(words(other))) == 100


def test_a_page_that_follows_misses_nothing_that_comes_afterwards() -> None:
    job = make_job()
    write_run(job, 1)
    seen = logs.tail(job).last_id
    logs.make_room(job)
    write_run(job, 2, lines=10)
    assert logs.tail(job, after_id=seen).text.count("run 2 line") == 10
    assert "run 1" not in logs.tail(job, after_id=seen).text
