"""Whoever takes addresses along is on record, with what they took."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.models import Entry
from migrations_app.models import BatchState
from migrations_app.tests.factories import BatchFactory, JobFactory
from migrations_app.tests.pages import url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


@pytest.mark.parametrize(
    ("name", "what", "kind"),
    [
        ("report_csv", "report", "CSV"),
        ("report_json", "report", "JSON"),
        ("losses_csv", "did not arrive", "CSV"),
    ],
)
def test_a_file_of_a_job_is_on_record(
    viewer_client: Client, name: str, what: str, kind: str
) -> None:
    job = JobFactory(name="Lea")
    assert viewer_client.get(url(name, job.pk)).status_code == 200
    entry = Entry.objects.get(action="job.exported")
    assert (entry.actor_name, entry.target) == ("Vera", "Lea")
    assert entry.after == {"what": what, "format": kind}


@pytest.mark.parametrize(
    ("name", "what", "kind"),
    [
        ("batch_report_csv", "report", "CSV"),
        ("batch_report_json", "report", "JSON"),
        ("batch_losses_csv", "did not arrive", "CSV"),
        ("batch_passwords_csv", "wrong passwords", "CSV"),
        ("batch_passwords_text", "wrong passwords", "text"),
        ("batch_lines", "lines of the file", "CSV"),
    ],
)
def test_a_file_of_a_batch_is_on_record(
    viewer_client: Client, name: str, what: str, kind: str
) -> None:
    batch = BatchFactory(name="Lindenhof", state=BatchState.ACTIVE)
    assert viewer_client.get(url(name, batch.pk)).status_code == 200
    entry = Entry.objects.get(action="migrations.exported")
    assert (entry.actor_name, entry.target) == ("Vera", "Lindenhof")
    assert entry.after == {"what": what, "format": kind}


@pytest.mark.parametrize("name", ["batch_passwords_csv", "batch_passwords_text"])
def test_nobody_takes_a_list_along_many_times_a_minute(
    viewer_client: Client, name: str, settings: Any
) -> None:
    settings.RATE_LIMITS = True
    batch = BatchFactory()
    answers = [viewer_client.get(url(name, batch.pk)).status_code for _ in range(21)]
    assert answers == [*[200] * 20, 429]


def test_who_only_reads_a_report_takes_nothing_along(viewer_client: Client) -> None:
    batch = BatchFactory()
    job = JobFactory(batch=batch)
    viewer_client.get(url("report", job.pk))
    viewer_client.get(url("batch_report", batch.pk))
    viewer_client.get(url("batch_passwords", batch.pk))
    assert not Entry.objects.exists()
