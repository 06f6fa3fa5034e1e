"""What a job's row and page say about how far it is."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app import selectors
from migrations_app.models import Limits, State
from migrations_app.queueing import dispatch
from migrations_app.tests.factories import JobFactory, RunningJobFactory

pytestmark = pytest.mark.django_db


def limit(**caps: int) -> None:
    dispatch.limits()
    Limits.objects.update(**{"concurrency": 64, "per_source_host": 64, **caps})


def test_a_waiting_job_names_the_job_that_writes_to_its_mailbox(viewer_client: Client) -> None:
    limit()
    RunningJobFactory(name="First", destination_address="Anna@new.example")
    waits = JobFactory(state=State.QUEUED, destination_address="anna@NEW.example")
    sentence = "Number 1 in the queue. Waits for “First”, which writes to the same mailbox."
    for name, args in (("list", []), ("detail", [waits.pk])):
        page = viewer_client.get(reverse(f"migrations:{name}", args=args)).content.decode()
        assert sentence in page


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        ({"concurrency": 1}, "Waits until the running job ends: one runs at a time."),
        ({"per_source_host": 1}, "Waits until the job that reads from imap.old.example ends"),
        ({}, ""),
    ],
)
def test_a_waiting_job_names_the_limit_that_holds_it(caps: dict[str, int], words: str) -> None:
    limit(**caps)
    RunningJobFactory()
    waits = JobFactory(state=State.QUEUED)
    before = selectors.view_of(waits)
    assert (words in before.waits_for) if words else before.waits_for == ""
    limit()
    assert (selectors.view_of(waits).token == before.token) == (not words)
