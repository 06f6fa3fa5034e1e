"""What is counted and estimated for a batch: numbers, bytes, rate, time left."""

from __future__ import annotations

from collections import Counter
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migrations_app.models import (
    Batch,
    BatchState,
    Check,
    HostLimits,
    MigrationJob,
    State,
)
from migrations_app.progress.batches import BatchView
from migrations_app.selectors import JobFilter, list_jobs, view_of_batch
from migrations_app.tests.factories import BatchFactory, JobFactory

pytestmark = pytest.mark.django_db

GB = 1_000_000_000


@pytest.fixture
def batch() -> Batch:
    return BatchFactory()


@pytest.fixture(autouse=True)
def still(request: pytest.FixtureRequest) -> Any:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def ended(batch: Batch, *, gigabytes: float = 1, minutes: float = 10, **facts: Any) -> MigrationJob:
    now = timezone.now()
    size = int(gigabytes * GB)
    values = {
        "started_at": now - timedelta(minutes=minutes),
        "ended_at": now,
        "bytes_total": size,
        "bytes_done": size,
        "messages_total": 100,
        "messages_done": 100,
    }
    return JobFactory(batch=batch, **(values | facts))


def running(batch: Batch, *, done: int = 50, **facts: Any) -> MigrationJob:
    """In the middle of a gigabyte, copied at the pace of what has ended."""
    values = {
        "state": State.RUNNING,
        "ended_at": None,
        "minutes": done / 10,
        "messages_done": done,
        "bytes_done": done * GB // 100,
    }
    return ended(batch, **(values | facts))


def queued(batch: Batch, *, size: int | None = None, **facts: Any) -> MigrationJob:
    """`size` in gigabytes as a check found it."""
    job = JobFactory(batch=batch, state=State.QUEUED, **facts)
    if size is not None:
        Check.objects.create(job=job, bytes=size * GB)
    return job


def view(batch: Batch) -> BatchView:
    return view_of_batch(batch)


def test_every_job_that_nothing_supersedes_counts_once(batch: Batch) -> None:
    real = ended(batch)
    ended(batch, dry_run=True, superseded_by=real)
    ended(batch, state=State.DONE_WITH_ERRORS)
    ended(batch, state=State.FAILED)
    ended(batch, state=State.INTERRUPTED, requeues=9)
    ended(batch, state=State.INTERRUPTED, requeues=1)
    ended(batch, state=State.CANCELLED)
    running(batch)
    queued(batch)
    ended(BatchFactory())
    tally = view(batch).tally
    assert (tally.total, tally.done, tally.with_errors, tally.failed) == (8, 1, 1, 2)
    assert (tally.cancelled, tally.running, tally.waiting, tally.interrupted) == (1, 1, 2, 1)
    words = [part.words for part in view(batch).parts]
    assert words == [
        "1 done",
        "1 with errors",
        "1 failed",
        "1 given up",
        "1 running",
        "1 interrupted",
        "1 queued",
        "1 cancelled",
    ]
    assert sum(part.number for part in view(batch).parts) == tally.total


def test_a_part_of_the_bar_leads_to_as_many_jobs_as_it_says(batch: Batch) -> None:
    ended(batch, state=State.FAILED)
    ended(batch, state=State.INTERRUPTED, requeues=9)
    numbers: Counter[str] = Counter()
    for part in view(batch).parts:
        numbers[part.url.partition("state=")[2]] += part.number
    counts = list_jobs(JobFilter(batch=batch.pk), None).counts
    assert {state: counts[state] for state in numbers} == numbers


def test_what_was_there_already_counts_as_dealt_with(batch: Batch) -> None:
    ended(batch, gigabytes=2, bytes_done=0)
    running(batch, bytes_done=0)
    assert view(batch).bytes_words.replace("\N{NO-BREAK SPACE}", " ") == "2.5 GB of 3.0 GB"
    assert view(batch).percent == 83


def test_sizes_come_from_the_check_or_the_dry_run_or_are_estimated(batch: Batch) -> None:
    ended(batch)
    queued(batch, size=3)
    assert "of 4.0" in view(batch).bytes_words
    ended(batch, gigabytes=5, dry_run=True, superseded_by=queued(batch))
    assert "of 9.0" in view(batch).bytes_words
    queued(batch)
    assert "of about 12.0" in view(batch).bytes_words


def test_no_more_is_done_than_there_is(batch: Batch) -> None:
    ended(batch)
    running(batch, bytes_total=None, messages_total=None, bytes_done=5 * GB)
    assert view(batch).bytes_words.replace("\N{NO-BREAK SPACE}", " ") == "6.0 GB of about 6.0 GB"
    assert view(batch).percent == 100


def test_a_mailbox_larger_than_its_check_said_takes_no_time_off_the_others(batch: Batch) -> None:
    ended(batch)
    grown = running(batch, bytes_total=None, messages_total=None, bytes_done=3 * GB, minutes=30)
    Check.objects.create(job=grown, bytes=GB)
    queued(batch, size=2)
    assert view(batch).seconds_left == 20 * 60


def test_what_is_all_done_is_said_once(batch: Batch) -> None:
    ended(batch)
    assert view(batch).bytes_words == "1.0\N{NO-BREAK SPACE}GB"
    assert view(batch).percent is None


def test_a_batch_whose_jobs_are_not_made_yet_does_not_say_that_it_moves_nobody() -> None:
    preview = BatchFactory(state=BatchState.PREVIEW)
    assert view(preview).journey == "From a deleted server to a deleted server."


def test_nothing_is_said_about_bytes_while_nothing_is_known(batch: Batch) -> None:
    queued(batch)
    assert (view(batch).bytes_words, view(batch).percent, view(batch).seconds_left) == (
        "",
        None,
        None,
    )


def test_the_time_left_is_what_was_measured_times_what_is_left(batch: Batch) -> None:
    ended(batch)
    running(batch)
    for _ in range(4):
        queued(batch, size=1)
    assert view(batch).seconds_left == 45 * 60, "4.5 GB at 10 minutes each, one at a time"
    running(batch)
    assert view(batch).seconds_left == 25 * 60, "5 GB, two at a time"


def test_the_last_job_may_take_longer_than_the_mean_says(batch: Batch) -> None:
    for _ in range(20):
        ended(batch, minutes=0.5)
    running(batch, done=10, minutes=10)
    assert view(batch).seconds_left == 90 * 60


def test_dry_runs_take_as_long_as_those_that_ended(batch: Batch) -> None:
    ended(batch, dry_run=True, minutes=2, bytes_done=0)
    running(batch, dry_run=True, bytes_done=0, minutes=0.2)
    for _ in range(3):
        queued(batch, dry_run=True)
    assert view(batch).seconds_left == 7 * 60
    assert view(batch).counted == "1 of 5 compared"


@pytest.mark.parametrize(
    "facts", [{"state": State.QUEUED}, {"minutes": 0.2, "bytes_done": 0, "messages_done": 0}]
)
def test_there_is_no_time_left_where_that_would_be_a_guess(
    batch: Batch, facts: dict[str, Any]
) -> None:
    running(batch, **facts)
    queued(batch)
    assert view(batch).seconds_left is None


def test_hours_at_which_a_host_is_not_read_are_not_passed_over(
    admin_client: Client, batch: Batch
) -> None:
    ended(batch)
    running(batch)
    queued(batch, size=1)
    address = reverse("migrations:batch", args=[batch.pk])
    page = admin_client.get(address).content.decode()
    assert "about 15 min left" in page.replace("\N{NO-BREAK SPACE}", " ")
    before = view(batch).token
    hours = {"window_from": time(22), "window_to": time(6)}
    HostLimits.objects.create(host=batch.jobs.all()[0].source_host.lower(), **hours)
    HostLimits.objects.create(host="imap.other.example", **hours)
    page = admin_client.get(address).content.decode()
    host = batch.jobs.all()[0].source_host
    words = f"about 15 min of copying left. {host} is read from 22:00 to 06:00 only.<"
    assert words in page.replace("\N{NO-BREAK SPACE}", " ")
    assert view(batch).token != before


def test_a_paused_batch_has_no_time_left(batch: Batch) -> None:
    ended(batch)
    running(batch)
    batch.paused_at = timezone.now()
    batch.save()
    assert view(batch).seconds_left is None


def test_a_batch_whose_rest_waits_for_a_start_has_no_time_left(batch: Batch) -> None:
    ended(batch)
    running(batch)
    queued(batch, size=1)
    batch.start_at = timezone.now() + timedelta(hours=8)
    assert view(batch).seconds_left is None
    MigrationJob.objects.filter(state=State.QUEUED).delete()
    assert view(batch).seconds_left == 5 * 60


def test_the_rate_is_that_of_all_running_jobs_together(batch: Batch) -> None:
    running(batch)
    running(batch)
    assert view(batch).rate == pytest.approx(2 * GB / 600, rel=0.01)


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ([], "Ended"),
        ([State.DONE], "Done"),
        ([State.DONE, State.DONE_WITH_ERRORS], "Ended with errors"),
        ([State.DONE, State.DONE_WITH_ERRORS, State.FAILED], "Ended, some failed"),
        ([State.CANCELLED], "Ended"),
        ([State.CANCELLED, State.DONE], "Ended, some cancelled"),
        ([State.QUEUED, State.FAILED], "Waiting"),
        ([State.QUEUED, State.FAILED, State.RUNNING], "Running"),
    ],
)
def test_a_batch_stands_where_its_jobs_stand(batch: Batch, states: list[str], word: str) -> None:
    for state in states:
        ended(batch, state=state)
    assert view(batch).look.word == word
