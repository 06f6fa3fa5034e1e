"""The mailbox pages."""

from __future__ import annotations

import re

import factory
import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry, Outcome
from domains.models import Domain, Kind
from domains.tests.factories import DomainFactory, SyncStateFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
PASSWORD = "h7@Kd2mQv%9sTzX4pLw#"
DOMAIN = "lindenhof.example"
LIST, ADD = "/mailboxes/", "/mailboxes/new/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/mailboxes/"}


@pytest.fixture
def domain(purelymail):
    purelymail.state.add_domain(DOMAIN)
    return DomainFactory(name=DOMAIN)


def typed(**changes):
    return {"local_part": "lea", "domain": DOMAIN, "password": PASSWORD} | changes


def page(response):
    return response.content.decode()


# The list


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
    with django_assert_max_num_queries(10):
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


# Create


def test_the_form_comes_with_a_strong_password_and_is_not_cached(admin_client, domain):
    DomainFactory(name="purelymail.com", is_shared=True)
    response = admin_client.get(ADD)
    html = page(response)
    password = re.search(r'name="password" value="([^"]+)"', html)
    assert password
    assert len(password[1]) == 20
    assert 'value="purelymail.com"' not in html
    assert "no-store" in response.headers["Cache-Control"]


def test_a_new_mailbox_shows_its_password_once(admin_client, purelymail, domain):
    response = admin_client.post(ADD, typed(local_part="  Lea.Fontaine "))
    html = page(response)
    mailbox = Mailbox.objects.get()
    assert response.status_code == 200
    assert mailbox.address == f"lea.fontaine@{DOMAIN}"
    assert "Shown once" in html
    assert PASSWORD in html
    assert "no-store" in response.headers["Cache-Control"]
    assert purelymail.state.verify_password(mailbox.address, PASSWORD)
    assert Entry.objects.get().actor_name == "Adam"
    for url in (LIST, reverse("mailboxes:detail", args=[mailbox.pk]), ADD, "/settings/audit/"):
        assert PASSWORD not in page(admin_client.get(url))
    assert PASSWORD not in f"{list(admin_client.session.items())}"
    assert PASSWORD not in f"{list(Entry.objects.values())}{list(Outcome.objects.values())}"


def test_a_new_mailbox_whose_mail_a_rule_takes_away_comes_with_a_warning(admin_client, domain):
    RoutingRuleFactory(match_user="info", targets=["mara@shop.example"])
    RoutingRuleFactory(match_user="in", is_prefix=True, targets=[f"info@{DOMAIN}"])
    RoutingRuleFactory(match_user="sales", targets=["desk@shop.example"])
    html = page(admin_client.post(ADD, typed(local_part="info")))
    assert html.count("takes the mail away from this mailbox") == 1
    assert f"The rule info@{DOMAIN} takes the mail away" in html
    assert "It goes to mara@shop.example." in html
    for name in ("lea", "input"):
        RoutingRuleFactory(match_user=name, targets=[f"{name}@{DOMAIN}", "desk@shop.example"])
        assert "takes the mail" not in page(admin_client.post(ADD, typed(local_part=name)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"local_part": ""}, "This field is required."),
        ({"local_part": "x" * 5000}, "at most 64 characters"),
        ({"local_part": "lea\x07"}, "Use letters, digits"),
        ({"local_part": "lea\x00"}, "Null characters are not allowed."),
        ({"local_part": "lea fontaine"}, "Use letters, digits"),
        ({"local_part": ".lea"}, "Use letters, digits"),
        ({"local_part": "lea..f"}, "Use letters, digits"),
        ({"local_part": "lea@other.example"}, "Use letters, digits"),
        ({"local_part": "léa"}, "Use letters, digits"),
        ({"local_part": "<b>"}, "Use letters, digits"),
        ({"local_part": "*"}, "Use letters, digits"),
        ({"local_part": "--help"}, "Use letters, digits"),
        ({"domain": "never.example"}, "not one of your domains"),
        ({"domain": "x\x00"}, "Null characters are not allowed."),
        ({"domain": ""}, "This field is required."),
        ({"password": "short7!"}, "Use at least 8 characters."),
        ({"password": "x" * 5000}, "Use at most 200 characters."),
        ({"password": "line\nbreak-in-it"}, "Remove the line break"),
        ({"password": ""}, "This field is required."),
    ],
)
def test_bad_input_is_a_sentence_and_no_call(admin_client, purelymail, domain, changes, words):
    response = admin_client.post(ADD, typed(**changes))
    assert response.status_code == 422
    assert words in page(response)
    assert not purelymail.calls
    assert not Mailbox.objects.exists()


@pytest.mark.parametrize("local_part", ["a_b", "0", "_", "a--b", "x.y-z"])
def test_odd_local_parts_that_the_sentence_allows_are_created(admin_client, domain, local_part):
    response = admin_client.post(ADD, typed(local_part=local_part))
    assert response.status_code == 200
    mailbox = Mailbox.objects.get()
    assert mailbox.address == f"{local_part}@{DOMAIN}"
    assert admin_client.get(f"{LIST}{mailbox.pk}/").status_code == 200


def test_a_refusal_keeps_what_was_typed(admin_client, purelymail, domain):
    MailboxFactory(address=f"lea@{DOMAIN}")
    response = admin_client.post(ADD, typed(enable_password_reset="on"))
    html = page(response)
    assert response.status_code == 422
    assert "exists already" in html
    assert 'value="lea"' in html
    assert PASSWORD in html
    assert "no-store" in response.headers["Cache-Control"]
    assert re.search(r'name="enable_password_reset"[^>]*checked', html)


def test_without_purelymail_a_change_fails_with_a_sentence_and_keeps_what_was_typed(
    admin_client, purelymail, domain
):
    purelymail.down()
    response = admin_client.post(ADD, typed())
    html = page(response)
    assert response.status_code == 422
    assert "The mailbox was not created." in html
    assert 'value="lea"' in html
    assert PASSWORD in html
    assert not Mailbox.objects.exists()


def test_without_a_domain_the_form_says_what_to_do(admin_client):
    assert "There is no domain yet" in page(admin_client.get(ADD))


# One mailbox


def test_a_mailbox_shows_the_rules_around_it(viewer_client, purelymail):
    mailbox = MailboxFactory(address=f"desk@{DOMAIN}")
    RoutingRuleFactory(match_user="desk", targets=["else@where.example"])
    RoutingRuleFactory(match_user="des", is_prefix=True, targets=["prefix@where.example"])
    RoutingRuleFactory(
        match_user="", is_prefix=True, is_catchall=True, targets=["all@where.example"]
    )
    RoutingRuleFactory(match_user="info", targets=[f"desk@{DOMAIN}"])
    response = viewer_client.get(reverse("mailboxes:detail", args=[mailbox.pk]))
    rules = response.context["around"].rules
    assert [rule.source for rule in rules.taking] == [f"desk@{DOMAIN}", f"des*@{DOMAIN}"]
    assert [rule.source for rule in rules.delivering] == [f"info@{DOMAIN}"]
    assert "Reset password" not in page(response)
    assert not purelymail.calls


@pytest.mark.parametrize(
    ("local_part", "is_on", "warns"),
    [("lea.f", True, True), ("lea-f", True, True), ("lea", True, False), ("lea.f", False, False)],
)
def test_an_address_purelymail_may_simplify_is_warned_about(
    viewer_client, local_part, is_on, warns
):
    DomainFactory(name=DOMAIN, symbolic_subaddressing=is_on)
    mailbox = MailboxFactory(address=f"{local_part}@{DOMAIN}")
    html = page(viewer_client.get(reverse("mailboxes:detail", args=[mailbox.pk])))
    assert ("symbolic subaddressing on" in html) is warns


@pytest.mark.parametrize("text", ["lea", "LEA@lin"])
def test_the_palette_finds_mailboxes_domains_and_rules(viewer_client, text):
    mailbox = MailboxFactory(address=f"lea@{DOMAIN}")
    RoutingRuleFactory(match_user="lea")
    html = page(viewer_client.get("/palette/", {"q": text}))
    assert reverse("mailboxes:detail", args=[mailbox.pk]) in html
    assert "/routing/?q=lea%40lindenhof.example" in html
    there = reverse("domains:detail", args=[mailbox.domain.pk])
    assert there in page(viewer_client.get("/palette/", {"q": "lindenhof"}))
    assert viewer_client.get("/palette/", {"q": "nul\x00"}).status_code == 200


def test_a_new_password_is_shown_once_with_what_to_do_next(admin_client, purelymail, domain):
    purelymail.state.add_user(f"lea@{DOMAIN}")
    mailbox = MailboxFactory(address=f"lea@{DOMAIN}")
    url = reverse("mailboxes:password_reset", args=[mailbox.pk])
    assert "no-store" in admin_client.get(url).headers["Cache-Control"]
    response = admin_client.post(url, {"password": PASSWORD})
    html = page(response)
    assert PASSWORD in html
    assert "no way to check" in html
    assert "no-store" in response.headers["Cache-Control"]
    assert purelymail.state.verify_password(mailbox.address, PASSWORD)
    for later in (url, reverse("mailboxes:detail", args=[mailbox.pk]), LIST):
        assert PASSWORD not in page(admin_client.get(later))


def test_a_refused_password_keeps_what_was_typed(admin_client, purelymail, domain):
    purelymail.down()
    url = reverse("mailboxes:password_reset", args=[MailboxFactory().pk])
    response = admin_client.post(url, {"password": PASSWORD})
    assert response.status_code == 422
    assert PASSWORD in page(response)


def test_viewers_read_and_admins_change(viewer_client, purelymail, domain):
    mailbox = MailboxFactory()
    reset = reverse("mailboxes:password_reset", args=[mailbox.pk])
    refresh = reverse("domains:copy_refresh", args=[Kind.MAILBOXES])
    assert viewer_client.get(reverse("mailboxes:detail", args=[mailbox.pk])).status_code == 200
    assert viewer_client.get(ADD).status_code == 403
    assert viewer_client.post(ADD, typed()).status_code == 403
    assert viewer_client.get(reset).status_code == 403
    assert viewer_client.post(reset, {"password": PASSWORD}).status_code == 403
    assert viewer_client.post(refresh).status_code == 403
    assert not purelymail.calls


def test_strangers_are_sent_to_the_sign_in_page(client, owner):
    for url in (LIST, ADD, "/mailboxes/1/", "/mailboxes/1/password/"):
        assert client.get(url).status_code == 302


def test_a_mailbox_that_is_gone_is_a_404(viewer_client):
    assert viewer_client.get("/mailboxes/999/").status_code == 404
    assert viewer_client.get(f"/mailboxes/{'9' * 5000}/").status_code == 404


def test_two_clicks_create_one_mailbox(admin_client, purelymail, domain):
    admin_client.post(ADD, typed())
    assert admin_client.post(ADD, typed()).status_code == 422
    assert Mailbox.objects.count() == 1
    assert Domain.objects.count() == 1
    assert purelymail.calls["createUser"] == 1
