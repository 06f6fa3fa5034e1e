"""The list of domains, and the freshness note that stands on every list."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.utils import timezone

from domains.models import Domain, Kind, SyncState
from domains.tests.factories import CheckedDomainFactory, DomainFactory, SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.services import schedule_deletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
LIST = "/domains/"
NOTE = "/domains/copy/domains/"
REFRESH = "/domains/copy/domains/refresh/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/"}


def page(response):
    return response.content.decode()


def names(response):
    return [domain.name for domain in response.context["page"]]


def test_failing_domains_come_first_with_a_word_for_every_verdict(viewer_client, purelymail):
    CheckedDomainFactory(name="a-good.example", failing_count=0)
    DomainFactory(name="b-shared.example", is_shared=True, passes_mx=False)
    CheckedDomainFactory(name="d-bad.example", passes_spf=False, failing_count=1)
    DomainFactory(name="c-new.example", passes_mx=False)
    response = viewer_client.get(LIST)
    assert names(response) == [
        "d-bad.example",
        "c-new.example",
        "a-good.example",
        "b-shared.example",
    ]
    html = page(response)
    assert html.count("Failing</span>") == 1
    assert html.count("Not checked yet</span>") == 1
    assert html.count("OK</span>") == 10
    assert "Shared by PurelyMail" in html
    assert not purelymail.calls


@pytest.mark.parametrize(
    ("state", "found"),
    [("failing", ["bad.example"]), ("passing", ["good.example"]), ("unchecked", ["new.example"])],
)
def test_domains_are_filtered_by_health_beside_how_many_there_are(viewer_client, state, found):
    CheckedDomainFactory(name="good.example", failing_count=0)
    CheckedDomainFactory(name="bad.example", passes_spf=False, failing_count=1)
    DomainFactory(name="new.example")
    DomainFactory(name="shared.example", is_shared=True)
    response = viewer_client.get(LIST, {"state": state})
    assert names(response) == found
    assert "1 of 4" in page(response)
    numbers = [number for _label, _url, _current, number in response.context["health_links"]]
    assert numbers == [4, 1, 1, 1]


def test_a_deletion_that_waits_stands_beside_its_domain(admin_client):
    domain = CheckedDomainFactory(name="old.example")
    schedule_deletion(kind=DeletionKind.DOMAIN, key=domain.name)
    assert "Deletion pending" in page(admin_client.get(LIST))


@pytest.mark.parametrize("typed", ["bücher", "BÜCHER.example", "xn--bcher", "cher.ex"])
def test_a_domain_is_found_as_people_write_it(viewer_client, typed):
    DomainFactory(name="xn--bcher-kva.example")
    DomainFactory(name="other.test")
    response = viewer_client.get(LIST, {"q": typed})
    assert names(response) == ["xn--bcher-kva.example"]
    assert ">bücher.example</a>" in page(response)


@pytest.mark.parametrize("typed", ["straße", "STRASSE.ex"])
def test_a_sharp_s_is_found_in_either_spelling(viewer_client, typed):
    DomainFactory(name="xn--strae-oqa.example")
    assert names(viewer_client.get(LIST, {"q": typed})) == ["xn--strae-oqa.example"]


def test_all_failing_domains_are_queued_and_when_is_told(admin_client, viewer_client):
    CheckedDomainFactory.create_batch(45, passes_spf=False, failing_count=1)
    CheckedDomainFactory(name="good.example", failing_count=0)
    assert "Recheck all failing" in page(admin_client.get(LIST))
    assert "Recheck all failing" not in page(viewer_client.get(LIST))
    response = admin_client.post("/domains/recheck/", follow=True)
    assert "45 domains are queued: 20 every five minutes, the last at about" in page(response)
    assert Domain.objects.filter(recheck_wanted_at__isnull=False).count() == 45


def test_without_a_failing_domain_nothing_is_queued(admin_client):
    CheckedDomainFactory(failing_count=0)
    assert "Recheck all failing" not in page(admin_client.get(LIST))
    assert "nothing is rechecked" in page(admin_client.post("/domains/recheck/", follow=True))


def test_a_silent_resolver_is_told_on_the_list_with_the_day_it_began(viewer_client):
    with time_machine.travel("2026-11-20 18:00Z"):
        began = timezone.now() - timedelta(days=2)
        DomainFactory.create_batch(3, unanswered_since=began, looked_at=began - timedelta(hours=2))
        html = page(viewer_client.get(LIST))
    assert "Our DNS resolver has answered nothing since 18 Nov, 18:00." in html


def test_mailboxes_and_rules_are_counted_apart(viewer_client):
    MailboxFactory.create_batch(3)
    RoutingRuleFactory.create_batch(2)
    domain = viewer_client.get(LIST).context["page"][0]
    assert (domain.mailbox_count, domain.rule_count) == (3, 2)


@pytest.mark.parametrize("rows", [3, 120])
def test_the_list_costs_the_same_with_any_number_of_rows(
    viewer_client, django_assert_max_num_queries, rows
):
    CheckedDomainFactory.create_batch(rows)
    SyncStateFactory(name=Kind.DOMAINS, viewed_at=timezone.now())
    viewer_client.get(LIST)
    with django_assert_max_num_queries(11):
        viewer_client.get(LIST)


def test_search_sorting_and_nonsense(viewer_client):
    for name in ("a.example", "b.example", "c.test"):
        DomainFactory(name=name)
    assert names(viewer_client.get(LIST, {"q": "EXAMPLE", "sort": "-name"})) == [
        "b.example",
        "a.example",
    ]
    for query in ({"sort": "x"}, {"q": "\x00"}, {"page": "x"}, {"sort": "-mailboxes"}):
        assert len(names(viewer_client.get(LIST, query))) == 3
    assert "No domain matches" in page(viewer_client.get(LIST, {"q": "zzz"}))


@pytest.mark.parametrize("path", ["/domains/", "/mailboxes/", "/routing/"])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_keys_j_and_k_know_the_rows_of_every_list(viewer_client, path, headers):
    MailboxFactory()
    RoutingRuleFactory()
    html = page(viewer_client.get(path, {"q": ""}, headers=headers))
    assert html.count('<tbody role="rowgroup" data-rows>') == 1


@pytest.mark.parametrize(
    ("path", "domain", "words", "searched"),
    [
        ("/mailboxes/", "", "No mailbox matches", "3 mailboxes of all domains were searched."),
        ("/mailboxes/", "b.example", "No mailbox matches", "1 mailbox of b.example was searched."),
        ("/routing/", "", "No routing rule matches", "2 routing rules of all domains were"),
        ("/routing/", "a.example", "No routing rule matches", "2 routing rules of a.example were"),
        ("/domains/", "", "No domain matches", "2 domains were searched."),
    ],
)
def test_what_matched_nothing_is_named_with_how_much_was_searched(
    viewer_client, path, domain, words, searched
):
    for address in ("x@a.example", "y@a.example", "z@b.example"):
        MailboxFactory(address=address)
    RoutingRuleFactory.create_batch(2, domain__name="a.example")
    html = page(viewer_client.get(path, {"q": "<hotel", "domain": domain}))
    assert f"{words} “&lt;hotel”" in html
    assert searched in html


def test_a_domain_that_has_nothing_is_no_search(viewer_client):
    html = page(viewer_client.get("/mailboxes/", {"domain": "none.example"}))
    assert "<h2>No mailbox matches</h2>" in html
    assert "0 mailboxes of none.example were searched." in html


def test_an_admin_asks_for_a_refresh_and_sees_it_under_way(admin_client):
    response = admin_client.post(REFRESH, headers=HTMX)
    html = page(response)
    assert "Asking PurelyMail" in html
    assert f'hx-get="{NOTE}?first"' in html
    assert 'aria-busy="true"' in html
    assert "copy-refreshed" not in response.headers.get("HX-Trigger", "")


def test_when_the_refresh_has_ended_the_rows_are_asked_to_follow(admin_client):
    now = timezone.now()
    SyncStateFactory(name=Kind.DOMAINS, requested_at=now, tried_at=None, synced_at=None)
    assert "Asking PurelyMail" in page(admin_client.get(NOTE, headers=HTMX))
    SyncState.objects.update(tried_at=timezone.now(), synced_at=timezone.now())
    response = admin_client.get(NOTE, headers=HTMX)
    assert "copy-refreshed" in response.headers["HX-Trigger"]
    assert "hx-get" not in page(response)
    assert "Synced" in page(response)


def test_the_first_reading_appears_by_itself_and_its_failure_is_told_once(viewer_client):
    note = viewer_client.get(NOTE, headers=HTMX)
    assert "Not read yet" in page(note)
    assert f'hx-get="{NOTE}?first"' in page(note)
    assert "HX-Trigger" not in note.headers
    now = timezone.now()
    SyncStateFactory(
        name=Kind.DOMAINS, synced_at=None, tried_at=now, failed_since=now, error="It hung up."
    )
    note = viewer_client.get(NOTE, headers=HTMX)
    assert "It hung up." in note.headers["HX-Trigger"]
    assert "hx-get" not in page(note)


def test_the_first_reading_shows_the_whole_page_with_its_filters(viewer_client):
    assert "?first" in page(viewer_client.get(LIST))
    assert "HX-Refresh" not in viewer_client.get(f"{NOTE}?first", headers=HTMX).headers
    SyncStateFactory(name=Kind.DOMAINS)
    assert viewer_client.get(f"{NOTE}?first", headers=HTMX).headers["HX-Refresh"] == "true"
    assert "?first" not in page(viewer_client.get(LIST))


def test_a_failed_refresh_is_told(admin_client):
    SyncStateFactory(name=Kind.DOMAINS, failed_since=timezone.now(), error="PurelyMail hung up.")
    response = admin_client.get(NOTE, headers=HTMX)
    assert "PurelyMail hung up." in response.headers["HX-Trigger"]


def test_the_banner_comes_and_goes_with_the_note(admin_client):
    SyncStateFactory(name=Kind.DOMAINS)
    assert '<div id="copy-banner" hidden>' in page(admin_client.get(LIST))
    SyncState.objects.update(failed_since=timezone.now(), error="It hung up.", is_outage=True)
    html = page(admin_client.get(NOTE, headers=HTMX))
    assert '<div id="copy-banner" hx-swap-oob="true">' in html
    assert "PurelyMail has not answered since" in html
    SyncState.objects.update(failed_since=None, error="", is_outage=False)
    html = page(admin_client.get(NOTE, headers=HTMX))
    assert '<div id="copy-banner" hx-swap-oob="true" hidden>' in html
    assert "has not answered" not in html


def test_without_script_refresh_goes_back_to_the_list_it_came_from(admin_client):
    response = admin_client.post(REFRESH, {"next": "/domains/?q=a"})
    assert (response.status_code, response.url) == (302, "/domains/?q=a")
    assert "being refreshed" in str(next(iter(get_messages(response.wsgi_request))))
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        assert admin_client.post(REFRESH, {"next": elsewhere}).url == "/"


def test_only_admins_refresh_and_only_by_post(viewer_client, admin_client):
    assert viewer_client.post(REFRESH).status_code == 403
    assert admin_client.get(REFRESH).status_code == 405
    assert REFRESH not in page(viewer_client.get(LIST))
    assert admin_client.post("/domains/copy/users/refresh/").status_code == 404
    assert viewer_client.get("/domains/copy/users/").status_code == 404
