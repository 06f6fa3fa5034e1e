"""Our own lookups against a real DNS server: what they see, and what silence does not do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from domains import lookups, tasks
from domains.checks import check_views, own_views, with_health
from domains.lookups import look_up_due, resolver_outage
from domains.models import DnsChange, Domain, PurelyMailAccount, RecordKey, RecordState
from domains.rechecks import tick, want_recheck
from domains.services import refresh_domains
from domains.testing import CODE
from domains.tests.factories import CheckedDomainFactory, DomainFactory
from domains.tests.looking import look_up_now

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TICK = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _account(db, purelymail):
    PurelyMailAccount.objects.create(ownership_code=CODE)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START) as traveller:
        yield traveller


@pytest.fixture
def healthy(purelymail, dns):
    """A healthy domain that PurelyMail and we have seen."""
    return watched(purelymail, dns, "shop.example")


def watched(purelymail, dns, name):
    purelymail.state.add_domain(name)
    dns.publish(name)
    domain = CheckedDomainFactory(name=name, recheck_after=timezone.now() + timedelta(hours=25))
    look_up_now(domain)
    return domain


def records(domain):
    return {row.key: row for row in domain.records.all()}


def own_states(domain):
    return [view.state for view in own_views(with_health(Domain.objects).get(pk=domain.pk))]


def test_a_lookup_writes_seven_rows_and_is_due_again_in_about_an_hour(healthy, dns, clock):
    look_up_now(healthy)
    rows = records(healthy)
    assert set(rows) == set(RecordKey)
    assert {row.state for row in rows.values()} == {RecordState.OK}
    assert rows["mx"].found == ["50 mailserver.purelymail.com"]
    healthy.refresh_from_db()
    pause = healthy.look_after - healthy.looked_at
    assert timedelta(minutes=55) <= pause <= timedelta(minutes=65)
    assert not DnsChange.objects.exists()


def test_only_those_whose_turn_it_is_are_looked_up_and_never_shared_ones(dns, clock):
    for name in ("a.example", "b.example"):
        dns.publish(name)
        DomainFactory(name=name)
    DomainFactory(name="purelymail.example", is_shared=True)
    assert look_up_due() == 2
    assert look_up_due() == 0
    clock.shift(timedelta(minutes=66))
    assert look_up_due() == 2
    assert ("purelymail.example", "MX") not in dns.queries


def test_a_change_is_looked_at_again_at_the_next_tick_and_has_purelymail_look_too(
    healthy, dns, purelymail, clock
):
    dns.remove("purelymail2._domainkey.shop.example", "CNAME")
    purelymail.state.publish_dns("shop.example", mx=True, spf=True, dkim=False, dmarc=True)
    clock.move_to(START + timedelta(hours=2))
    assert tick() == 0
    look_up_due()
    change = DnsChange.objects.get()
    assert (change.subject, change.before, change.after) == ("dkim2", "ok", "missing")
    assert change.held_at is None
    assert tick() == 1, "as soon as our own lookup saw it change"
    healthy.refresh_from_db()
    assert healthy.failing_count == 1
    words = {view.check: view.words for view in check_views(with_health(Domain.objects).get())}
    assert words["dkim"] == "1 of 3 missing"
    clock.shift(TICK)
    look_up_due()
    change.refresh_from_db()
    assert change.held_at
    clock.shift(TICK)
    assert look_up_due() == 0, "it held, so an hour is soon enough again"


def test_another_value_in_the_same_state_is_rechecked_too_but_is_no_change_of_state(
    healthy, dns, clock
):
    dns.set("shop.example", "TXT", CODE, "v=spf1 include:a.example -all")
    look_up_now(healthy)
    Domain.objects.update(recheck_wanted_at=None)
    clock.move_to(START + timedelta(hours=2))
    dns.set("shop.example", "TXT", CODE, "v=spf1 include:b.example -all")
    look_up_due()
    assert Domain.objects.get().recheck_wanted_at
    assert DnsChange.objects.count() == 1


def test_a_record_that_flaps_ends_its_change_and_costs_two_calls_an_hour_at_most(
    healthy, dns, purelymail, clock
):
    clock.move_to(START + timedelta(hours=2))
    before = purelymail.calls["updateDomainSettings"]
    for number in range(24):  # two hours
        if number % 2:
            dns.publish("shop.example")
        else:
            dns.remove("shop.example", "MX")
        Domain.objects.update(look_after=None)
        look_up_due()
        tick()
        clock.shift(TICK)
    assert not DnsChange.objects.filter(held_at__isnull=False).exists()
    assert DnsChange.objects.filter(ended_at__isnull=False).count() == 12
    assert purelymail.calls["updateDomainSettings"] - before <= 5


def test_a_resolver_down_for_a_day_turns_nothing_red_and_causes_no_call(dns, purelymail, clock):
    domains = [watched(purelymail, dns, f"d{number}.example") for number in range(12)]
    refresh_domains()
    dns.down()
    calls = purelymail.calls
    for _time in range(8):
        clock.shift(timedelta(hours=3))
        asked = dns.queries.total()
        tasks.look_up_due()
        assert dns.queries.total() - asked <= 5 * 6 * 4, "the first few silent ones end the tick"
        tasks.recheck_due()
    assert purelymail.calls == calls
    assert timedelta(hours=3) < resolver_outage() - START < timedelta(hours=3, minutes=1)
    rows = with_health(Domain.objects).all()
    assert {view.state for row in rows for view in check_views(row)} == {"ok"}
    assert set(own_states(domains[0])) == {"no_answer"}
    row = records(domains[0])["mx"]
    assert (row.state, row.is_answered, row.shown_state) == ("ok", False, "no_answer")
    assert row.found == ["50 mailserver.purelymail.com"]
    assert row.problem
    assert not DnsChange.objects.exists()
    dns.up()
    Domain.objects.update(recheck_after=timezone.now() + timedelta(days=1))
    clock.shift(timedelta(minutes=31))
    for _tick in range(2):
        clock.shift(TICK)
        tasks.look_up_due()
        tasks.recheck_due()
    assert resolver_outage() is None
    assert set(own_states(domains[0])) == {"ok"}
    assert purelymail.calls == calls, "no storm when it is back"
    assert not DnsChange.objects.exists()


def test_when_the_resolver_is_back_nobody_waits_out_a_pause(dns, purelymail, clock):
    domains = [watched(purelymail, dns, f"d{number}.example") for number in range(5)]
    dns.down()
    for _time in range(4):
        clock.shift(timedelta(hours=2))
        look_up_due()
    assert resolver_outage()
    dns.up()
    Domain.objects.filter(pk=domains[0].pk).update(look_after=None)
    assert look_up_due() == 1
    assert resolver_outage() is None
    assert look_up_due() == 4


def test_silence_is_asked_again_with_growing_patience(healthy, dns, clock):
    dns.down()
    clock.move_to(START + timedelta(hours=2))
    pauses = []
    for _try in range(5):
        look_up_due()
        healthy.refresh_from_db()
        pauses.append(healthy.look_after - timezone.now())
        clock.move_to(healthy.look_after)
    assert pauses[0] < timedelta(minutes=5)
    assert pauses[:4] == sorted(pauses[:4])
    assert all(pause <= timedelta(minutes=31) for pause in pauses)


def test_one_dead_domain_is_no_outage_and_holds_up_nobody(dns, purelymail, clock):
    for number in range(6):
        watched(purelymail, dns, f"d{number}.example")
    DomainFactory(name="dead.example", look_after=START - timedelta(days=1))
    dns.register("dead.example")
    for name in ("", "purelymail1._domainkey.", "purelymail2._domainkey.",
                 "purelymail3._domainkey.", "_dmarc."):  # fmt: skip
        dns.fail(f"{name}dead.example", "*", "servfail")
    clock.shift(timedelta(hours=2))
    assert look_up_due() == 6
    assert resolver_outage() is None
    assert Domain.objects.get(name="dead.example").unanswered_since


def test_a_record_that_alone_stays_silent_keeps_its_last_answer(healthy, dns, clock):
    dns.fail("shop.example", "MX", "servfail")
    look_up_now(healthy)
    healthy.refresh_from_db()
    assert healthy.unanswered_since is None
    assert own_states(healthy) == ["no_answer", "ok", "ok", "ok"]
    assert not DnsChange.objects.exists()
    dns.heal()
    look_up_now(healthy)
    assert own_states(healthy) == ["ok"] * 4
    assert not DnsChange.objects.exists(), "no answer is never a change"


def test_a_domain_deleted_while_we_asked_is_let_go(dns, monkeypatch):
    domain = DomainFactory(name="shop.example")
    dns.publish("shop.example")
    look_up = lookups.dns.look_up

    def delete_meanwhile(name, **facts):
        found = look_up(name, **facts)
        Domain.objects.all().delete()
        return found

    monkeypatch.setattr(lookups.dns, "look_up", delete_meanwhile)
    look_up_now(domain)
    assert not Domain.objects.exists()


def test_what_breaks_on_one_domain_is_logged_and_the_others_are_looked_up(dns, monkeypatch, caplog):
    for name in ("a.example", "b.example"):
        DomainFactory(name=name)
        dns.publish(name)
    look_up = lookups.dns.look_up

    def break_one(name, **facts):
        if name == "a.example":
            raise ValueError("unforeseen")
        return look_up(name, **facts)

    monkeypatch.setattr(lookups.dns, "look_up", break_one)
    assert look_up_due() == 1
    assert "Could not look up a.example" in caplog.text
    assert look_up_due() == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_what_comes_during_a_round_is_looked_up_right_after_it(healthy, monkeypatch, is_new):
    DomainFactory(name="other.example")
    look_up_all, sent = lookups._look_up_all, []

    def slowly(domains):
        answered = look_up_all(domains)
        DomainFactory(name="new.example") if is_new else want_recheck([healthy])
        return answered

    monkeypatch.setattr(lookups, "_look_up_all", slowly)
    monkeypatch.setattr(lookups, "enqueue", sent.append)
    look_up_due()
    assert sent == ["domains.tasks.look_up_due"]
    monkeypatch.setattr(lookups, "_look_up_all", look_up_all)
    look_up_due()
    assert len(sent) == 1, "and no more than once"


def test_a_domain_costs_few_queries(healthy, dns, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        look_up_now(healthy)


@pytest.mark.django_db(transaction=True)
def test_two_lookups_at_once_leave_one_row_per_record_and_one_change(dns):
    PurelyMailAccount.objects.update_or_create(pk=1, defaults={"ownership_code": CODE})
    dns.publish("shop.example")
    domain = DomainFactory(name="shop.example")
    look_up_now(domain)
    dns.remove("shop.example", "MX")
    barrier = threading.Barrier(4)

    def look():
        try:
            barrier.wait()
            look_up_now(domain)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert domain.records.count() == 7
    assert domain.dns_changes.count() == 1
    assert domain.dns_changes.get().held_at is None, "looks at the same moment are one look"
