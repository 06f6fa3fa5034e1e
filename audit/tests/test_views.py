from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from audit.services import audited, record
from purelymanage.core import paging
from purelymanage.core.context import Actor, acting_as

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


def test_moments_and_names_in_facts_are_written_for_people(viewer_client):
    with audited(
        Action.DOMAIN_CHANGED,
        target="x.example",
        after={"due_at": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "settings": {"a_b": True}},
    ):
        pass
    html = viewer_client.get(URL).content.decode()
    assert "4 March 2026, 05:06:07 UTC" in html
    assert "a b: yes" in html


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
        ({"result": "done"}, 3),
        ({"result": "refused"}, 1),
        ({"result": "interrupted"}, 0),
        ({"q": "lindenhof"}, 2),
        ({"q": "lindenhof mara"}, 1),
        ({"q": "system mara"}, 1),
        ({"q": '"added the server"'}, 0),
        ({"q": "target:lindenhof result:done"}, 1),
        ({"q": "action:server.created"}, 1),
        ({"q": "since:x"}, 4),
        ({"q": " ".join(f"w{number}" for number in range(250))}, 0),
        ({"target": "a%_"}, 0),
        ({"target": "lindenhof\x00"}, 2),
        ({"page": "9" * 400}, 4),
        ({"page": "-1", "unheard": "of"}, 4),
    ],
)
def test_filters_stand_in_the_address_and_nonsense_counts_as_none(
    viewer_client, history, filters, left
):
    assert page(viewer_client, **filters).count("<summary>") == left


def test_box_and_fields_show_what_was_asked_for(viewer_client, history):
    text = page(viewer_client, q="action:server.created old from:2026-01-01 actor:sys")
    assert 'value="actor:sys old"' in text
    assert '<option value="server.created" selected>Added the server …</option>' in text
    assert '<optgroup label="Mailboxes">' in text
    assert 'name="from" class="input" value="2026-01-01"' in text


def test_what_makes_no_sense_is_said_and_stays(viewer_client, history):
    text = page(viewer_client, q="since:x lindenhof")
    assert "“since:” is no filter." in text
    assert 'value="since:x lindenhof"' in text
    assert text.count("<summary>") == 2


def test_one_can_look_for_what_no_person_did(viewer_client, admin):
    with acting_as(Actor(kind="person", name="system of a down")):
        record(Action.SERVER_CREATED, target="by a person")
    with acting_as(Actor(kind="campaign", name="Summer move")):
        record(Action.JOB_CREATED, target="by a visitor")
    record(Action.COPY_REFRESHED)
    by_system = page(viewer_client, actor="System")
    assert "refreshed the local copy" in by_system
    assert by_system.count("<summary>") == 1
    for name in ("campaign", "Campaign link"):
        by_campaign = page(viewer_client, actor=name)
        assert "Campaign link:" in by_campaign
        assert "by a visitor" in by_campaign
        assert by_campaign.count("<summary>") == 1
    assert page(viewer_client, actor="summer").count("<summary>") == 1


@pytest.mark.parametrize("typed", ["lea@xn--bcher-kva.example", "lea@bücher.example", "LEA@BÜCHER"])
def test_a_target_is_found_in_either_form_of_its_domain(viewer_client, admin, typed):
    record(Action.MAILBOX_CREATED, target="lea@bücher.example")
    assert page(viewer_client, target=typed).count("<summary>") == 1


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
    assert page(viewer_client, result="in-progress").count("<summary>") == 1
    assert page(viewer_client, result="interrupted", target="old").count("<summary>") == 1


def test_a_migration_that_runs_for_hours_is_in_progress(viewer_client, admin):
    yesterday = timezone.now() - timedelta(days=1)
    Entry.objects.create(at=yesterday, actor_name="Adam", action=Action.JOB_STARTED, target="huge")
    assert page(viewer_client, result="in-progress").count("<summary>") == 1
    assert page(viewer_client, result="interrupted").count("<summary>") == 0


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


def test_pages_follow_the_filter_that_is_in_force(viewer_client, admin):
    for number in range(60):
        record(Action.SERVER_CREATED, target=f"server {number}")
    text = page(viewer_client, q="action:server.created server")
    assert 'href="/settings/audit/?action=server.created&amp;q=server&amp;page=2"' in text


def test_more_than_anybody_pages_through_is_not_counted(viewer_client, admin, monkeypatch):
    monkeypatch.setattr(paging, "CAP", 60)
    for number in range(61):
        record(Action.SERVER_CREATED, target=f"server {number}")
    text = page(viewer_client, page="99", q="server")
    assert "51\N{EN DASH}60 of more than 60" in text
    assert "More than 60 entries" in " ".join(text.split())
    assert "of more than" not in page(viewer_client, q="server target:5")


HTMX = {"hx-request": "true"}


def test_typing_gets_the_table_and_what_follows_it(viewer_client, history):
    response = viewer_client.get(URL, {"q": "result:refused mara", "action": ""}, headers=HTMX)
    text = response.content.decode()
    assert "<html" not in text
    assert text.count("<summary>") == 1
    assert response.headers["HX-Push-Url"] == f"{URL}?result=refused&q=mara"
    assert '<option value="refused" selected>' in text  # the fields follow the box
    assert 'id="box"' not in text  # which keeps its caret
    assert "export/csv/?result=refused&amp;q=mara" in text
    assert "1 entry" in text


def test_changing_a_field_wins_over_the_box_which_follows(viewer_client, history):
    headers = HTMX | {"hx-trigger": "fields"}
    query = {"q": "result:refused lindenhof", "result": "done"}
    response = viewer_client.get(URL, query, headers=headers)
    text = response.content.decode()
    assert response.headers["HX-Push-Url"] == f"{URL}?result=done&q=lindenhof"
    assert 'value="lindenhof"' in text
    assert 'id="fields"' not in text


def test_an_entry_has_an_address_of_its_own(viewer_client, history):
    entry = Entry.objects.get(action=Action.SIGN_IN_FAILED)
    url = f"{URL}{entry.pk}/"
    assert url in page(viewer_client, target="mara")
    text = viewer_client.get(url).content.decode()
    assert "could not sign in as mara@lindenhof.example" in text
    assert "Wrong password." in text
    for nobody in ("0", "999999", "9" * 40):
        assert viewer_client.get(f"{URL}{nobody}/").status_code == 404


def test_hostile_names_are_shown_as_text(viewer_client, admin):
    record(Action.SERVER_CREATED, target="<script>alert(1)</script>", after={"<b>": "<i>"})
    text = page(viewer_client)
    assert "<script>alert" not in text
    assert "<i>" not in text


@pytest.mark.parametrize("below", ["", "1/", "export/csv/", "export/json/"])
def test_strangers_are_sent_to_sign_in(client, owner, below):
    assert client.get(URL + below)["Location"] == f"/accounts/login/?next={URL}{below}"


def test_what_people_do_to_themselves_reads_like_a_sentence(viewer_client, admin):
    record(Action.PASSWORD_CHANGED)
    record(Action.PROFILE_CHANGED)
    text = page(viewer_client)
    assert "changed their own password" in text
    assert "changed their own account" in text
