"""Rechecks: the right domains, in the right order, with few calls and never in a storm."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains import copy, rechecks, tasks
from domains.models import Domain, Kind, SyncState
from domains.rechecks import tick, want_recheck
from domains.services import refresh_domains
from domains.tests.factories import CheckedDomainFactory, DomainFactory
from purelymanage.jobs.locks import only_one
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import ApiRefusedError

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def asked(purelymail, monkeypatch):
    """The names PurelyMail was asked to recheck, in order."""
    names = []
    client = get_client()
    update = client.update_domain_settings

    def noted(**fields):
        names.append(fields["name"])
        return update(**fields)

    monkeypatch.setattr(client, "update_domain_settings", noted)
    return names


def at_purelymail(purelymail, *names, **checks):
    for name in names:
        purelymail.state.add_domain(name, **checks)


def checked(name, *, ago, **facts):
    """A domain that was rechecked so many minutes ago."""
    now = timezone.now()
    return CheckedDomainFactory(name=name, checked_at=now - timedelta(minutes=ago), **facts)


def test_tiers_come_in_order_and_the_oldest_first_in_each(purelymail, asked, clock):
    checked("healthy.example", ago=26 * 60)
    checked("healthier.example", ago=25 * 60)
    checked("failing.example", ago=31, passes_spf=False)
    checked("failed.example", ago=45, passes_spf=False)
    DomainFactory(name="new.example")
    wanted = checked("wanted.example", ago=1)
    want_recheck([wanted])
    checked("rested.example", ago=60)
    checked("failing-just-now.example", ago=29, passes_mx=False)
    DomainFactory(name="shared.example", is_shared=True)
    for domain in Domain.objects.ours():
        at_purelymail(purelymail, domain.name)
    assert tick() == 6
    assert asked == [
        "wanted.example",
        "new.example",
        "failed.example",
        "failing.example",
        "healthy.example",
        "healthier.example",
    ]


def test_a_tick_takes_twenty_and_lists_once(purelymail):
    at_purelymail(purelymail, *(f"d{number}.example" for number in range(45)))
    refresh_domains()
    before = purelymail.calls
    assert tick() == 20
    assert purelymail.calls - before == {"updateDomainSettings": 20, "listDomains": 1}
    assert (tick(), tick(), tick()) == (20, 5, 0)
    assert purelymail.calls - before == {"updateDomainSettings": 45, "listDomains": 3}


def test_a_new_domain_is_checked_at_once_and_its_first_verdict_is_no_change(purelymail):
    at_purelymail(purelymail, "new.example", spf=False)
    refresh_domains()
    domain = Domain.objects.get()
    assert (domain.failing_count, domain.checked_at) == (4, None)
    purelymail.state.publish_dns("new.example", mx=True, spf=True, dkim=True, dmarc=True)
    tick()
    domain.refresh_from_db()
    assert (domain.failing_count, domain.failing) == (0, [])
    assert domain.checked_at
    assert not domain.dns_changes.exists()


def test_healthy_is_checked_after_a_day_and_never_earlier(purelymail, clock):
    at_purelymail(purelymail, *(f"d{number}.example" for number in range(5)))
    refresh_domains()
    tick()
    clock.shift(timedelta(hours=23, minutes=59))
    assert tick() == 0
    clock.shift(timedelta(hours=1, minutes=10))
    assert tick() == 5, "a batch stays together, so that it costs one list"


def test_failing_is_checked_after_half_an_hour_until_it_is_repaired(purelymail, clock):
    at_purelymail(purelymail, "shop.example", spf=False)
    refresh_domains()
    tick()
    clock.shift(timedelta(minutes=29))
    assert tick() == 0
    clock.shift(timedelta(minutes=2))
    purelymail.state.publish_dns("shop.example", mx=True, spf=True, dkim=True, dmarc=True)
    assert tick() == 1
    assert Domain.objects.get().failing_count == 0
    clock.shift(timedelta(hours=12))
    assert tick() == 0


def test_asking_puts_it_first_and_on_record_and_is_done_once(purelymail, clock):
    domain = checked("shop.example", ago=1)
    at_purelymail(purelymail, "shop.example")
    want_recheck([domain])
    want_recheck([domain])
    assert tick() == 1
    assert tick() == 0
    entries = Entry.objects.filter(action=Action.DOMAIN_RECHECKED)
    assert [entry.target for entry in entries] == ["shop.example"] * 2


def test_a_shared_domain_cannot_be_asked_for(purelymail):
    want_recheck([DomainFactory(is_shared=True)])
    assert tick() == 0
    assert not purelymail.calls


def test_what_is_asked_for_during_its_recheck_is_checked_again(purelymail, monkeypatch):
    domain = checked("shop.example", ago=40, passes_mx=False)
    at_purelymail(purelymail, "shop.example")
    sent = []
    monkeypatch.setattr("domains.rechecks.enqueue", sent.append)
    client = get_client()
    update = client.update_domain_settings

    def slow(**fields):
        update(**fields)
        want_recheck([domain])

    monkeypatch.setattr(client, "update_domain_settings", slow)
    tick()
    domain.refresh_from_db()
    assert domain.recheck_wanted_at
    assert sent[-1] == "domains.tasks.recheck_due"
    assert len(sent) == 3


def test_a_refusal_is_noted_on_its_domain_and_the_others_go_on(purelymail, clock, monkeypatch):
    odd = checked("odd.example", ago=50, passes_mx=False)
    checked("shop.example", ago=40, passes_mx=False)
    at_purelymail(purelymail, "odd.example", "shop.example", mx=False)
    client = get_client()
    update = client.update_domain_settings

    def refuse_one(**fields):
        if fields["name"] == "odd.example":
            raise ApiRefusedError("PurelyMail will not check odd.example.")
        update(**fields)

    monkeypatch.setattr(client, "update_domain_settings", refuse_one)
    assert tick() == 1
    odd.refresh_from_db()
    assert odd.recheck_error == "PurelyMail will not check odd.example."
    assert odd.checked_at == START - timedelta(minutes=50)
    assert tick() == 0, "not at the next tick"
    monkeypatch.undo()
    clock.shift(timedelta(minutes=31))
    assert tick() == 2
    odd.refresh_from_db()
    assert odd.recheck_error == ""
    assert odd.checked_at == timezone.now()


def test_a_domain_that_left_the_account_loses_its_row(purelymail):
    checked("gone.example", ago=50, passes_mx=False)
    at_purelymail(purelymail, "shop.example")
    assert tick() == 0
    assert not Domain.objects.filter(name="gone.example").exists()


def test_an_outage_stops_the_batch_counts_nothing_as_checked_and_is_met_with_patience(
    purelymail, clock
):
    names = [f"d{number:02}.example" for number in range(30)]
    at_purelymail(purelymail, *names, mx=False)
    for name in names:
        checked(name, ago=40, passes_mx=False)
    purelymail.down()
    before = purelymail.calls.total()
    counts = []
    for _tick in range(13):  # an hour
        tick()
        counts.append(purelymail.calls.total())
        clock.shift(timedelta(minutes=5))
    tries = [late - early for early, late in zip([before, *counts], counts, strict=False)]
    assert max(tries) == 6, "one recheck and one list, each tried three times"
    assert sum(tries[6:]) <= 12, "tries get rarer"
    assert not Domain.objects.filter(checked_at__gte=START).exists()
    assert Domain.objects.exclude(recheck_error="").count() <= 6
    purelymail.up()
    copy.refresh([Kind.DOMAINS])
    assert tick() == 20


def test_an_invalid_token_stops_the_batch_too(purelymail):
    names = ["one.example", "two.example"]
    at_purelymail(purelymail, *names)
    for name in names:
        checked(name, ago=40, passes_mx=False)
    purelymail.fault("updateDomainSettings", "invalid_token", times=None)
    tick()
    assert purelymail.calls["updateDomainSettings"] == 1


def test_a_domain_whose_recheck_never_ends_does_not_keep_the_others_from_theirs(purelymail, clock):
    slow = checked("slow.example", ago=60, passes_mx=False)
    checked("shop.example", ago=40, passes_mx=False)
    at_purelymail(purelymail, "slow.example", "shop.example", mx=False)
    want_recheck([slow])
    purelymail.fault("updateDomainSettings", "drop_after", times=3)
    assert tick() == 0
    clock.shift(timedelta(minutes=5))
    assert tick() == 1
    slow.refresh_from_db()
    assert slow.checked_at == START - timedelta(minutes=60)
    assert "not known" in slow.recheck_error


def test_after_a_crash_what_was_rechecked_is_not_repeated_and_its_verdict_comes(
    purelymail, monkeypatch, clock
):
    for name in ("one.example", "two.example", "three.example"):
        at_purelymail(purelymail, name)
        checked(name, ago=40, passes_mx=False)
    client = get_client()
    update = client.update_domain_settings
    names = []

    def crash_at_second(**fields):
        names.append(fields["name"])
        if len(names) == 2:
            raise SystemExit
        update(**fields)

    monkeypatch.setattr(client, "update_domain_settings", crash_at_second)
    with pytest.raises(SystemExit):
        tick()
    assert tick() == 2
    assert names[2:] == sorted(set(names[1:]))
    assert Domain.objects.get(name=names[0]).failing_count == 0, "by the next list"


def test_a_list_that_was_asked_for_too_early_is_not_taken_for_ours(purelymail, monkeypatch):
    """Another refresh holds the lock at first; the batch waits for its turn."""
    checked("shop.example", ago=40, passes_mx=False)
    at_purelymail(purelymail, "shop.example")
    busy = only_one("copy.domains", seconds=60)
    busy.__enter__()
    monkeypatch.setattr(rechecks.time, "sleep", lambda _seconds: busy.__exit__(None, None, None))
    tick()
    assert Domain.objects.get().failing_count == 0


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_are_one(purelymail):
    names = [f"d{number}.example" for number in range(10)]
    at_purelymail(purelymail, *names)
    refresh_domains()
    barrier = threading.Barrier(4)
    done = []

    def compete():
        try:
            barrier.wait()
            done.append(tick())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 10
    assert purelymail.calls["updateDomainSettings"] == 10


def test_fifty_healthy_domains_cost_one_call_each_and_a_few_lists_a_day(purelymail, clock):
    for number in range(50):
        at_purelymail(purelymail, f"d{number}.example")
    refresh_domains()
    for _tick in range(12):
        tasks.recheck_due()
        clock.shift(timedelta(minutes=5))
    before = purelymail.calls
    for _tick in range(25 * 12):
        tasks.recheck_due()
        clock.shift(timedelta(minutes=5))
    spent = purelymail.calls - before
    assert spent["updateDomainSettings"] == 50
    assert spent["listDomains"] <= 4


def test_no_outage_no_pause():
    SyncState.objects.create(name=Kind.DOMAINS)
    assert not rechecks._must_wait(timezone.now())
