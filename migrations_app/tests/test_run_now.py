"""A job that waits for its start or its next try, and whoever does not want to wait for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.selectors import view_of
from migrations_app.services import jobs as services
from migrations_app.tests.factories import BatchFactory, JobFactory, RunningJobFactory
from migrations_app.tests.pages import text_of, url
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

HOUR = timedelta(hours=1)
BUTTON = "Run now"


def waiting(**facts: Any) -> MigrationJob:
    """A job whose source was away an hour ago, and that is tried again in an hour."""
    now = timezone.now()
    values = {
        "state": State.QUEUED,
        "try_after": now + HOUR,
        "retries": 2,
        "ended_at": now - HOUR,
        "cause": "source_unreachable",
        "verdict": "No connection to the source.",
    }
    return JobFactory(**{**values, **facts})


@pytest.mark.parametrize("moment", ["start_at", "try_after"])
def test_what_waits_for_a_time_starts_at_once(moment: str) -> None:
    job = waiting(**{"try_after": None, moment: timezone.now() + HOUR})
    assert queue.claim("here") is None
    services.run_job_now(job=job)
    assert (job.start_at, job.try_after, job.verdict, job.cause) == (None, None, "", "")
    assert queue.claim("here") == job


def test_it_counts_no_further_try_and_none_less() -> None:
    job = waiting()
    services.run_job_now(job=job)
    assert job.retries == 2


@pytest.mark.parametrize(
    "facts",
    [
        {"try_after": None},
        {"try_after": timezone.now() - HOUR},
        {"state": State.FAILED},
        {"state": State.DONE, "try_after": None, "start_at": timezone.now() + HOUR},
        {"state": State.INTERRUPTED, "requeues": 9},
    ],
    ids=["no time", "past", "failed", "done", "given up"],
)
def test_what_waits_for_no_time_is_left_as_it_is(facts: dict[str, Any]) -> None:
    job = waiting(**facts)
    with pytest.raises(RefusedError, match="does not wait for a time"):
        services.run_job_now(job=job)
    job.refresh_from_db()
    assert job.verdict == "No connection to the source."


def test_a_running_job_is_left_as_it_is() -> None:
    job = RunningJobFactory(start_at=timezone.now() + HOUR)
    with pytest.raises(RefusedError):
        services.run_job_now(job=job)
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_it_stays_paused_with_its_batch() -> None:
    job = waiting(batch=BatchFactory(name="Staff", paused_at=timezone.now()))
    services.run_job_now(job=job)
    assert queue.claim("here") is None
    assert "“Staff” is paused" in view_of(job).waits_for


def test_the_page_offers_it_while_it_waits_and_says_when_it_starts(
    admin_client: Client, admin: User
) -> None:
    job = waiting()
    page = text_of(admin_client.get(url("detail", job.pk)))
    assert BUTTON in page
    assert url("now", job.pk) in page
    done = text_of(admin_client.post(url("now", job.pk), follow=True))
    assert "starts as soon as there is a place" in done
    assert url("now", job.pk) not in done
    entry = Entry.objects.get(action="job.hurried")
    assert (entry.target, entry.actor_id) == (job.name, admin.pk)
    assert list(entry.before) == ["try_after"]
    again = text_of(admin_client.post(url("now", job.pk), follow=True))
    assert "does not wait for a time" in again


def test_rows_offer_it_only_while_they_wait(admin_client: Client) -> None:
    late, soon = waiting(), waiting(try_after=None)
    page = text_of(admin_client.get(url("list")))
    assert url("now", late.pk) in page
    assert url("now", soon.pk) not in page


def test_a_row_that_comes_to_wait_is_told_so(admin_client: Client) -> None:
    """Even where nobody saw it run in between."""
    job = waiting(try_after=None)
    before = view_of(job).token
    MigrationJob.objects.filter(pk=job.pk).update(try_after=timezone.now() + HOUR, version=9)
    answer = admin_client.get(
        url("list_live"), {"known": f"{job.pk}:{before}"}, headers={"HX-Request": "true"}
    )
    assert url("now", job.pk) in text_of(answer)
    seen = {"seen": before, "log": "0"}
    answer = admin_client.get(url("live", job.pk), seen, headers={"HX-Request": "true"})
    assert url("now", job.pk) in text_of(answer)


def test_viewers_are_not_offered_it(viewer_client: Client) -> None:
    job = waiting()
    assert BUTTON not in text_of(viewer_client.get(url("detail", job.pk)))
    assert BUTTON not in text_of(viewer_client.get(url("list")))


@pytest.mark.parametrize("everything", ["", "1"], ids=["ticked", "all"])
def test_many_are_brought_forward(admin_client: Client, everything: str) -> None:
    jobs = [waiting(), waiting(), waiting(try_after=None, start_at=timezone.now() + HOUR)]
    other = JobFactory()
    ticked = [job.pk for job in jobs]
    data = {"action": "now", "selected": ticked, "everything": everything}
    page = text_of(admin_client.post(url("selected"), data, follow=True))
    assert "3 jobs brought forward." in page
    waits = MigrationJob.objects.filter(state=State.QUEUED, start_at=None, try_after=None)
    assert set(waits.values_list("pk", flat=True)) == set(ticked)
    other.refresh_from_db()
    assert other.state == State.DONE
    page = text_of(admin_client.post(url("selected"), data | {"everything": "1"}, follow=True))
    assert "None of these jobs waits for its start or its next try." in page
