"""What the pages say about jobs and servers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from migrations_app import navigation, selectors
from migrations_app.models import State
from migrations_app.progress.jobs import JobView
from migrations_app.selectors import JobFilter, list_jobs
from migrations_app.tests.factories import (
    FolderFactory,
    JobFactory,
    RunningJobFactory,
    ServerFactory,
)
from purelymanage.ui.navigation import sidebar

pytestmark = pytest.mark.django_db


def view(*, seconds: float = 600, **facts: Any) -> JobView:
    now = timezone.now()
    return JobView(
        RunningJobFactory.build(started_at=now - timedelta(seconds=seconds), **facts), now
    )


def test_rate_and_time_left_come_from_the_bytes_so_far() -> None:
    row = view(seconds=600, bytes_done=600_000_000, bytes_total=900_000_000)
    assert row.rate == 1_000_000
    assert row.seconds_left == 300


def test_time_left_is_no_guess_in_the_first_half_minute() -> None:
    assert view(seconds=29).seconds_left is None
    assert view(seconds=31).seconds_left is not None


def test_time_left_falls_back_on_messages() -> None:
    row = view(seconds=600, bytes_total=None, messages_done=100, messages_total=200)
    assert row.seconds_left == 600


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(0, None, None), (0, 10, 0), (9, 10, 90), (12, 10, 100), (0, 0, 100)],
)
def test_percent_is_unknown_until_the_total_is(
    done: int, total: int | None, percent: int | None
) -> None:
    assert view(messages_done=done, messages_total=total).percent == percent


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [
        (2_100_000_000, 3_400_000_000, "2.1 of 3.4 GB"),
        (400_000_000, 1_900_000_000, "400 MB of 1.9 GB"),
        (5_000_000, 5_000_000, "5.0 MB"),
        (0, None, ""),
    ],
)
def test_sizes_share_their_unit(done: int, total: int | None, words: str) -> None:
    size = view(bytes_done=done, bytes_total=total).size
    assert size.replace("\N{NO-BREAK SPACE}", " ") == words


def test_phases_tell_past_from_present() -> None:
    steps = view(phase="copy").phases
    assert [(step.is_past, step.is_current) for step in steps] == [
        (True, False),
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_verdict_is_summed_up_by_its_cause() -> None:
    verdict = "mail.example.com refused the sign-in. Type the password again, then re-run."
    assert view(verdict=verdict, cause="source_password").summary == "Wrong source password"
    assert view(verdict=verdict).summary == verdict


def test_what_runs_comes_first_then_what_happened_last() -> None:
    now = timezone.now()
    old = JobFactory(ended_at=now - timedelta(hours=2))
    queued = JobFactory(state=State.QUEUED, queued_at=now)
    failed = JobFactory(state=State.FAILED, ended_at=now - timedelta(minutes=1))
    running = RunningJobFactory(queued_at=now - timedelta(days=1))
    rows = list_jobs(JobFilter(), None).rows
    assert [row.job for row in rows] == [running, queued, failed, old]


def test_places_in_the_queue_are_by_time() -> None:
    now = timezone.now()
    second = JobFactory(state=State.QUEUED, queued_at=now)
    first = JobFactory(state=State.INTERRUPTED, requeues=1, queued_at=now - timedelta(hours=1))
    places = {row.job: row.place for row in list_jobs(JobFilter(), None).rows}
    assert places == {first: 1, second: 2}


def test_search_looks_into_names_addresses_and_hosts() -> None:
    wanted = JobFactory(name="Cut-over", source_address="Ingrid@Old.example")
    JobFactory()
    for query in ("cut-over", "ingrid@old"):
        found = list_jobs(JobFilter(query=query), None)
        assert [row.job for row in found.rows] == [wanted]
        assert found.counts[""] == 1


def test_filters_count_what_the_search_finds() -> None:
    JobFactory(state=State.FAILED)
    JobFactory()
    found = list_jobs(JobFilter(state="failed"), None)
    assert [row.job.state for row in found.rows] == [State.FAILED]
    assert (found.counts[""], found.counts["failed"], found.counts["done"]) == (2, 1, 1)


def test_nonsense_in_the_address_is_left_out() -> None:
    wanted = JobFilter.of({"state": "'; DROP", "q": "a\0b" + "x" * 500})
    assert wanted.state == ""
    assert len(wanted.query) == 200
    assert "\0" not in wanted.query


@pytest.mark.parametrize(
    ("facts", "active"),
    [
        ({"state": State.QUEUED}, True),
        ({"state": State.RUNNING}, True),
        ({"state": State.INTERRUPTED, "requeues": 1}, True),
        ({"state": State.INTERRUPTED, "requeues": 4}, False),
        ({"state": State.FAILED}, False),
    ],
)
def test_looking_again_makes_sense_while_something_goes_on(
    facts: dict[str, Any], active: bool
) -> None:
    JobFactory(**facts)
    assert list_jobs(JobFilter(), None).is_active is active


def test_folders_with_work_come_first_but_stand_in_order() -> None:
    job = RunningJobFactory(folder="Now")
    for position in range(10):
        FolderFactory(job=job, position=position, source=f"Empty {position}")
    FolderFactory(job=job, position=10, source="Now", found=5)
    FolderFactory(job=job, position=11, source="Broken", failed=1)
    folders = selectors.folders_of(job, everything=False)
    assert [row.source for row in folders.rows][-2:] == ["Now", "Broken"]
    assert (len(folders.rows), folders.total, folders.is_cut) == (6, 12, True)
    assert len(selectors.folders_of(job, everything=True).rows) == 12


def test_servers_count_jobs_of_both_directions() -> None:
    server, other = ServerFactory(name="A"), ServerFactory(name="B")
    JobFactory(source_server=server, destination_server=other)
    JobFactory(source_server=other, destination_server=server)
    JobFactory(source_server=server)
    assert [(row.server, row.jobs) for row in selectors.list_servers()] == [(server, 3), (other, 2)]


def test_log_lines_are_taken_apart() -> None:
    text = "2026-11-20T14:38:02.000+00:00 error Message 3 <b> refused\nnot a line of ours\n"
    first, second = selectors.log_lines(text)
    assert (first.level, first.words) == ("error", "Message 3 <b> refused")
    assert first.at is not None
    assert (second.at, second.words) == (None, "not a line of ours")


def count_in_the_sidebar() -> Any:
    return next(link["count"] for link in sidebar("/") if link["place"].key == "migrations")


def test_the_frame_counts_what_runs_and_finds_jobs_and_servers() -> None:
    JobFactory(state=State.QUEUED)
    assert count_in_the_sidebar() is None
    RunningJobFactory(destination_address="ingrid@new.example")
    ServerFactory(name="Old provider")
    assert count_in_the_sidebar() == (1, "info", "running")
    assert [label for label, _url, _extra in navigation.found_jobs("ingrid")] == [
        "ingrid@new.example"
    ]
    assert [label for label, _url, _extra in navigation.found_servers("old")] == ["Old provider"]
