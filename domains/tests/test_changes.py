"""The history of DNS, and the one mail about what held."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from domains import notices, tasks
from domains.changes import forget_old
from domains.models import (
    CheckSource,
    DnsChange,
    Domain,
    PurelyMailAccount,
    RecordKey,
    RecordState,
)
from domains.rechecks import tick
from domains.services import accept_deviation, refresh_domains
from domains.testing import CODE
from domains.tests.factories import CheckedDomainFactory, DnsRecordFactory
from domains.tests.looking import look_up_now
from purelymanage.jobs.schedules import SCHEDULES

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TICK = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START) as traveller:
        yield traveller


@pytest.fixture
def shop(purelymail, dns, admin):
    PurelyMailAccount.objects.create(ownership_code=CODE)
    purelymail.state.add_domain("shop.example")
    dns.publish("shop.example")
    refresh_domains()
    tick()
    domain = Domain.objects.get()
    look_up_now(domain)
    return domain


def passing(purelymail, **checks):
    purelymail.state.publish_dns(
        "shop.example", **{"mx": True, "spf": True, "dkim": True, "dmarc": True, **checks}
    )


def a_day_of_ticks(clock, hours):
    for _tick in range(hours * 12):
        clock.shift(TICK)
        tasks.look_up_due()
        tasks.recheck_due()


def held(domain, **facts):
    given = {"source": CheckSource.OWN, "subject": "mx", "before": "ok", "after": "missing"}
    return DnsChange.objects.create(domain=domain, held_at=timezone.now(), **(given | facts))


def test_a_lost_record_is_told_once_and_its_repair_once(shop, dns, purelymail, clock, mailoutbox):
    a_day_of_ticks(clock, 2)
    assert not mailoutbox
    dns.set("shop.example", "MX", "10 mx.elsewhere.example")
    passing(purelymail, mx=False)
    a_day_of_ticks(clock, 4)
    assert [mail.subject for mail in mailoutbox] == ["DNS fails: shop.example"] * 2, "two admins"
    text = mailoutbox[0].body
    assert "MX, receiving: “Wrong” now, “OK” before, by our own lookups." in text
    assert "Found: 10 mx.elsewhere.example" in text
    assert "Expected: shop.example MX 50 mailserver.purelymail.com" in text
    assert f"/domains/{shop.pk}/" in text
    sources = DnsChange.objects.filter(held_at__isnull=False).values_list("source", flat=True)
    assert set(sources) == {"own", "purelymail"}, "both saw it; one mail told it"
    mailoutbox.clear()
    dns.publish("shop.example")
    passing(purelymail)
    a_day_of_ticks(clock, 4)
    assert [mail.subject for mail in mailoutbox] == ["DNS is right again: shop.example"] * 2
    assert not DnsChange.objects.filter(held_at__isnull=False, notified_at=None).exists()


def test_a_flap_is_told_to_nobody(shop, dns, clock, mailoutbox):
    clock.shift(timedelta(hours=2))
    dns.remove("shop.example", "MX")
    tasks.look_up_due()
    dns.publish("shop.example")
    a_day_of_ticks(clock, 2)
    change = DnsChange.objects.get()
    assert change.ended_at
    assert not change.held_at
    assert not mailoutbox


def test_a_third_state_ends_the_second_and_is_told_against_the_first(shop, dns, clock):
    dns.remove("shop.example", "MX")
    clock.shift(TICK)
    look_up_now(shop)
    dns.set("shop.example", "MX", "10 mx.elsewhere.example")
    clock.shift(TICK)
    look_up_now(shop)
    third, second = shop.dns_changes.all()
    assert (second.before, second.after) == ("ok", "missing")
    assert second.ended_at
    assert (third.before, third.after, third.ended_at) == ("ok", "wrong", None)


def test_a_verdict_listed_again_is_no_second_check(shop, dns, purelymail, clock):
    """Our own lookups see nothing wrong, so it takes PurelyMail's next look."""
    purelymail.state.domains["shop.example"].seen.spf = False
    passing(purelymail, spf=False)
    refresh_domains()
    change = DnsChange.objects.get()
    assert (change.source, change.subject, change.after) == ("purelymail", "spf", "failing")
    clock.shift(timedelta(minutes=15))
    refresh_domains()
    change.refresh_from_db()
    assert change.held_at is None
    shop.refresh_from_db()
    assert shop.failing_count == 1, "and in the tier of those looked at every half hour"
    clock.shift(timedelta(minutes=30))
    assert tick() == 1
    change.refresh_from_db()
    assert change.held_at


def test_a_verdict_our_own_lookups_agree_with_holds_at_the_next_list(shop, dns, purelymail, clock):
    dns.remove("_dmarc.shop.example", "CNAME")
    look_up_now(shop)
    purelymail.state.domains["shop.example"].seen.dmarc = False
    refresh_domains()
    clock.shift(timedelta(minutes=15))
    refresh_domains()
    assert DnsChange.objects.get(source=CheckSource.PURELYMAIL).held_at


def test_what_the_mail_server_did_not_take_is_told_later(admin, monkeypatch, mailoutbox):
    change = held(CheckedDomainFactory(name="shop.example"))
    monkeypatch.setattr("domains.notices.notify_admins", lambda **_mail: False)
    assert notices.tell() == 0
    change.refresh_from_db()
    assert change.notified_at is None
    monkeypatch.undo()
    assert notices.tell() == 1
    assert notices.tell() == 0
    assert len(mailoutbox) == 2


def test_a_mail_that_cannot_be_written_keeps_its_news(admin, monkeypatch):
    change = held(CheckedDomainFactory())

    def broken(**_mail):
        raise ValueError("unforeseen")

    monkeypatch.setattr("domains.notices.notify_admins", broken)
    with pytest.raises(ValueError, match="unforeseen"):
        notices.tell()
    change.refresh_from_db()
    assert change.notified_at is None


def test_a_worker_killed_while_it_sends_leaves_the_news_to_a_later_tick(admin, monkeypatch):
    change = held(CheckedDomainFactory())
    known = []

    def sending(**_mail):
        known.append(DnsChange.objects.get(pk=change.pk).notified_at)
        return True

    monkeypatch.setattr("domains.notices.notify_admins", sending)
    assert notices.tell() == 1
    assert known == [None], "nothing counts as told before it is sent"


def test_a_domain_that_turned_out_to_be_shared_keeps_no_news_from_the_others(admin, mailoutbox):
    held(CheckedDomainFactory(is_shared=True), source=CheckSource.PURELYMAIL, after="failing")
    held(CheckedDomainFactory(name="shop.example"))
    notices.tell()
    assert mailoutbox[0].subject == "DNS fails: shop.example"


def test_one_mail_tells_of_all_domains_those_with_trouble_first(admin, mailoutbox):
    held(CheckedDomainFactory(name="a.example"), before="wrong", after="ok")
    held(CheckedDomainFactory(name="xn--bcher-kva.example"))
    held(CheckedDomainFactory(name="z.example"), subject="dkim1")
    notices.tell()
    mail = mailoutbox[0]
    assert mail.subject == "DNS fails: bücher.example and 1 more"
    assert mail.body.index("bücher.example") < mail.body.index("a.example")
    html = mail.alternatives[0][0]
    assert "DKIM key 1" in html
    assert mail.body.count("http") == 3


def test_an_own_policy_and_an_accepted_record_are_told_without_alarm(shop, admin, mailoutbox):
    Domain.objects.update(passes_dmarc=False)
    shop.records.filter(key=RecordKey.DMARC).update(
        state=RecordState.NOTICE, found=["v=DMARC1; p=reject"]
    )
    held(shop, source=CheckSource.PURELYMAIL, subject="dmarc", after="failing")
    shop.records.filter(key=RecordKey.MX).update(state=RecordState.WRONG, found=["10 a.example"])
    accept_deviation(domain=shop, key="mx", reason="A filter stands before it.")
    held(shop, after="wrong")
    notices.tell()
    assert mailoutbox[0].subject == "DNS has changed: shop.example"
    assert "(Own policy)" in mailoutbox[0].body
    assert "(Accepted)" in mailoutbox[0].body


def test_what_the_other_source_told_is_not_told_again_but_the_next_turn_is(admin, mailoutbox):
    domain = CheckedDomainFactory()
    DnsRecordFactory(domain=domain)
    held(domain)
    assert notices.tell() == 1
    held(domain, source=CheckSource.PURELYMAIL, before="ok", after="failing")
    assert notices.tell() == 0
    held(domain, before="missing", after="ok")
    assert notices.tell() == 1
    held(domain, source=CheckSource.PURELYMAIL, before="ok", after="failing")
    assert notices.tell() == 1, "news again"


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_it_once(admin, mailoutbox):
    for number in range(5):
        held(CheckedDomainFactory(name=f"d{number}.example"))
    barrier = threading.Barrier(4)
    told = []

    def compete():
        try:
            barrier.wait()
            told.append(notices.tell())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 5
    assert len(mailoutbox) == 2, "one mail to each of two"


def test_history_is_kept_for_a_year(admin):
    domain = CheckedDomainFactory()
    held(domain, at=timezone.now() - timedelta(days=366))
    young = held(domain, at=timezone.now() - timedelta(days=360))
    forget_old()
    assert DnsChange.objects.get() == young


def test_the_clock_knows_the_three_tasks():
    minutes = {item.task: item.minutes for item in SCHEDULES}
    assert minutes["domains.tasks.recheck_due"] == 5
    assert minutes["domains.tasks.look_up_due"] == 5
    assert minutes["domains.tasks.forget_old_changes"] == 24 * 60
