"""The list of people with a wrong password, and what they can be sent."""

from __future__ import annotations

import csv
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from migrations_app.models import Check, CheckState, State
from migrations_app.selectors import JobFilter, matching
from migrations_app.selectors.wrong_passwords import jobs_to_ask_about, wrong_passwords
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    BatchFactory,
    JobFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    """Lea's old password is wrong, Max's new one, Ida's was found by a check; Tom just failed."""
    batch = BatchFactory(name="March")
    facts = {"batch": batch, "state": State.FAILED}
    JobFactory(source_address="lea@old.example", cause="source_password", **facts)
    JobFactory(
        source_address="max@old.example",
        destination_address="max@new.example",
        cause="destination_password",
        **facts,
    )
    JobFactory(source_address="tom@old.example", cause="destination_full", **facts)
    ida = JobFactory(source_address="ida@old.example", batch=batch, state=State.QUEUED)
    Check.objects.create(
        job=ida, state=CheckState.PROBLEM, cause="sign_in_refused", checked_at=timezone.now()
    )
    return batch


def test_it_names_who_was_refused_and_by_which_server(batch):
    found = wrong_passwords(jobs_to_ask_about(batch))
    assert [(one.address, one.server, one.end_words) for one in found] == [
        ("ida@old.example", "imap.old.example", "Source or destination"),
        ("lea@old.example", "imap.old.example", "Source"),
        ("max@new.example", "imap.new.example", "Destination"),
    ]


def test_nobody_is_asked_for_what_they_did_not_give(batch):
    """An app password was the panel's own, and one that is erased was refused by no server."""
    made = {"uses_app_password": True, "destination_password": "", "cause": "destination_password"}
    batch.jobs.filter(source_address="max@old.example").update(**made)
    batch.jobs.filter(source_address="lea@old.example").update(cause="passwords_erased")
    assert [one.address for one in wrong_passwords(jobs_to_ask_about(batch))] == ["ida@old.example"]
    fits = matching(JobFilter(batch=batch.pk), action="retry")
    assert "max@old.example" in fits.values_list("source_address", flat=True)


def test_who_has_been_let_in_or_replaced_since_is_not_on_it(batch):
    lea, max_ = (batch.jobs.get(source_address=f"{name}@old.example") for name in ("lea", "max"))
    batch.jobs.filter(pk=lea.pk).update(state=State.DONE)
    batch.jobs.filter(pk=max_.pk).update(superseded_by=lea)
    assert [one.address for one in wrong_passwords(jobs_to_ask_about(batch))] == ["ida@old.example"]


def test_what_a_check_found_before_the_job_was_queued_again_is_history(batch):
    batch.jobs.filter(source_address="ida@old.example").update(queued_at=timezone.now())
    assert "ida@old.example" not in [
        one.address for one in wrong_passwords(jobs_to_ask_about(batch))
    ]


def test_the_batch_says_how_many_and_leads_to_them(batch, viewer_client):
    page = viewer_client.get(reverse("migrations:batch", args=[batch.pk])).text
    assert "3 mailboxes with a wrong password" in page
    assert reverse("migrations:batch_passwords", args=[batch.pk]) in page


def test_a_batch_without_any_does_not_speak_of_it(viewer_client):
    batch = BatchFactory()
    JobFactory(batch=batch)
    assert "wrong password" not in viewer_client.get(f"/migrations/batches/{batch.pk}/").text
    page = viewer_client.get(reverse("migrations:batch_passwords", args=[batch.pk])).text
    assert "No mailbox of this batch refused a password." in page


def test_the_page_has_a_letter_for_each_and_a_link_that_writes_it(batch, viewer_client):
    page = viewer_client.get(reverse("migrations:batch_passwords", args=[batch.pk])).text
    assert page.count("we are moving your mail and could not open") == 3
    (lea,) = (
        one for one in wrong_passwords(jobs_to_ask_about(batch)) if one.address.startswith("lea")
    )
    link = urlsplit(lea.mailto)
    assert (link.scheme, unquote(link.path)) == ("mailto", "lea@old.example")
    assert parse_qs(link.query)["body"] == [lea.letter.replace("\n", "\r\n")]


def test_a_login_name_that_is_no_address_gets_no_link(batch):
    batch.jobs.filter(source_address="lea@old.example").update(source_address="lea")
    assert [one.recipient for one in wrong_passwords(jobs_to_ask_about(batch))][1] == ""


def test_the_files_hold_addresses_and_servers_and_no_password(batch, viewer_client):
    table = viewer_client.get(reverse("migrations:batch_passwords_csv", args=[batch.pk]))
    rows = list(csv.reader(table.getvalue().decode("utf-8-sig").splitlines()))
    assert rows[0] == ["address", "server", "end", "mailbox"]
    assert rows[2][:3] == ["lea@old.example", "imap.old.example", "Source"]
    letters = viewer_client.get(reverse("migrations:batch_passwords_text", args=[batch.pk]))
    assert letters["Content-Disposition"].startswith("attachment")
    assert letters.text.count("Hello,") == 3
    for text in (letters.text, repr(rows)):
        assert SOURCE_PASSWORD not in text
        assert DESTINATION_PASSWORD not in text


def test_ten_times_as_many_cost_no_more_queries(
    batch, viewer_client, django_assert_max_num_queries
):
    for _ in range(30):
        JobFactory(batch=batch, state=State.FAILED, cause="source_password")
    for name in ("batch_passwords", "batch_passwords_csv", "batch_passwords_text"):
        with django_assert_max_num_queries(14):
            response = viewer_client.get(reverse(f"migrations:{name}", args=[batch.pk]))
            assert (response.getvalue() if response.streaming else response.content).count(
                b"@"
            ) > 30
