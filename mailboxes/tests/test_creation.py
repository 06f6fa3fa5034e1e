"""The pages that create a mailbox."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from audit.models import Entry, Outcome
from domains.models import Domain
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import ADD, DOMAIN, LEA, LIST, PASSWORD, page, typed
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db


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


def test_two_clicks_create_one_mailbox(admin_client, purelymail, domain):
    admin_client.post(ADD, typed())
    assert admin_client.post(ADD, typed()).status_code == 422
    assert Mailbox.objects.count() == 1
    assert Domain.objects.count() == 1
    assert purelymail.calls["createUser"] == 1


def outlook(client, local_part, domain=DOMAIN):
    return page(client.get(f"{ADD}outlook/", {"local_part": local_part, "domain": domain}))


def test_what_is_the_matter_with_an_address_is_told_while_it_is_typed(
    admin_client, purelymail, domain
):
    MailboxFactory(address=LEA)
    RoutingRuleFactory(match_user="info", targets=["mara@shop.example"])
    RoutingRuleFactory(match_user="both", targets=["mara@shop.example", f"both@{DOMAIN}"])
    assert "exists already" in outlook(admin_client, "Lea ")
    assert "symbolic subaddressing on" in outlook(admin_client, "a.b")
    assert f"The rule info@{DOMAIN} takes the mail away" in outlook(admin_client, "info")
    for fine in ("both", "new", "", "not an address", "x" * 500):
        assert not outlook(admin_client, fine).strip(), fine
    assert not outlook(admin_client, "lea", "never.example").strip()
    assert not outlook(admin_client, "lea", "nul\x00").strip()
    assert not purelymail.calls


def test_a_refused_form_tells_it_as_well(admin_client, domain):
    html = page(admin_client.post(ADD, typed(local_part="a.b", password="short")))
    assert "symbolic subaddressing on" in html


def test_the_password_is_not_sent_along_while_the_address_is_typed(admin_client, domain):
    html = page(admin_client.get(ADD))
    assert 'hx-params="local_part,domain"' in html


@pytest.mark.parametrize(
    ("local_part", "kept"),
    [(" LEA ", "lea"), ("Lea.Fontaine", "lea.fontaine"), ("x" * 64, "x" * 64), ("a_b", "a_b")],
)
def test_a_mailbox_on_an_international_domain_has_one_form(
    admin_client, purelymail, local_part, kept
):
    purelymail.state.add_domain("xn--bcher-kva.example")
    DomainFactory(name="xn--bcher-kva.example")
    assert ">bücher.example</option>" in page(admin_client.get(ADD))
    html = page(
        admin_client.post(ADD, typed(local_part=local_part, domain="xn--bcher-kva.example"))
    )
    assert f"{kept}@bücher.example was created" in html
    assert list(purelymail.state.users) == [f"{kept}@xn--bcher-kva.example"]
    assert Mailbox.objects.get().address == f"{kept}@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "local_part",
    [
        "lea.",
        "lea\u200b",
        "lea\u202e",
        "\uff2c\uff25\uff21",
        "l\u0435a",
        "lea/..",
        "x" * 65,
        "x" * 300,
        "a+b",
        "a b",
    ],
)
def test_no_local_part_slips_through_that_the_sentence_does_not_name(
    admin_client, purelymail, domain, local_part
):
    response = admin_client.post(ADD, typed(local_part=local_part))
    assert response.status_code == 422
    assert "64 characters" in page(response)
    assert not purelymail.calls


@pytest.mark.parametrize("name", ["Lindenhof.Example", f"{DOMAIN}.", f" {DOMAIN}", "shop.example"])
def test_a_domain_is_one_of_the_list_or_refused(admin_client, purelymail, domain, name):
    response = admin_client.post(ADD, typed(domain=name))
    assert response.status_code == 422
    assert "not one of your domains" in page(response)
    assert not purelymail.calls


def test_an_address_of_more_than_254_characters_is_refused(admin_client, purelymail):
    name = ".".join(["d" * 60] * 4)
    DomainFactory(name=name)
    response = admin_client.post(ADD, typed(local_part="x" * 20, domain=name))
    assert "at most 254 characters" in page(response)
    assert not purelymail.calls
