"""The pages of one domain: records, recheck, acceptance, settings, history, zone file, deletion."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from domains import lookups, rechecks, services
from domains.models import CheckSource, Deviation, DnsChange, Domain, PurelyMailAccount
from domains.testing import CODE
from domains.tests.factories import CheckedDomainFactory, DnsRecordFactory, DomainFactory
from domains.tests.looking import look_up_now
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
NAME = "lindenhof.example"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def domain(purelymail, dns):
    """SPF wrong, one DKIM key missing, an own DMARC policy: looked up, and listed so."""
    PurelyMailAccount.objects.create(ownership_code=CODE)
    purelymail.state.add_domain(NAME, spf=False, dkim=False, dmarc=False)
    services.refresh_domains()
    dns.publish(NAME, ownership=CODE)
    dns.set(NAME, "TXT", "v=spf1 include:old.example -all", CODE)
    dns.remove(f"purelymail2._domainkey.{NAME}", "CNAME")
    dns.remove(f"_dmarc.{NAME}", "CNAME")
    dns.set(f"_dmarc.{NAME}", "TXT", "v=DMARC1; p=reject")
    domain = Domain.objects.get()
    look_up_now(domain)
    rechecks.tick()
    domain.refresh_from_db()
    return domain


def url(domain, tail=""):
    return f"/domains/{domain.pk}/{tail}"


def html(response):
    return response.content.decode()


def following(response):
    """What the page sends along when it asks for news."""
    dns = response.context["dns"]
    return {"since": dns.since.isoformat(), "seen": dns.seen}


def test_the_seven_records_stand_beside_purelymails_verdict(viewer_client, domain, purelymail):
    calls = purelymail.calls
    response = viewer_client.get(url(domain))
    text = html(response)
    states = [(record.key, record.state) for record in response.context["dns"].records]
    assert states == [
        ("mx", "ok"),
        ("spf", "wrong"),
        ("ownership", "ok"),
        ("dkim1", "ok"),
        ("dkim2", "missing"),
        ("dkim3", "ok"),
        ("dmarc", "notice"),
    ]
    assert "2 records to fix" in text
    assert "1 of 3 missing" in text
    assert "Fails SPF, DKIM, DMARC" in text
    assert 'data-copy="v=spf1 include:old.example -all"' in text
    assert 'data-copy="v=spf1 include:_spf.purelymail.com include:old.example -all"' in text
    assert 'data-copy="key2.dkimroot.purelymail.com"' in text
    assert purelymail.calls == calls


def test_no_answer_is_unknown_and_not_missing(viewer_client, domain, dns):
    dns.fail(NAME, "MX", "servfail")
    look_up_now(domain)
    text = html(viewer_client.get(url(domain)))
    assert "unknown" in text
    assert "SERVFAIL" in text
    assert "Not counted as missing; asked again" in text
    assert "2 records to fix" in text


def test_a_lookup_that_is_overdue_is_not_told_as_done(viewer_client, domain, dns):
    dns.fail(NAME, "MX", "servfail")
    look_up_now(domain)
    overdue = timezone.now() - timedelta(minutes=9)
    Domain.objects.update(look_after=overdue)
    text = " ".join(html(viewer_client.get(url(domain))).split())
    assert re.search(r"asked again <time[^>]*>in a moment</time>", text)


def test_a_domain_nobody_looked_at_says_so(viewer_client):
    text = html(viewer_client.get(url(DomainFactory())))
    assert "Not looked at yet" in text
    assert "not looked up yet" in text
    assert "PurelyMail was not asked to check it yet." in text


def test_the_page_costs_few_queries(viewer_client, domain, django_assert_max_num_queries):
    viewer_client.get(url(domain))
    with django_assert_max_num_queries(11):
        viewer_client.get(url(domain))


def test_a_recheck_is_queued_followed_and_its_end_told_once(admin_client, domain, dns, purelymail):
    calls = purelymail.calls
    answer = admin_client.post(url(domain, "recheck/"), headers=HTMX)
    poll = following(answer)
    assert 'aria-busy="true"' in html(answer)
    assert "every 2s" in html(answer)
    assert purelymail.calls == calls
    assert admin_client.get(url(domain), poll, headers=HTMX).status_code == 204
    dns.publish(NAME, ownership=CODE)
    dns.remove(f"_dmarc.{NAME}", "TXT")
    lookups.look_up_due()
    half = admin_client.get(url(domain), poll, headers=HTMX)
    assert "every 2s" in html(half), "PurelyMail has still to look"
    assert "Fails SPF, DKIM, DMARC" in html(half)
    assert "records to fix" not in html(half)
    poll = following(half)
    purelymail.state.publish_dns(NAME, mx=True, spf=True, dkim=True, dmarc=True)
    rechecks.tick()
    held = admin_client.get(url(domain), poll | {"held": "1"}, headers=HTMX)
    assert held.status_code == 204, "no menu is taken away"
    end = admin_client.get(url(domain), poll, headers=HTMX)
    assert "every 2s" not in html(end)
    assert "All right" in html(end)
    assert "Checked: All right." in end.headers["HX-Trigger"]


def test_a_recheck_that_finds_faults_is_not_told_as_a_success(
    admin_client, domain, dns, purelymail
):
    poll = following(admin_client.post(url(domain, "recheck/"), headers=HTMX))
    dns.publish(NAME, ownership=CODE)
    lookups.look_up_due()
    rechecks.tick()
    end = admin_client.get(url(domain), poll, headers=HTMX)
    assert '"tone": "info"' in end.headers["HX-Trigger"]
    assert "Checked: PurelyMail does not see it yet." in end.headers["HX-Trigger"]


def test_after_ninety_seconds_the_page_stops_asking_and_says_what_to_do(
    admin_client, domain, time_machine
):
    time_machine.move_to(timezone.now(), tick=False)
    poll = following(admin_client.post(url(domain, "recheck/"), headers=HTMX))
    time_machine.shift(91)
    end = admin_client.get(url(domain), poll, headers=HTMX)
    assert "every 2s" not in html(end)
    assert "background workers" in end.headers["HX-Trigger"]
    assert "It stays queued" in html(admin_client.get(url(domain)))


def test_without_script_a_recheck_comes_back_to_the_page(admin_client, domain):
    response = admin_client.post(url(domain, "recheck/"))
    assert (response.status_code, response.url) == (302, url(domain))


def test_a_record_that_differs_is_accepted_with_a_reason_and_taken_back(admin_client, domain):
    page = url(domain, "records/spf/accept/")
    assert page in html(admin_client.get(url(domain)))
    assert "v=spf1 include:old.example -all" in html(admin_client.get(page))
    refused = admin_client.post(page, {"reason": " ", "until": "2001-01-01"})
    assert refused.status_code == 422
    assert "This day is over" in html(refused)
    done = admin_client.post(page, {"reason": "The old host still sends."})
    assert done.url == url(domain)
    text = html(admin_client.get(url(domain)))
    assert "Accepted by Adam: “The old host still sends.”" in text
    assert "1 record to fix" in text
    assert "accepted already" in html(admin_client.get(page))
    admin_client.post(url(domain, "records/spf/withdraw/"))
    assert not Deviation.objects.exists()
    assert "2 records to fix" in html(admin_client.get(url(domain)))


def test_what_changed_while_somebody_wrote_the_reason_is_not_accepted_unseen(
    admin_client, domain, dns
):
    page = url(domain, "records/spf/accept/")
    shown = re.findall(r'name="seen" value="([^"]*)"', html(admin_client.get(page)))
    assert shown == ["", "v=spf1 include:old.example -all"]
    dns.set(NAME, "TXT", "v=spf1 include:thief.example -all", CODE)
    look_up_now(domain)
    refused = admin_client.post(page, {"reason": "Ours.", "seen": shown})
    assert refused.status_code == 422
    assert "DNS has changed since you opened this page" in html(refused)
    assert "Ours." in html(refused)
    assert not Deviation.objects.exists()
    shown = re.findall(r'name="seen" value="([^"]*)"', html(refused))
    assert admin_client.post(page, {"reason": "Ours.", "seen": shown}).status_code == 302
    assert Deviation.objects.get().found == ["v=spf1 include:thief.example -all"]


def test_a_missing_record_can_be_accepted_as_missing(admin_client, domain):
    page = url(domain, "records/dkim2/accept/")
    assert admin_client.post(page, {"reason": "One is enough.", "seen": ""}).status_code == 302
    assert Deviation.objects.get().found == []


def test_what_is_right_cannot_be_accepted(admin_client, domain):
    assert "nothing to accept" in html(admin_client.get(url(domain, "records/mx/accept/")))
    response = admin_client.post(url(domain, "records/mx/accept/"), {"reason": "why not"})
    assert response.status_code == 422
    assert admin_client.get(url(domain, "records/nonsense/accept/")).status_code == 404


def test_the_zone_file_holds_what_is_wrong_or_everything(viewer_client, domain):
    assert f'href="{url(domain, "zone/")}"' in html(viewer_client.get(url(domain)))
    response = viewer_client.get(url(domain, "zone/"))
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{NAME}.zone"'
    assert "purelymail2._domainkey" in html(response)
    assert "purelymail1._domainkey" not in html(response)
    assert "include:_spf.purelymail.com" in html(response)
    assert "purelymail1._domainkey" in html(viewer_client.get(url(domain, "zone/?all=1")))


def test_the_history_says_who_saw_what_and_whether_it_lasted(viewer_client, domain):
    now = timezone.now()
    facts: dict[str, Any] = {"domain": domain, "source": CheckSource.OWN}
    DnsChange.objects.create(
        **facts, subject="dkim2", before="ok", after="missing", held_at=now, notified_at=now
    )
    DnsChange.objects.create(**facts, subject="mx", before="ok", after="wrong", ended_at=now)
    DnsChange.objects.create(
        domain=domain, source=CheckSource.PURELYMAIL, subject="spf", before="ok", after="failing"
    )
    text = html(viewer_client.get(url(domain, "history/")))
    assert "DKIM key 2 went missing" in text
    assert "Seen twice; admins were told." in text
    assert "Gone before a second check saw it" in text
    assert "PurelyMail fails SPF" in text
    assert "Waits for a second check" in text
    assert "DKIM key 2 went missing" in html(viewer_client.get(url(domain)))


def test_the_history_is_paged(viewer_client, domain, django_assert_max_num_queries):
    DnsChange.objects.bulk_create(
        DnsChange(
            domain=domain,
            source=CheckSource.OWN,
            subject="mx",
            before="ok",
            after="wrong",
            at=timezone.now() - timedelta(hours=number),
        )
        for number in range(120)
    )
    viewer_client.get(url(domain, "history/"))
    with django_assert_max_num_queries(10):
        response = viewer_client.get(url(domain, "history/?page=2"))
    assert [response.context["page"].start_index(), len(response.context["page"])] == [51, 50]


def test_a_setting_acts_at_once_and_the_truth_is_shown(admin_client, domain, purelymail):
    page = url(domain, "settings/")
    off = admin_client.post(page, {"setting": "allow_account_reset"}, headers=HTMX)
    assert off.status_code == 200
    assert purelymail.state.domains[NAME].allow_account_reset is False
    assert "Account reset by DNS is off" in off.headers["HX-Trigger"]
    on = admin_client.post(page, {"setting": "allow_account_reset", "is_on": "on"})
    assert on.url == page
    assert purelymail.state.domains[NAME].allow_account_reset is True


def test_a_setting_that_cannot_be_changed_keeps_the_page_and_the_switch(
    admin_client, domain, purelymail
):
    purelymail.down()
    response = admin_client.post(
        url(domain, "settings/"), {"setting": "symbolic_subaddressing"}, headers=HTMX
    )
    assert response.status_code == 422
    assert 'role="alert"' in html(response)
    switch = 'id="symbolic_subaddressing" name="is_on" role="switch" type="checkbox" checked'
    assert switch in html(response)
    wrong = admin_client.post(url(domain, "settings/"), {"setting": "name", "is_on": "on"})
    assert wrong.status_code == 400


def test_what_subaddressing_keeps_from_its_mail_is_listed(viewer_client, domain):
    MailboxFactory(address=f"plain@{NAME}")
    MailboxFactory(address=f"first.last@{NAME}")
    RoutingRuleFactory(domain=domain, match_user="sales-team")
    text = html(viewer_client.get(url(domain, "settings/")))
    assert "Mailboxes with a symbol (1)" in text
    assert "first.last" in text
    assert "Routing rules with a symbol (1)" in text


def test_deleting_lists_what_goes_with_it_and_asks_for_the_name(admin_client, domain):
    for number in range(12):
        MailboxFactory(address=f"box{number:02}@{NAME}")
    page = url(domain, "delete/")
    text = html(admin_client.get(page))
    assert "Mailboxes (12)" in text
    assert "and 2 more" in text
    assert admin_client.post(page, {"typed": "other.example"}).status_code == 422
    assert not PendingDeletion.objects.exists()
    assert admin_client.post(page, {"typed": NAME.upper()}).url == "/domains/"
    deletion = PendingDeletion.objects.get(kind=DeletionKind.DOMAIN, key=NAME)
    assert deletion.dossier["settings"] == {
        "allow_account_reset": True,
        "symbolic_subaddressing": True,
    }
    assert len(deletion.dossier["dependants"]["Mailboxes"]) == 12
    text = html(admin_client.get(url(domain)))
    assert "Deletion pending" in text
    assert "Cancel deletion" in text


def test_an_international_domain_is_deleted_by_the_name_people_write(admin_client):
    domain = DomainFactory(name="xn--bcher-kva.example")
    assert "Type bücher.example to confirm" in html(admin_client.get(url(domain, "delete/")))
    assert admin_client.post(url(domain, "delete/"), {"typed": "Bücher.example"}).url == "/domains/"
    assert PendingDeletion.objects.get().label == "bücher.example"


def test_a_shared_domain_has_no_actions(admin_client):
    shared = DomainFactory(name="purelymail.com", is_shared=True)
    text = html(admin_client.get(url(shared)))
    assert "belongs to PurelyMail" in text
    assert url(shared, "recheck/") not in text
    assert url(shared, "delete/") not in text
    assert admin_client.post(url(shared, "delete/"), {"typed": shared.name}).status_code == 409
    refused = admin_client.post(url(shared, "settings/"), {"setting": "allow_account_reset"})
    assert refused.status_code == 422
    assert not PendingDeletion.objects.exists()


CHANGES = [
    "recheck/",
    "settings/",
    "records/spf/accept/",
    "records/spf/withdraw/",
    "delete/",
]


@pytest.mark.parametrize("tail", CHANGES)
def test_a_viewer_changes_nothing(viewer_client, domain, purelymail, tail):
    calls = purelymail.calls
    data = {"setting": "allow_account_reset", "reason": "mine", "typed": NAME}
    assert viewer_client.post(url(domain, tail), data).status_code == 403
    assert purelymail.calls == calls
    assert not Deviation.objects.exists()
    assert not PendingDeletion.objects.exists()


@pytest.mark.parametrize("tail", ["", "settings/", "history/"])
def test_a_viewer_sees_every_page_without_a_form(viewer_client, domain, tail):
    DnsRecordFactory(domain=CheckedDomainFactory())
    text = html(viewer_client.get(url(domain, tail)))
    main = text[text.index("<main") : text.index("</main")]
    assert "<form" not in main
    assert "hx-post" not in main
