"""The list of mailboxes, and what leaves it as CSV."""

from __future__ import annotations

import csv
import io

import factory
import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains.tests.factories import DomainFactory, SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import ADD, DOMAIN, HTMX, LEA, LIST, page
from migrations_app.models import State
from migrations_app.tests.factories import JobFactory
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.services import schedule_deletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db


def test_the_list_shows_the_copy_without_a_call(viewer_client, purelymail):
    SyncStateFactory()
    mailbox = MailboxFactory(address=f"mara@{DOMAIN}")
    html = page(viewer_client.get(LIST))
    assert reverse("mailboxes:detail", args=[mailbox.pk]) in html
    assert f'data-copy="mara@{DOMAIN}"' in html
    assert "1 address with storage" in html
    assert "Synced" in html
    assert not purelymail.calls


@pytest.mark.parametrize("rows", [10, 500])
def test_the_list_costs_the_same_with_any_number_of_rows(
    viewer_client, django_assert_max_num_queries, rows
):
    SyncStateFactory()
    MailboxFactory.create_batch(rows)
    RoutingRuleFactory.create_batch(20)
    viewer_client.get(LIST)
    with django_assert_max_num_queries(12):
        html = page(viewer_client.get(LIST))
    assert html.count("data-copy=") == min(rows, 50)


def test_search_finds_substrings_in_any_case_and_says_how_many(viewer_client):
    for name in ("Hotel".lower(), "grandhotel", "kitchen"):
        MailboxFactory(address=f"{name}@{DOMAIN}")
    response = viewer_client.get(LIST, {"q": "HOTEL"})
    assert [m.address for m in response.context["page"]] == [
        f"grandhotel@{DOMAIN}",
        f"hotel@{DOMAIN}",
    ]
    assert "2 of 3" in page(response)


def test_filter_sort_and_page_stand_in_the_url(viewer_client):
    MailboxFactory.create_batch(60)
    MailboxFactory.create_batch(3, address=factory.Sequence("clerk-{}@shop.example".format))
    response = viewer_client.get(LIST, {"domain": DOMAIN, "sort": "-address", "page": "2"})
    assert len(response.context["page"]) == 10
    assert response.context["page"][0].address > response.context["page"][9].address
    html = page(response)
    assert f"domain={DOMAIN}" in html
    assert "sort=-address" in html


def test_typing_gets_only_the_rows_and_the_new_address(viewer_client):
    MailboxFactory(address=f"mara@{DOMAIN}")
    response = viewer_client.get(LIST, {"q": "mar", "domain": "", "page": "1"}, headers=HTMX)
    html = page(response)
    assert response.headers["HX-Push-Url"] == "/mailboxes/?q=mar"
    assert "HX-Request" in response.headers["Vary"]
    assert "<html" not in html
    assert "1 of 1" in html
    again = HTMX | {"HX-Current-URL": "http://testserver/mailboxes/?q=mar"}
    assert "HX-Push-Url" not in viewer_client.get(LIST, {"q": "mar"}, headers=again).headers


def test_back_gets_the_whole_page(viewer_client):
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    html = page(viewer_client.get(LIST, {"q": "mar"}, headers=headers))
    assert "<html" in html
    assert 'value="mar"' in html


@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 5000},
        {"q": "nul\x00 and \x1b escape"},
        {"q": "%_\\'\";--"},
        {"q": "<script>alert(1)</script>"},
        {"domain": "nul\x00"},
        {"domain": "never.example"},
        {"sort": "password"},
        {"sort": "--address"},
        {"page": "-3"},
        {"page": "9" * 400},
        {"page": "x"},
    ],
)
def test_nonsense_in_the_url_is_survived(viewer_client, query):
    MailboxFactory()
    response = viewer_client.get(LIST, query)
    assert response.status_code == 200
    assert "<script>alert" not in page(response)


def test_wildcards_are_letters_like_any_other(viewer_client):
    MailboxFactory(address=f"a_b@{DOMAIN}")
    MailboxFactory(address=f"axb@{DOMAIN}")
    assert len(viewer_client.get(LIST, {"q": "a_b"}).context["page"]) == 1


def test_empty_lists_say_what_to_do(admin_client, viewer_client):
    assert "has not been read yet" in page(viewer_client.get(LIST))
    SyncStateFactory()
    assert "No mailboxes yet" in page(viewer_client.get(LIST))
    assert ADD not in page(viewer_client.get(LIST))
    assert ADD in page(admin_client.get(LIST))
    assert "Clear the filters" in page(viewer_client.get(LIST, {"q": "hotel"}))


def test_a_truncated_copy_says_so(viewer_client):
    SyncStateFactory(may_be_truncated=True)
    MailboxFactory()
    assert "there may be more" in page(viewer_client.get(LIST))


def test_without_purelymail_the_list_stands_with_a_banner(viewer_client):
    MailboxFactory(address=f"mara@{DOMAIN}")
    SyncStateFactory(failed_since=timezone.now(), is_outage=True, error="It hung up.")
    html = page(viewer_client.get(LIST))
    assert "PurelyMail has not answered since" in html
    assert "You see the copy from" in html
    assert "It hung up." in html
    assert ">mara<" in html


def lines_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def delete_in_a_day(address):
    return schedule_deletion(kind=DeletionKind.MAILBOX, key=address)


def test_a_pending_deletion_is_a_state_to_see_and_to_filter_by(viewer_client):
    for name in ("going", "staying"):
        MailboxFactory(address=f"{name}@{DOMAIN}")
    delete_in_a_day(f"going@{DOMAIN}")
    html = page(viewer_client.get(LIST))
    assert html.count("Deletion pending</span>") == html.count("Active</span>") == 1
    for state, address in (("pending", f"going@{DOMAIN}"), ("active", f"staying@{DOMAIN}")):
        response = viewer_client.get(LIST, {"state": state}, headers=HTMX)
        assert [str(mailbox) for mailbox in response.context["page"]] == [address]
        assert response.headers["HX-Push-Url"] == f"{LIST}?state={state}"
        assert "1 of 2" in page(response)


def test_the_last_migration_into_a_mailbox_is_told(viewer_client):
    for name in ("moved", "tried", "running", "failed", "never"):
        MailboxFactory(address=f"{name}@{DOMAIN}")
    ended = {"ended_at": timezone.now()}
    JobFactory(destination_address=f"moved@{DOMAIN}", state=State.FAILED, **ended)
    moved = JobFactory(destination_address=f"moved@{DOMAIN}", **ended)
    JobFactory(destination_address=f"tried@{DOMAIN}", dry_run=True, **ended)
    progress = {"messages_done": 41, "messages_total": 100}
    JobFactory(destination_address=f"running@{DOMAIN}", state=State.RUNNING, **progress)
    JobFactory(destination_address=f"failed@{DOMAIN}", state=State.FAILED, **ended)
    html = page(viewer_client.get(LIST))
    assert reverse("migrations:detail", args=[moved.pk]) in html
    assert html.count(">Moved <time") == html.count(">Dry run <time") == 1
    assert "41 %" in html
    assert html.count("Failed</span>") == 1


def test_an_international_domain_is_shown_and_found_as_people_write_it(viewer_client):
    DomainFactory(name="xn--bcher-kva.example")
    MailboxFactory(address="lea@xn--bcher-kva.example")
    MailboxFactory(address=LEA)
    html = page(viewer_client.get(LIST))
    assert '<span class="at" title="xn--bcher-kva.example">@bücher.example</span>' in html
    assert 'data-copy="lea@xn--bcher-kva.example"' in html
    assert '<option value="xn--bcher-kva.example">bücher.example</option>' in html
    for text in ("bücher", "BÜCH", "lea@büch", "a@bücher.example", "xn--bcher", "r.ex"):
        found = viewer_client.get(LIST, {"q": text}).context["page"]
        assert [str(mailbox) for mailbox in found] == ["lea@xn--bcher-kva.example"], text
    for text in ("x@bücher", "lea@ücher", "bûcher"):
        assert not viewer_client.get(LIST, {"q": text}).context["page"], text


def test_a_sharp_s_is_found_in_either_spelling(viewer_client):
    MailboxFactory(address="lea@xn--strae-oqa.example")
    for text in ("straße", "lea@STRASSE"):
        assert len(viewer_client.get(LIST, {"q": text}).context["page"]) == 1, text


def test_admins_select_over_all_pages_and_viewers_select_nothing(admin_client, viewer_client):
    MailboxFactory.create_batch(60)
    html = page(admin_client.get(LIST, {"domain": DOMAIN}))
    assert f'action="/mailboxes/batches/select/?domain={DOMAIN}"' in html
    assert 'data-total="60"' in html
    assert "Select all 60" in html
    assert html.count("data-pick") == 51
    assert "data-pick" not in page(viewer_client.get(LIST))


def test_the_export_has_all_that_the_filter_shows(viewer_client):
    MailboxFactory.create_batch(60)
    MailboxFactory(address="desk@shop.example")
    RoutingRuleFactory(match_user="info", targets=["desk@shop.example"])
    delete_in_a_day("desk@shop.example")
    response = viewer_client.get(f"{LIST}export/", {"domain": "shop.example"})
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert lines_of(response) == [
        ["address", "local_part", "domain", "state", "rules"],
        ["desk@shop.example", "desk", "shop.example", "deletion pending", "1"],
    ]
    assert len(lines_of(viewer_client.get(f"{LIST}export/", {"q": "person"}))) == 61
    entry = Entry.objects.filter(action=Action.MAILBOXES_EXPORTED).first()
    assert entry.actor_name == "Vera"
    assert entry.after == {"mailboxes": 1, "filter": "?domain=shop.example"}


def test_a_selection_is_exported_or_all_that_the_filter_matches(admin_client):
    MailboxFactory.create_batch(3)
    chosen = MailboxFactory(address="desk@shop.example")
    url = f"{LIST}export/selected/?domain={DOMAIN}"
    some = lines_of(admin_client.post(url, {"selected": [str(chosen.pk), "x", "9" * 40, "-1"]}))
    assert [line[0] for line in some[1:]] == ["desk@shop.example"]
    everything = lines_of(admin_client.post(url, {"selected": "1", "everything": "1"}))
    assert [line[2] for line in everything[1:]] == [DOMAIN] * 3


def test_a_formula_among_the_addresses_stays_text(viewer_client):
    MailboxFactory(address=f"=cmd|calc@{DOMAIN}")
    lines = lines_of(viewer_client.get(f"{LIST}export/"))
    assert lines[1][:2] == [f"'=cmd|calc@{DOMAIN}", "'=cmd|calc"]


def test_the_export_costs_the_same_with_any_number_of_rows(
    viewer_client, django_assert_max_num_queries
):
    MailboxFactory.create_batch(500)
    with django_assert_max_num_queries(25):
        assert len(lines_of(viewer_client.get(f"{LIST}export/"))) == 501
