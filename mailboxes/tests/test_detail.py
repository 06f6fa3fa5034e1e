"""The page of one mailbox and its password."""

from __future__ import annotations

import pytest
from django.urls import reverse

from domains.models import Kind
from domains.tests.factories import DomainFactory
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import ADD, DOMAIN, LIST, PASSWORD, page, typed
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db


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


def test_international_domains_around_a_mailbox_are_shown_as_people_write_them(admin_client):
    domain = DomainFactory(name="xn--bcher-kva.example")
    mailbox = MailboxFactory(address="lea@xn--bcher-kva.example", domain=domain)
    RoutingRuleFactory(domain=domain, match_user="team", targets=[mailbox.address])
    RoutingRuleFactory(domain=domain, match_user="lea", targets=["b@xn--bcher-kva.example"])
    detail = page(admin_client.get(reverse("mailboxes:detail", args=[mailbox.pk])))
    assert "goes to lea@bücher.example" in detail
    assert "goes to b@bücher.example" in detail
    typed_so_far = {"local_part": "lea", "domain": domain.name}
    outlook = page(admin_client.get(reverse("mailboxes:outlook"), typed_so_far))
    assert "It goes to b@bücher.example" in outlook
    question = page(admin_client.get(reverse("mailboxes:delete", args=[mailbox.pk])))
    assert "team@bücher.example" in question
    dependants = page(admin_client.get(reverse("domains:delete", args=[domain.pk])))
    for html, about in ((question, mailbox.address), (dependants, domain.name)):
        assert "xn--" not in html.replace(f'name="about" value="{about}"', ""), "for people"
    assert "lea@bücher.example" in dependants


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
