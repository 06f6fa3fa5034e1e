"""What people see of temporary app passwords: on the form, on their page, on the dashboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailboxes.tests.factories import MailboxFactory
from migrations_app.imap.report import Report
from migrations_app.models import MigrationJob, State, TemporaryPassword
from migrations_app.services import temporary_passwords as services
from migrations_app.tests.factories import JobFactory, RunningJobFactory, ServerFactory
from migrations_app.tests.pages import HTMX, job_data, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
LEA = "lea@new.example"
SECRET = "abcdefghijklmnopqrst"


@pytest.fixture
def purelymail_server(settings):
    settings.PURELYMAIL_IMAP_URL = "imaps://imap.purelymail.example:993"
    MailboxFactory(address=LEA)
    return ServerFactory(name="PurelyMail", host="imap.purelymail.example")


def passwordless(server, **changes):
    data = job_data(
        destination_server=server.pk,
        destination_address=LEA,
        destination_password="",
        uses_app_password="on",
    )
    return data | changes


def left(**facts) -> TemporaryPassword:
    """One whose run is over."""
    facts = {"made_at": timezone.now(), "secret": SECRET, "tries": 1, "problem": "No.", **facts}
    return TemporaryPassword.objects.create(job=JobFactory(), run=1, address=LEA, **facts)


def titles(client: Client) -> str:
    return text_of(client.get(reverse("dashboard:home"), headers=HTMX))


def test_a_job_needs_no_destination_password(admin_client, purelymail_server):
    response = admin_client.post(url("add"), passwordless(purelymail_server))
    assert response.status_code == 302
    job = MigrationJob.objects.get()
    assert job.uses_app_password
    assert not job.destination_password
    assert job.has_passwords
    assert "by a temporary app password" in text_of(admin_client.get(url("detail", job.pk)))


def test_what_was_typed_beside_it_is_not_stored(admin_client, purelymail_server):
    data = passwordless(purelymail_server, destination_password="typed-new")
    admin_client.post(url("add"), data)
    assert not MigrationJob.objects.get().destination_password


def test_without_it_the_password_is_asked_for(admin_client, purelymail_server):
    data = passwordless(purelymail_server)
    del data["uses_app_password"]
    response = admin_client.post(url("add"), data)
    assert response.status_code == 422
    assert "destination_password" in response.context["form"].errors


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"destination_address": "stranger@new.example"}, "destination_address"),
        ({"destination_server": None}, "destination_server"),
    ],
)
def test_only_our_own_mailboxes_at_purelymail_can_have_one(
    admin_client, purelymail_server, changes, field
):
    if "destination_server" in changes:
        changes = {"destination_server": ServerFactory().pk}
    response = admin_client.post(url("add"), passwordless(purelymail_server, **changes))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not MigrationJob.objects.exists()


def test_a_real_run_and_a_rerun_make_one_too(admin_client, purelymail_server):
    admin_client.post(url("add"), passwordless(purelymail_server))
    dry = MigrationJob.objects.get()
    MigrationJob.objects.update(state=State.DONE)
    admin_client.post(url("real", dry.pk))
    real = MigrationJob.objects.exclude(pk=dry.pk).get()
    assert real.uses_app_password
    MigrationJob.objects.update(state=State.FAILED)
    assert admin_client.post(url("rerun", real.pk)).status_code == 302
    real.refresh_from_db()
    assert real.state == State.QUEUED


def test_editing_it_away_asks_for_a_password(admin_client, purelymail_server):
    admin_client.post(url("add"), passwordless(purelymail_server))
    job = MigrationJob.objects.get()
    MigrationJob.objects.update(state=State.FAILED)
    data = passwordless(purelymail_server, source_password="")
    assert admin_client.post(url("edit", job.pk), data).status_code == 302
    MigrationJob.objects.update(state=State.FAILED)
    del data["uses_app_password"]
    assert admin_client.post(url("edit", job.pk), data).status_code == 422
    data["destination_password"] = "typed-new"
    assert admin_client.post(url("edit", job.pk), data).status_code == 302
    job.refresh_from_db()
    assert not job.uses_app_password
    assert job.destination_password.reveal() == "typed-new"


def test_the_login_test_tries_the_source_alone(admin_client, purelymail_server, monkeypatch):
    tried = []

    def try_logins(*, targets):
        tried.extend(targets)
        return [Report("imap.example", 993, ()) for _target in targets]

    monkeypatch.setattr("migrations_app.views.jobs.try_logins", try_logins)
    admin_client.post(url("add"), passwordless(purelymail_server, test="1"))
    assert tried == ["source"]


def test_erased_source_passwords_stop_it(purelymail_server):
    job = JobFactory(uses_app_password=True, destination_password="", source_password="")
    assert not job.has_passwords


@pytest.mark.parametrize("count", [1, 20])
def test_the_page_shows_what_is_left_behind(viewer_client, django_assert_max_num_queries, count):
    for _number in range(count):
        left(secret="", made_at=None, problem="PurelyMail did not answer.")
        left(problem="PurelyMail has a failure of its own.")
    viewer_client.get(url("temporary_passwords"))
    with django_assert_max_num_queries(6):
        page = text_of(viewer_client.get(url("temporary_passwords")))
    assert page.count("Nobody knows it") == count
    assert page.count("Not revoked yet") == count
    assert "a failure of its own" in page
    assert f"lists it as “{TemporaryPassword.objects.first().name}”" in page
    assert SECRET not in page
    assert "Removed at PurelyMail" not in page, "a viewer changes nothing"


def test_what_is_in_order_is_not_on_the_page(viewer_client):
    left(revoked_at=timezone.now())
    left(tries=0, problem="")
    running = TemporaryPassword(job=RunningJobFactory(), run=1, address=LEA)
    running.save()
    page = text_of(viewer_client.get(url("temporary_passwords")))
    assert "None is left behind" in page
    TemporaryPassword.objects.filter(pk=running.pk).update(
        asked_at=timezone.now() - timedelta(minutes=6)
    )
    assert "Nobody knows it" in text_of(viewer_client.get(url("temporary_passwords")))


def test_an_admin_settles_one(admin_client):
    row = left()
    assert "Removed at PurelyMail" in text_of(admin_client.get(url("temporary_passwords")))
    response = admin_client.post(url("temporary_password_settle", row.pk), follow=True)
    assert "is looked after" in text_of(response)
    row.refresh_from_db()
    assert row.revoked_at
    assert not row.secret
    assert not services.due().exists()


def test_the_dashboard_tells_of_a_lost_one_at_once_and_of_an_unrevoked_one_after_a_day(
    viewer_client,
):
    row = left(made_at=timezone.now() - timedelta(hours=23))
    assert "app password" not in titles(viewer_client)
    TemporaryPassword.objects.filter(pk=row.pk).update(made_at=timezone.now() - timedelta(hours=25))
    page = titles(viewer_client)
    assert f"A temporary app password of {LEA} could not be revoked for a day" in page
    assert "No. It is tried again by itself." in page
    MigrationJob.objects.update(run=1, ended_at=timezone.now())
    assert "app password" not in titles(viewer_client), "its run took a day"
    MigrationJob.objects.update(run=2)
    assert "could not be revoked for a day" in titles(viewer_client), "of an earlier run"
    MigrationJob.objects.update(run=1, ended_at=None)
    assert "could not be revoked for a day" in titles(viewer_client), "its job waits once more"
    MigrationJob.objects.all().delete()
    assert "could not be revoked for a day" in titles(viewer_client), "its job was deleted"
    TemporaryPassword.objects.all().delete()
    lost = left(secret="", made_at=None)
    assert "An app password that nobody knows may exist for" in titles(viewer_client)
    services.settle(password=lost)
    assert "nobody knows" not in titles(viewer_client)
