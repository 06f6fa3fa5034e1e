"""The form of a job: what is kept of what was typed, and the test of both logins."""

from __future__ import annotations

import pytest
from django.test import Client

from migrations_app.models import MigrationJob, State
from migrations_app.tests.dovecot import Pair
from migrations_app.tests.factories import (
    SOURCE_PASSWORD,
    JobFactory,
    RunningJobFactory,
    ServerFactory,
)
from migrations_app.tests.pages import HTMX, job_data, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_a_job_is_made_by_a_plain_post(admin_client: Client) -> None:
    response = admin_client.post(url("add"), job_data())
    job = MigrationJob.objects.get()
    assert response.status_code == 302
    assert response["Location"] == url("detail", job.pk)
    assert (job.state, job.dry_run) == (State.QUEUED, True)
    assert job.source_password.reveal() == "typed-old"


@pytest.mark.parametrize(
    "changes",
    [
        {"destination_address": ""},
        {"source_address": "x" * 5000},
        {"source_address": "a\r\nb"},
        {"name": "y" * 5000},
        {"source_server": "0"},
        {"max_age_days": "-5"},
    ],
)
def test_a_refused_form_keeps_what_was_typed_but_no_password(
    admin_client: Client, changes: dict[str, str]
) -> None:
    response = admin_client.post(url("add"), job_data(**changes))
    page = text_of(response)
    assert response.status_code == 422
    assert "anna@" in page
    assert "typed-old" not in page
    assert "typed-new" not in page
    assert "Type them again" in page
    assert not MigrationJob.objects.exists()


def test_a_refusal_of_the_service_stands_beside_its_field(admin_client: Client) -> None:
    server = ServerFactory().pk
    same = {"source_server": server, "destination_server": server, "destination_address": "a"}
    response = admin_client.post(url("add"), job_data(source_address="a", **same))
    assert response.status_code == 422
    assert "the same mailbox" in str(response.context["form"].errors["destination_address"])


@pytest.mark.parametrize("odd", ["-oops", '"><script>alert(1)</script>', "it's", "--delete2"])
def test_odd_input_is_stored_and_shown_harmlessly(admin_client: Client, odd: str) -> None:
    changes = {"name": odd, "source_address": odd, "destination_address": f"{odd}2"}
    admin_client.post(url("add"), job_data(source_password=odd, **changes))
    job = MigrationJob.objects.get()
    assert (job.name, job.source_address, job.source_password.reveal()) == (odd, odd, odd)
    for address in (url("list"), url("detail", job.pk), url("cancel", job.pk)):
        assert "<script>alert" not in text_of(admin_client.get(address))
    assert text_of(admin_client.get(url("log", job.pk))) == ""


def test_edit_and_rerun_keeps_stored_passwords(admin_client: Client) -> None:
    job = JobFactory(state=State.FAILED, source_server=ServerFactory())
    page = text_of(admin_client.get(url("edit", job.pk)))
    assert "Leave empty to keep the stored password." in page
    data = job_data(source_password="", destination_password="")
    assert admin_client.post(url("edit", job.pk), data).status_code == 302
    job.refresh_from_db()
    assert (job.state, job.source_address) == (State.QUEUED, "anna@old.example")
    assert job.source_password.reveal() == SOURCE_PASSWORD


def test_a_busy_job_is_not_offered_for_editing(admin_client: Client) -> None:
    job = RunningJobFactory()
    response = admin_client.get(url("edit", job.pk), follow=True)
    assert response.redirect_chain == [(url("detail", job.pk), 302)]
    assert "Cancel it before you edit it" in text_of(response)


@pytest.mark.imap
def test_both_logins_are_tried_with_what_was_typed_or_is_stored(
    admin_client: Client, imap_pair: Pair
) -> None:
    user = imap_pair.source.add_user("both@old.example", SOURCE_PASSWORD)
    imap_pair.destination.add_user(user, "right")
    ends = {
        side: ServerFactory(host="127.0.0.1", port=server.port_tls)
        for side, server in (("source", imap_pair.source), ("destination", imap_pair.destination))
    }
    job = JobFactory(source_server=ends["source"], destination_server=ends["destination"])
    data = {f"{side}_server": server.pk for side, server in ends.items()}
    data |= {"source_address": user, "destination_address": user, "test": "1"}
    data |= {"source_password": "", "destination_password": "wrong-secret"}
    page = text_of(admin_client.post(url("edit", job.pk), data, headers=HTMX))
    assert page.count("Signed in as both@old.example.") == 1
    assert page.count("refused this address or password") == 1
    assert "wrong-secret" not in page
    assert SOURCE_PASSWORD not in page
    assert MigrationJob.objects.get().state == State.DONE


def test_both_logins_are_tried_without_script_too(admin_client: Client) -> None:
    here = ServerFactory(host="127.0.0.1", port=9, security="none").pk
    data = job_data(source_server=here, destination_server=here, test="1")
    page = text_of(admin_client.post(url("add"), data))
    assert "<html" in page
    assert page.count("refused the connection") == 2
    assert "anna@new.example" in page
    assert "typed-old" not in page
    assert "Type them again" in page
    assert not MigrationJob.objects.exists()


def test_testing_an_incomplete_form_says_what_is_missing(admin_client: Client) -> None:
    data = job_data(test="1", source_password="")
    response = admin_client.post(url("add"), data, headers=HTMX)
    assert response.status_code == 422
    assert "Source password" in text_of(response)
    assert not MigrationJob.objects.exists()
