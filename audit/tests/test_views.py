from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from audit.services import audited, record

pytestmark = pytest.mark.django_db

URL = "/settings/audit/"


@pytest.fixture
def history(admin):
    record(Action.SERVER_CREATED, target="Old provider")
    record(Action.MAILBOX_CREATED, target="info@lindenhof.example")
    record(Action.SIGN_IN_FAILED, target="mara@lindenhof.example", refused="Wrong password.")
    with audited(
        Action.PERSON_CHANGED, target="Vera", before={"role": "viewer"}, after={"role": "admin"}
    ):
        pass


def page(client, **filters: str) -> str:
    return client.get(URL, filters).content.decode()


def test_a_viewer_reads_what_happened_newest_first(viewer_client, history):
    text = page(viewer_client)
    sentences = [
        "changed the role of Vera",
        "could not sign in as mara@lindenhof.example",
        "created the mailbox info@lindenhof.example",
        "added the server Old provider",
    ]
    assert sorted(sentences, key=text.index) == sentences
    assert "Refused" in text
    assert "Wrong password." in text


def test_a_row_unfolds_before_and_after(viewer_client, history):
    text = page(viewer_client, action=Action.PERSON_CHANGED)
    assert "<del>viewer</del> → admin" in text


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"actor": "SYS"}, 4),
        ({"actor": "nobody"}, 0),
        ({"action": "server.created"}, 1),
        ({"action": "made.up"}, 4),
        ({"target": "LINDENHOF"}, 2),
        ({"target": "lindenhof", "action": "mailbox.created"}, 1),
        ({"from": "2999-01-01"}, 0),
        ({"to": "2000-01-01"}, 0),
        ({"from": "2000-01-01", "to": "2999-01-01"}, 4),
        ({"from": "nonsense", "page": "many"}, 4),
        ({"from": "0001-01-01", "to": "9999-12-31"}, 4),
    ],
)
def test_filters_stand_in_the_address_and_nonsense_counts_as_none(
    viewer_client, history, filters, left
):
    assert page(viewer_client, **filters).count("<summary>") == left


def test_the_days_of_a_filter_are_whole_days(viewer_client, admin):
    for day in (1, 2, 3):
        Entry.objects.create(
            at=datetime(2026, 11, day, 23, 59, tzinfo=UTC),
            actor_name="Adam",
            action=Action.SERVER_CREATED,
            target=f"day {day}",
        )
    text = page(viewer_client, **{"from": "2026-11-02", "to": "2026-11-02"})
    assert "day 2" in text
    assert "day 1" not in text
    assert "day 3" not in text


def test_what_has_no_end_is_in_progress_then_interrupted(viewer_client, admin):
    now = timezone.now()
    for name, age in (("young", 1), ("old", 60)):
        Entry.objects.create(
            at=now - timedelta(minutes=age),
            actor_name="Adam",
            action=Action.MAILBOX_CREATED,
            target=name,
        )
    assert "In progress" in page(viewer_client, target="young")
    assert "Interrupted" in page(viewer_client, target="old")


def test_nothing_found_says_so_and_leads_back(viewer_client, history):
    text = page(viewer_client, actor="nobody")
    assert "No entry matches" in text
    assert "Clear the filters" in text


def test_fifty_a_page_at_a_constant_cost(viewer_client, admin, django_assert_num_queries):
    for number in range(10):
        record(Action.SERVER_CREATED, target=f"server {number}")
    viewer_client.get(URL)
    with CaptureQueriesContext(connection) as few:
        viewer_client.get(URL)
    for number in range(120):
        record(Action.SERVER_CREATED, target=f"more {number}")
    with django_assert_num_queries(len(few)):
        text = page(viewer_client)
    assert text.count("<summary>") == 50
    assert page(viewer_client, page="3", target="more").count("<summary>") == 20


def test_htmx_gets_the_table_alone(viewer_client, history):
    response = viewer_client.get(URL, headers={"hx-request": "true"})
    assert response.content.decode().strip().startswith('<div id="results">')


def test_hostile_names_are_shown_as_text(viewer_client, admin):
    record(Action.SERVER_CREATED, target="<script>alert(1)</script>", after={"<b>": "<i>"})
    text = page(viewer_client)
    assert "<script>alert" not in text
    assert "<i>" not in text


def test_strangers_are_sent_to_sign_in(client, owner):
    assert client.get(URL)["Location"] == "/accounts/login/?next=/settings/audit/"


def test_what_people_do_to_themselves_reads_like_a_sentence(viewer_client, admin):
    record(Action.PASSWORD_CHANGED)
    record(Action.PROFILE_CHANGED)
    text = page(viewer_client)
    assert "changed their own password" in text
    assert "changed their own account" in text
