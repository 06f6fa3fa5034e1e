"""What is done with jobs, one or many: asked first where something ends, refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from migrations_app.models import MigrationJob, State
from migrations_app.tests.factories import JobFactory, RunningJobFactory, ServerFactory
from migrations_app.tests.pages import HTMX, job_data, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_run_real_leads_to_the_new_job(admin_client: Client) -> None:
    dry = JobFactory(dry_run=True)
    response = admin_client.post(url("real", dry.pk))
    real = MigrationJob.objects.exclude(pk=dry.pk).get()
    assert response["Location"] == url("detail", real.pk)
    assert not real.dry_run


def test_cancel_asks_first_and_says_what_stays(admin_client: Client) -> None:
    job = JobFactory(state=State.QUEUED)
    page = text_of(admin_client.get(url("cancel", job.pk)))
    assert "What has been copied stays" in page
    dialog = text_of(admin_client.get(url("cancel", job.pk), headers=HTMX))
    assert "data-open-now" in dialog
    assert 'value="/migrations/?state=failed"' in dialog
    job.refresh_from_db()
    assert job.state == State.QUEUED
    response = admin_client.post(url("cancel", job.pk), {"next": "/migrations/?state=failed"})
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert response["Location"] == "/migrations/?state=failed"


def test_next_leads_nowhere_else(admin_client: Client) -> None:
    job = JobFactory(state=State.QUEUED)
    response = admin_client.post(url("cancel", job.pk), {"next": "https://evil.example/"})
    assert response["Location"] == url("detail", job.pk)


@pytest.mark.parametrize("name", ["real", "rerun"])
def test_a_get_starts_nothing(admin_client: Client, name: str) -> None:
    assert admin_client.get(url(name, JobFactory(dry_run=True).pk)).status_code == 405


def test_delete_asks_first(admin_client: Client) -> None:
    job = JobFactory()
    assert "No mail is touched" in text_of(admin_client.get(url("delete", job.pk)))
    assert MigrationJob.objects.exists()
    assert admin_client.post(url("delete", job.pk))["Location"] == url("list")
    assert not MigrationJob.objects.exists()


def test_passwords_are_erased_on_demand(admin_client: Client) -> None:
    job = JobFactory()
    admin_client.post(url("erase", job.pk))
    job.refresh_from_db()
    assert not job.has_passwords
    page = text_of(admin_client.get(url("detail", job.pk)))
    assert "asks for them again" in page
    assert url("rerun", job.pk) + '"' not in page.replace('action="' + url("rerun", job.pk), "")


@pytest.mark.parametrize("action", ["cancel", "delete"])
def test_an_action_on_many_asks_first_where_something_ends(
    admin_client: Client, action: str
) -> None:
    state = State.QUEUED if action == "cancel" else State.DONE
    jobs = [JobFactory(state=state) for _ in range(12)]
    data = {"action": action, "selected": [job.pk for job in jobs]}
    page = text_of(admin_client.post(url("selected"), data))
    assert "12 jobs?" in page
    assert "and 2 more" in page
    assert MigrationJob.objects.filter(state=state).count() == 12
    admin_client.post(url("selected"), data | {"confirmed": "1"})
    assert MigrationJob.objects.filter(state=state).count() == 0


def test_many_are_run_again_at_once(admin_client: Client) -> None:
    jobs = [JobFactory(state=State.FAILED), JobFactory(state=State.CANCELLED), RunningJobFactory()]
    data = {"action": "rerun", "selected": [job.pk for job in jobs], "next": url("list")}
    page = text_of(admin_client.post(url("selected"), data, follow=True))
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == 2
    assert "2 jobs queued again. 1 refused" in page


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"action": "format"}, 400),
        ({"action": "cancel", "selected": "x"}, 302),
        ({"action": "cancel", "selected": [str(number) for number in range(101)]}, 302),
        ({"action": "cancel", "selected": "12345"}, 302),
        ({"action": "cancel", "selected": "9" * 40}, 302),
    ],
)
def test_nonsense_on_many_is_refused(
    admin_client: Client, data: dict[str, Any], status: int
) -> None:
    assert admin_client.post(url("selected"), data).status_code == status


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        ("real", "is not a finished dry run"),
        ("rerun", "Cancel it first"),
        ("delete", "Cancel it first"),
        ("erase", "Cancel it first"),
    ],
)
def test_a_refused_action_comes_back_to_its_page_with_the_sentence(
    admin_client: Client, action: str, refusal: str
) -> None:
    job = RunningJobFactory()
    here = url("list") + "?state=running"
    response = admin_client.post(url(action, job.pk), {"next": here}, follow=True)
    assert response.redirect_chain == [(here, 302)]
    assert refusal in text_of(response)
    response = admin_client.post(url(action, job.pk), follow=True)
    assert response.redirect_chain == [(url("detail", job.pk), 302)]
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_a_lost_key_is_told_wherever_stored_passwords_are_opened(
    admin_client: Client, admin: User, settings: Any
) -> None:
    job = JobFactory(
        dry_run=True, source_server=ServerFactory(), destination_server=ServerFactory()
    )
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="]
    admin_client.force_login(admin)  # sessions are sealed with the lost key as well
    page = text_of(admin_client.post(url("real", job.pk), follow=True))
    assert "Put the lost key back" in page
    data = job_data(source_password="", destination_password="", test="1")
    assert "Put the lost key back" in text_of(admin_client.post(url("edit", job.pk), data))
    assert MigrationJob.objects.count() == 1


def test_an_action_on_a_job_deleted_meanwhile_comes_back_to_the_list(admin_client: Client) -> None:
    response = admin_client.post(url("rerun", 12345), {"next": url("list")}, follow=True)
    assert response.redirect_chain == [(url("list"), 302)]
    assert "deleted meanwhile" in text_of(response)
    assert admin_client.get(url("cancel", 12345)).status_code == 404
