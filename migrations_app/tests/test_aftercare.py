"""What becomes of a job whose run did not end well, and of the host that is to blame."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines.base import Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import EQUAL_FAILURES, RETRY_MINUTES
from migrations_app.models import Batch, BatchState, HostLimits, MigrationJob, State
from migrations_app.queueing import dispatch, queue
from migrations_app.running import logs
from migrations_app.selectors import hosts
from migrations_app.services import batch_control, limits
from migrations_app.tests.pages import text_of, url
from migrations_app.tests.queueing import make_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

UNTRUSTED = Verdict("failed", Cause.SOURCE_CERTIFICATE, "The certificate is not trusted.")
GONE = Verdict("failed", Cause.SOURCE_UNREACHABLE, "No connection to the source server.")
PASSWORD = Verdict("failed", Cause.SOURCE_PASSWORD, "The source server refused the sign-in.")
DONE = Verdict("done", None, "All there.")


@pytest.fixture(autouse=True)
def _many_at_a_time(settings: object) -> None:
    settings.MIGRATION_CONCURRENCY = 50


def run_once(job: MigrationJob, verdict: Verdict) -> MigrationJob:
    """Claim it as if its time had come, and end the run so."""
    MigrationJob.objects.filter(pk=job.pk, try_after__isnull=False).update(
        try_after=timezone.now() - timedelta(seconds=1)
    )
    claimed = queue.claim("a:1")
    assert claimed is not None
    assert claimed.pk == job.pk
    assert queue.finish(claimed, verdict, status=101)
    job.refresh_from_db()
    return job


def minutes_until(moment: object) -> int:
    return round((moment - timezone.now()).total_seconds() / 60)


def test_what_passes_is_tried_again_after_5_10_and_20_minutes_and_then_has_failed() -> None:
    job = make_job()
    for number, minutes in enumerate(RETRY_MINUTES, start=1):
        run_once(job, GONE)
        assert (job.state, job.retries, job.cause) == (State.QUEUED, number, GONE.cause)
        assert minutes_until(job.try_after) == minutes
        assert job.token is None
        assert queue.claim("a:1") is None, "its time has not come"
    run_once(job, GONE)
    assert job.state == State.FAILED
    assert job.verdict == f"{GONE.sentence} It was tried again three times, which did not help."
    assert job.try_after is None
    text = logs.tail(job).text
    assert "Tries again in 5 minutes, first of three." in text
    assert "Tries again in 20 minutes, last of three." in text


def test_what_did_not_arrive_is_tried_again_too() -> None:
    part = Verdict("done_with_errors", Cause.DESTINATION_THROTTLED, "3 messages not copied.")
    job = make_job()
    assert run_once(job, part).state == State.QUEUED
    assert run_once(job, DONE).state == State.DONE


@pytest.mark.parametrize(
    "cause", [Cause.SOURCE_PASSWORD, Cause.DESTINATION_FULL, Cause.SOURCE_CERTIFICATE, None]
)
def test_what_needs_a_person_fails_at_once(cause: Cause | None) -> None:
    job = run_once(make_job(), Verdict("failed", cause, "No."))
    assert (job.state, job.retries, job.try_after) == (State.FAILED, 0, None)


def test_an_app_password_made_for_the_run_is_made_anew_where_it_does_not_open_yet() -> None:
    refused = Verdict("failed", Cause.DESTINATION_PASSWORD, "Refused.")
    job = make_job(uses_app_password=True, destination_password="")
    assert [run_once(job, refused).state for _try in range(4)] == [State.QUEUED] * 3 + [
        State.FAILED
    ]
    assert "three times" in job.verdict
    assert run_once(make_job("b"), refused).state == State.FAILED


def test_a_used_up_day_goes_on_without_counting_as_a_failure() -> None:
    job = make_job()
    for _day in range(5):
        run_once(job, Verdict("failed", Cause.BUDGET_SPENT, "Used up."))
        assert (job.state, job.retries) == (State.QUEUED, 0)


def test_failures_of_other_days_do_not_add_up() -> None:
    job = make_job()
    run_once(job, GONE)
    assert run_once(job, GONE).retries == 2
    assert run_once(job, Verdict("failed", Cause.BUDGET_SPENT, "Used up.")).retries == 0
    assert run_once(job, GONE).retries == 1
    MigrationJob.objects.update(try_after=None, requeues=2)
    queue.release(queue.claim("a:1"), why="Its hours are over.")
    job.refresh_from_db()
    assert (job.retries, job.requeues) == (0, 0)


def test_a_person_who_queues_it_again_starts_the_count_anew() -> None:
    job = make_job()
    run_once(job, GONE)
    queue.cancel(job, by="Adam")
    queue.submit(job)
    assert (job.retries, job.try_after) == (0, None)
    assert run_once(job, GONE).retries == 1


def test_a_job_that_waits_for_its_next_try_is_cancelled_at_once() -> None:
    job = run_once(make_job(), GONE)
    queue.cancel(job, by="Adam")
    assert job.state == State.CANCELLED


def test_a_job_cancelled_while_it_failed_is_not_tried_again() -> None:
    job = make_job()
    claimed = queue.claim("a:1")
    queue.cancel(job, by="Adam")
    assert queue.finish(claimed, GONE)
    job.refresh_from_db()
    assert (job.state, job.retries) == (State.CANCELLED, 0)


def test_a_run_that_is_not_ours_any_more_changes_nothing() -> None:
    job = make_job()
    claimed = queue.claim("a:1")
    MigrationJob.objects.update(token=None)
    assert not queue.finish(claimed, GONE)
    job.refresh_from_db()
    assert (job.state, job.retries) == (State.RUNNING, 0)
    assert logs.tail(job).text == ""


@time_machine.travel("2026-11-21 14:00 +00:00", tick=False)
def test_the_pages_say_when_it_is_tried_again_and_for_which_time(admin_client: Client) -> None:
    job = make_job(
        verdict=GONE.sentence,
        cause=GONE.cause,
        retries=2,
        ended_at=timezone.now(),
        try_after=timezone.now() + timedelta(minutes=5),
    )
    for address in (url("detail", job.pk), url("list")):
        page = text_of(admin_client.get(address))
        assert GONE.sentence in page
        assert "Tries again at 14:05, second of three." in page
        assert "every 2s" in page


# The host


def batch_of(size: int, **facts: object) -> list[MigrationJob]:
    batch = Batch.objects.create(name="weekend", state=BatchState.ACTIVE)
    return [make_job(f"j{number}", batch=batch, **facts) for number in range(size)]


def closed(host: str) -> HostLimits | None:
    return HostLimits.objects.filter(host=host, closed_until__isnull=False).first()


def test_equal_failures_in_a_row_close_the_host_for_the_rest_of_the_batch() -> None:
    jobs = batch_of(EQUAL_FAILURES + 2, source_host="Old.example")
    for job in jobs[: EQUAL_FAILURES - 1]:
        run_once(job, UNTRUSTED)
        assert closed("old.example") is None
    run_once(jobs[EQUAL_FAILURES - 1], UNTRUSTED)
    row = closed("old.example")
    assert row
    assert minutes_until(row.closed_until) == 24 * 60
    assert row.closed_because == (
        "5 migrations in a row ended with the same cause: Source certificate not trusted."
    )
    assert queue.claim("a:1") is None
    assert "Source certificate not trusted" in dispatch.QueueView().reason(jobs[-1])


def test_what_time_may_cure_closes_it_for_an_hour() -> None:
    for job in batch_of(EQUAL_FAILURES):
        run_once(job, GONE)
    assert minutes_until(closed("old.example").closed_until) == 60


def test_the_tries_of_one_job_close_nothing() -> None:
    (job,) = batch_of(1)
    for _try in range(len(RETRY_MINUTES) + 1):
        run_once(job, GONE)
    assert closed("old.example") is None


def test_another_ending_in_between_keeps_the_host_open() -> None:
    for number, job in enumerate(batch_of(2 * EQUAL_FAILURES)):
        run_once(job, DONE if number % EQUAL_FAILURES == 2 else UNTRUSTED)
    assert closed("old.example") is None


@pytest.mark.parametrize("opened", ["by hand", "by time", "with its limits", "with nothing"])
def test_once_a_host_is_open_again_its_failures_are_counted_anew(opened: str) -> None:
    if opened == "with its limits":
        HostLimits.objects.create(host="old.example", at_once=50)
    jobs = batch_of(2 * EQUAL_FAILURES)
    for job in jobs[:EQUAL_FAILURES]:
        run_once(job, UNTRUSTED)
    if opened == "by hand":
        limits.open_host(limits=HostLimits.objects.get())
    elif opened.startswith("with"):
        limits.free_host(limits=HostLimits.objects.get())
    else:
        HostLimits.objects.update(closed_until=timezone.now())
    for job in jobs[EQUAL_FAILURES:-1]:
        run_once(job, UNTRUSTED)
    assert not hosts.closed_hosts()
    run_once(jobs[-1], UNTRUSTED)
    assert hosts.closed_hosts()


def test_what_still_runs_when_a_host_is_closed_does_not_close_it_for_longer() -> None:
    HostLimits.objects.create(host="old.example", at_once=EQUAL_FAILURES + 1)
    running = [queue.claim("a:1") for _ in batch_of(EQUAL_FAILURES + 1)]
    for job in running[:EQUAL_FAILURES]:
        queue.finish(job, UNTRUSTED)
    until = HostLimits.objects.get().closed_until
    queue.finish(running[-1], UNTRUSTED)
    assert HostLimits.objects.get().closed_until == until


def test_other_hosts_batches_and_cancelled_jobs_do_not_count() -> None:
    other = batch_of(EQUAL_FAILURES - 1)
    mine = batch_of(EQUAL_FAILURES)
    elsewhere = make_job("x", batch=mine[0].batch, source_host="other.example")
    alone = make_job("y")
    for job in (*other, *mine[1:], elsewhere, alone):
        MigrationJob.objects.filter(pk=job.pk).update(queued_at=timezone.now())
    MigrationJob.objects.filter(pk=mine[0].pk).update(queued_at=timezone.now())
    for job in (*other, *mine[1:], elsewhere, alone):
        run_once(job, UNTRUSTED)
    assert closed("old.example") is None
    queue.cancel(make_job("z", batch=mine[0].batch), by="Adam")
    run_once(mine[0], UNTRUSTED)
    assert closed("old.example")


def test_messages_and_full_mailboxes_close_no_host() -> None:
    for job in batch_of(EQUAL_FAILURES):
        run_once(job, Verdict("failed", Cause.DESTINATION_FULL, "Full."))
    assert not HostLimits.objects.filter(closed_until__isnull=False).exists()


@pytest.mark.parametrize("cause", [Cause.DESTINATION_UNREACHABLE, Cause.PURELYMAIL_SILENT])
def test_a_destination_that_is_down_spares_the_batch_as_well(cause: Cause) -> None:
    jobs = batch_of(EQUAL_FAILURES + 1)
    down = Verdict("failed", cause, "No connection to the destination.")
    for job in jobs[:-1]:
        run_once(job, down)
    assert closed("new.example")
    assert queue.claim("a:1") is None, "the last one waits, and so do those that failed"
    assert "new.example" in dispatch.QueueView().reason(jobs[-1])
    HostLimits.objects.update(closed_until=timezone.now())
    assert queue.claim("a:1").pk == jobs[-1].pk


# The batch


def held(job: MigrationJob) -> Batch:
    return Batch.objects.get(pk=job.batch_id)


@pytest.mark.parametrize(
    ("cause", "host"),
    [
        (Cause.SOURCE_PASSWORD, "Old.example"),
        (Cause.DESTINATION_PASSWORD, "New.example"),
    ],
)
def test_wrong_passwords_in_a_row_hold_back_their_batch_and_nobody_else(
    cause: Cause, host: str
) -> None:
    ends = {"source_host": "Old.example", "destination_host": "New.example"}
    jobs = batch_of(EQUAL_FAILURES + 1, **ends)
    for job in jobs[: EQUAL_FAILURES - 1]:
        run_once(job, Verdict("failed", cause, "No."))
        assert not held(job).is_held
    run_once(jobs[EQUAL_FAILURES - 1], Verdict("failed", cause, "No."))
    batch = held(jobs[0])
    assert (batch.held_host, minutes_until(batch.held_until)) == (host.lower(), 60)
    because = f"5 migrations in a row ended with the same cause: {cause.label}."
    assert batch.held_because == because
    assert not hosts.closed_hosts()
    assert queue.claim("a:1") is None
    waits = MigrationJob.objects.select_related("batch").get(pk=jobs[-1].pk)
    reason = dispatch.QueueView().reason(waits)
    assert f"“weekend” is held back at {host.lower()}. {because}" in reason
    for free in (make_job("single", **ends), *batch_of(1, **ends)):
        claimed = queue.claim("a:1")
        assert claimed.pk == free.pk


def test_a_held_batch_goes_on_with_other_hosts_and_when_its_hour_is_over() -> None:
    jobs = batch_of(EQUAL_FAILURES + 1)
    elsewhere = make_job("x", batch=jobs[0].batch, source_host="other.example")
    for job in jobs[:-1]:
        run_once(job, PASSWORD)
    assert queue.claim("a:1").pk == elsewhere.pk
    assert queue.claim("a:1") is None
    Batch.objects.update(held_until=timezone.now())
    assert dispatch.QueueView().reason(jobs[-1]) == ""
    assert queue.claim("a:1").pk == jobs[-1].pk


@pytest.mark.parametrize("by_hand", [True, False])
def test_once_a_batch_goes_on_its_wrong_passwords_are_counted_anew(by_hand: bool) -> None:
    jobs = batch_of(2 * EQUAL_FAILURES)
    for job in jobs[:EQUAL_FAILURES]:
        run_once(job, PASSWORD)
    if by_hand:
        batch_control.resume_batch(batch=held(jobs[0]))
    else:
        Batch.objects.update(held_until=timezone.now())
    for job in jobs[EQUAL_FAILURES:-1]:
        run_once(job, PASSWORD)
    assert not held(job).is_held
    run_once(jobs[-1], PASSWORD)
    assert held(job).is_held


def test_what_still_runs_when_a_batch_is_held_back_does_not_hold_it_for_longer() -> None:
    HostLimits.objects.create(host="old.example", at_once=EQUAL_FAILURES + 1)
    running = [queue.claim("a:1") for _ in batch_of(EQUAL_FAILURES + 1)]
    for job in running[:EQUAL_FAILURES]:
        queue.finish(job, PASSWORD)
    until = held(running[0]).held_until
    queue.finish(running[-1], PASSWORD)
    assert held(running[0]).held_until == until
    assert Entry.objects.filter(action="migrations.held").count() == 1


def test_the_page_of_a_batch_says_why_it_is_held_back_and_lets_it_go_on(
    admin_client: Client,
) -> None:
    jobs = batch_of(EQUAL_FAILURES + 1)
    for job in jobs[:-1]:
        run_once(job, PASSWORD)
    address = url("batch", jobs[0].batch_id)
    page = text_of(admin_client.get(address))
    assert "Nothing more of it starts with old.example before" in page
    assert "same cause: Wrong source password." in page
    resume = url("batch_resume", jobs[0].batch_id)
    assert resume in page
    page = text_of(admin_client.post(resume, follow=True))
    assert "Held back" not in page
    assert resume not in page
    assert "is not paused" in text_of(admin_client.post(resume, follow=True))
    assert queue.claim("a:1").pk == jobs[-1].pk
