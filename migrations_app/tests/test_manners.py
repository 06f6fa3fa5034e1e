"""How gently source hosts are treated, and what waits because of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines.plan import Options
from migrations_app.models import (
    Batch,
    BatchState,
    HostLimits,
    HostUse,
    Limits,
    MigrationJob,
    State,
)
from migrations_app.queueing import dispatch, manners, queue
from migrations_app.running import start
from migrations_app.tests.queueing import make_job
from purelymanage.jobs.models import WorkerHost

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _many_at_a_time(settings: Any) -> None:
    settings.MIGRATION_CONCURRENCY = 64


def names() -> list[str]:
    """The jobs that may start now."""
    return [job.name for job in dispatch.eligible()]


def reason(job: MigrationJob) -> str:
    return dispatch.QueueView().reason(job)


def limit(host: str = "old.example", **facts: Any) -> HostLimits:
    return HostLimits.objects.create(host=host, **facts)


def pause(job: MigrationJob) -> None:
    job.batch = Batch.objects.create(
        name="Friday", state=BatchState.ACTIVE, created_by_name="Adam", paused_at=timezone.now()
    )
    job.save()


def start_later(job: MigrationJob) -> None:
    job.start_at = timezone.now() + HOUR
    job.save()


def try_later(job: MigrationJob) -> None:
    job.try_after = timezone.now() + HOUR
    job.save()


def close(job: MigrationJob) -> None:
    manners.close(job.source_host, "Five jobs in a row were throttled.", timezone.now() + HOUR)


def use_up(job: MigrationJob) -> None:
    limit(bytes_per_day=1000)
    manners.count_use(make_job(state=State.DONE, source_address="b@old.example"), 1000)


def use_up_mailbox(job: MigrationJob) -> None:
    limit(bytes_per_day=1000, per_mailbox=True)
    make_job("free", source_address="b@old.example", source_host="old.example")
    manners.count_use(job, 1000)


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (pause, "the batch “Friday” is paused"),
        (start_later, "Starts at "),
        (try_later, "Tries again at "),
        (close, "old.example is closed. Five jobs in a row were throttled."),
        (use_up, "the 1\N{NO-BREAK SPACE}kB a day from old.example are used up"),
        (use_up_mailbox, "the 1\N{NO-BREAK SPACE}kB a day from anna@old.example are used up"),
    ],
)
@pytest.mark.parametrize("state", [State.QUEUED, State.INTERRUPTED])
def test_what_waits_is_not_claimed_and_says_what_for(
    keep: Callable[[MigrationJob], None], words: str, state: str
) -> None:
    facts = {"source_host": "Old.Example", "source_address": "Anna@old.example"}
    job = make_job("waits", state=state, **facts)
    assert reason(job) == ""
    keep(job)
    if not names():
        make_job("free", source_host="other.example")
    assert names() == ["free"]
    assert words in reason(job)
    claimed = queue.claim("a:1")
    assert claimed is not None
    assert claimed.name == "free"
    assert queue.claim("a:1") is None


def test_moments_that_have_passed_keep_nobody() -> None:
    past = timezone.now() - HOUR
    job = make_job(start_at=past, try_after=past)
    limit(closed_until=past, closed_because="It was too much.", bytes_per_day=1000)
    HostUse.objects.create(host="old.example", day=past.date() - timedelta(days=2), bytes=5000)
    assert names() == ["job"]
    assert reason(job) == ""


def test_of_two_moments_the_later_one_is_told() -> None:
    now = timezone.now()
    job = make_job(start_at=now + HOUR, try_after=now + 2 * HOUR)
    assert reason(job).startswith("Tries again")
    limit(closed_until=now + 3 * HOUR, closed_because="So.", bytes_per_day=0)
    free = make_job("free")
    end_of_day = manners.end_of_day(now)
    assert ("closed" in reason(free)) == (now + 3 * HOUR > end_of_day)


def test_a_host_has_its_own_number_of_places() -> None:
    job = make_job("second")
    make_job("first", state=State.RUNNING)
    make_job("other", source_host="other.example", state=State.RUNNING)
    assert names() == ["second"]
    own = limit(at_once=1)
    assert names() == []
    assert "the job that reads from old.example ends" in reason(job)
    general = dispatch.limits()
    general.per_source_host = 1
    general.save()
    own.at_once = 2
    own.save()
    assert names() == ["second"]


# Workers


def test_a_job_says_that_no_worker_is_free() -> None:
    now = timezone.now()
    job = make_job()
    host = WorkerHost.objects.create(name="a:1", started_at=now, seen_at=now, capacity=1)
    WorkerHost.objects.create(name="gone:1", started_at=now, seen_at=now - HOUR, capacity=9)
    assert reason(job) == ""
    running = make_job("running", source_host="other.example", state=State.RUNNING, owner="a:1")
    assert reason(job) == "Waits until the one worker is free."
    running.delete()
    host.drained_at = now
    host.save()
    assert reason(job) == "Waits until a worker host takes jobs again: all are drained."


# Bandwidth


def test_a_hosts_bandwidth_is_shared_out_among_those_that_may_run() -> None:
    limit(bytes_per_second=1000, at_once=3)
    for number in range(4):
        make_job(f"j{number}")
    make_job("other", source_host="other.example")
    claimed = [queue.claim("a:1") for _ in range(5)]
    given = [(job.name, job.bandwidth) if job else None for job in claimed]
    assert given == [("j0", 333), ("j1", 333), ("j2", 333), ("other", None), None]


def test_what_is_given_out_is_never_more_than_a_host_allows_though_limits_change() -> None:
    row = limit(bytes_per_second=1000, at_once=2)
    jobs = [make_job(f"j{number}") for number in range(4)]
    running = [queue.claim("a:1"), queue.claim("a:1")]
    row.at_once = 4
    row.save()
    assert queue.claim("a:1") is None
    assert "they have its bandwidth" in reason(jobs[2])
    assert running[0] is not None
    queue.release(running[0])
    for bandwidth in (250, 250):
        claimed = queue.claim("a:1")
        assert claimed is not None
        assert claimed.bandwidth == bandwidth
    assert queue.claim("a:1") is None


def test_fewer_places_in_all_mean_larger_parts() -> None:
    dispatch.limits()
    Limits.objects.update(concurrency=2, per_source_host=10)
    limit(bytes_per_second=1000)
    make_job()
    claimed = queue.claim("a:1")
    assert claimed is not None
    assert claimed.bandwidth == 500


def test_a_bandwidth_for_each_mailbox_is_not_shared() -> None:
    limit(bytes_per_second=1000, at_once=2, per_mailbox=True)
    make_job("a", bandwidth=1000, state=State.RUNNING)
    make_job("b")
    claimed = queue.claim("a:1")
    assert claimed is not None
    assert claimed.bandwidth == 1000


@pytest.mark.parametrize(
    ("chosen", "given", "speed"),
    [(None, None, None), (500, None, 500), (None, 300, 300), (500, 300, 300), (200, 300, 200)],
)
def test_a_run_takes_the_smaller_of_both_speeds(
    chosen: int | None, given: int | None, speed: int | None
) -> None:
    job = make_job(bandwidth=given, options=Options(bytes_per_second=chosen).as_json())
    assert start.plan_of(job).options.bytes_per_second == speed


# Hours


@pytest.mark.parametrize(
    ("zone", "begin", "end", "now", "opens"),
    [
        # by day
        ("UTC", "08:00", "18:00", "2026-11-20T07:59", "2026-11-20T08:00"),
        ("UTC", "08:00", "18:00", "2026-11-20T08:00", None),
        ("UTC", "08:00", "18:00", "2026-11-20T18:00", "2026-11-21T08:00"),
        # over midnight, by the panel's clock
        ("Europe/Paris", "22:00", "06:00", "2026-11-20T20:59", "2026-11-20T21:00"),
        ("Europe/Paris", "22:00", "06:00", "2026-11-20T23:30", None),
        ("Europe/Paris", "22:00", "06:00", "2026-11-21T04:59", None),
        ("Europe/Paris", "22:00", "06:00", "2026-11-21T05:00", "2026-11-21T21:00"),
        # the night of 29 March has no hour from 2 to 3: it begins when the hour is over
        ("Europe/Paris", "22:00", "06:00", "2026-03-29T03:59", None),
        ("Europe/Paris", "22:00", "06:00", "2026-03-29T04:00", "2026-03-29T20:00"),
        ("Europe/Paris", "02:30", "05:00", "2026-03-29T00:59", "2026-03-29T01:30"),
        ("Europe/Paris", "02:30", "05:00", "2026-03-29T01:30", None),
        # the night of 25 October has it twice: one stretch, which ends at the first 2:30
        ("Europe/Paris", "22:00", "02:30", "2026-10-25T00:29", None),
        ("Europe/Paris", "22:00", "02:30", "2026-10-25T00:30", "2026-10-25T21:00"),
        ("Europe/Paris", "22:00", "02:30", "2026-10-25T01:10", "2026-10-25T21:00"),
        ("Europe/Paris", "02:30", "05:00", "2026-10-25T01:10", None),
        ("Europe/Paris", "02:30", "05:00", "2026-10-25T04:00", "2026-10-26T01:30"),
        # no hours, or all of them
        ("UTC", None, None, "2026-11-20T07:59", None),
        ("UTC", "08:00", "08:00", "2026-11-20T07:59", None),
    ],
)
def test_hours_are_by_the_panels_clock(
    settings: Any, zone: str, begin: str, end: str, now: str, opens: str | None
) -> None:
    settings.TIME_ZONE = zone
    found = manners.next_opening(
        time.fromisoformat(begin) if begin else None,
        time.fromisoformat(end) if end else None,
        datetime.fromisoformat(now).replace(tzinfo=UTC),
    )
    assert found == (datetime.fromisoformat(opens).replace(tzinfo=UTC) if opens else None)


def test_out_of_its_hours_a_host_is_left_alone() -> None:
    now = timezone.now()
    limit(window_from=time(22), window_to=time(6))
    with time_machine.travel(now.replace(hour=12), tick=False):
        job = make_job()
        assert names() == []
        assert reason(job) == "Waits until 22:00: old.example is read from 22:00 to 06:00 only."
    with time_machine.travel(now.replace(hour=23), tick=False):
        assert names() == ["job"]
        assert reason(job) == ""


# The day's budget


def test_use_is_counted_by_day_and_forgotten_after_a_month() -> None:
    today = manners.day_of(timezone.now())
    for days in (29, 31):
        HostUse.objects.create(host="x.example", day=today - timedelta(days=days), bytes=1)
    one, other = make_job(source_host="Old.example"), make_job(source_address="Other@old.example")
    manners.count_use(one, 5)
    manners.count_use(one, 7)
    manners.count_use(other, 1)
    limit(bytes_per_day=20)
    assert manners.hosts_with_use(today).get().used == 13
    assert manners.budget_of(other) == 7
    HostLimits.objects.update(per_mailbox=True)
    assert manners.budget_of(other) == 19
    assert manners.budget_of(one) == 8
    HostLimits.objects.update(bytes_per_day=0)
    assert manners.budget_of(one) == 1, "no engine takes 0 for a limit"
    manners.forget_old_use()
    assert HostUse.objects.filter(host="x.example").count() == 1


@pytest.mark.parametrize("address", ["ÄNNA@old.example", "Änna@Old.example", "ANNA@old.example"])
def test_capitals_of_any_alphabet_count_for_the_budget_of_their_mailbox(address: str) -> None:
    job = make_job(source_host="Old.example", source_address=address)
    limit(bytes_per_day=1000, per_mailbox=True)
    manners.count_use(job, 400)
    assert manners.budget_of(job) == 600
    manners.count_use(job, 600)
    assert manners.budget_of(job) == 1
    assert manners.has_to_rest(job)
    assert names() == []
    assert f"a day from {address.lower()} are used up" in reason(job)


# Closing


def test_a_host_is_closed_once_and_for_the_longest_time() -> None:
    now = timezone.now()
    manners.close("Old.example", "Throttled.", now + 2 * HOUR)
    manners.close("old.example", "Again.", now + HOUR)
    row = HostLimits.objects.get()
    assert (row.host, row.closed_until) == ("old.example", now + 2 * HOUR)
    assert row.closed_because == "Throttled."
    manners.close("old.example", "Longer.", now + 3 * HOUR)
    entries = Entry.objects.filter(action="host.closed", target="old.example")
    assert entries.count() == 2
    assert {entry.actor_name for entry in entries} == {"system"}


def test_a_host_that_has_limits_keeps_them_when_it_is_closed() -> None:
    limit(at_once=3)
    manners.close("old.example", "Throttled.", timezone.now() + HOUR)
    assert HostLimits.objects.get().at_once == 3
