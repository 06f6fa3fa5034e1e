"""What pages show of a check, and what accepting a record that differs does to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains.checks import check_views, own_views, record_views, with_health
from domains.models import Deviation, Domain, PurelyMailAccount, RecordKey, RecordState
from domains.rechecks import tick
from domains.services import accept_deviation, withdraw_deviation
from domains.tests.factories import CheckedDomainFactory, DnsRecordFactory, DomainFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import InvalidError, MissingError, RefusedError

pytestmark = pytest.mark.django_db
REASON = "A filter stands before it."


def states(domain, views=check_views):
    return {view.check: view.state for view in views(with_health(Domain.objects).get(pk=domain.pk))}


def view_of(domain, check, views=check_views):
    rows = views(with_health(Domain.objects).get(pk=domain.pk))
    return next(view for view in rows if view.check == check)


def record_of(domain, key):
    return next(view for view in record_views(Domain.objects.get(pk=domain.pk)) if view.key == key)


@pytest.fixture
def failing():
    """PurelyMail fails all four of it."""
    checks = dict.fromkeys(("passes_mx", "passes_spf", "passes_dkim", "passes_dmarc"), False)
    return CheckedDomainFactory(name="shop.example", **checks)


def found(domain, key, state, *values, **facts):
    return DnsRecordFactory(domain=domain, key=key, state=state, found=list(values), **facts)


def test_a_passed_check_is_ok_whatever_our_resolver_says():
    domain = CheckedDomainFactory()
    found(domain, "mx", RecordState.MISSING)
    assert set(states(domain).values()) == {"ok"}
    assert states(domain, own_views)["mx"] == "missing"


def test_a_domain_nobody_looked_at_is_unchecked_and_a_shared_one_has_no_checks():
    checks = dict.fromkeys(("passes_mx", "passes_spf", "passes_dkim"), False)
    assert states(DomainFactory(**checks)) == {
        "mx": "unchecked", "spf": "unchecked", "dkim": "unchecked", "dmarc": "ok"
    }  # fmt: skip
    assert states(DomainFactory(is_shared=True)) == {}


def test_a_failed_check_says_what_our_own_lookups_found(failing):
    found(failing, "mx", RecordState.WRONG, "10 mx.elsewhere.example")
    found(failing, "spf", RecordState.OK, "v=spf1 include:_spf.purelymail.com ~all")
    found(failing, "dkim1", RecordState.OK)
    found(failing, "dkim2", RecordState.MISSING)
    found(failing, "dkim3", RecordState.NO_ANSWER, answered_at=None, is_answered=False)
    found(failing, "dmarc", RecordState.NOTICE, "v=DMARC1; p=reject")
    assert states(failing) == {
        "mx": "wrong",
        "spf": "failing",
        "dkim": "missing",
        "dmarc": "notice",
    }
    assert view_of(failing, "dkim").words == "1 of 3 missing"
    assert not view_of(failing, "dmarc").is_failing
    assert states(failing, own_views)["spf"] == "ok"
    failing.records.filter(key="dkim1").update(state=RecordState.WRONG)
    assert view_of(failing, "dkim").words == "2 of 3 wrong"


def test_no_answer_is_grey_and_never_missing(failing):
    found(failing, "mx", RecordState.MISSING, is_answered=False, problem="ns1 was silent")
    own = view_of(failing, "mx", own_views)
    assert (own.state, own.tone, own.is_failing) == ("no_answer", "idle", False)
    row = record_of(failing, "mx")
    assert (row.state, row.problem, row.advice) == ("no_answer", "ns1 was silent", "")


def test_views_of_many_domains_cost_three_queries(django_assert_num_queries):
    for number in range(4):
        found(CheckedDomainFactory(name=f"d{number}.example", passes_mx=False), "mx", "wrong")
    with django_assert_num_queries(3):
        for domain in with_health(Domain.objects.all()):
            check_views(domain)
            own_views(domain)


def test_the_table_has_six_rows_and_seven_once_the_ownership_code_is_known(failing):
    assert len(record_views(failing)) == 6
    PurelyMailAccount.objects.create(ownership_code="purelymail_ownership_proof=abc")
    rows = record_views(failing)
    assert [row.key for row in rows] == RecordKey.values
    assert rows[2].expected == "purelymail_ownership_proof=abc"
    assert {row.state for row in rows} == {"unchecked"}


def test_an_accepted_record_is_healthy_with_who_and_why(failing, admin):
    found(failing, "mx", RecordState.WRONG, "10 filter.example", "20 filter2.example")
    with acting_as(person(admin)):
        accept_deviation(domain=failing, key="mx", reason=f"  {REASON} ")
    failing.refresh_from_db()
    assert failing.failing_count == 3
    assert view_of(failing, "mx").state == "accepted"
    row = record_of(failing, "mx")
    assert row.state == "accepted"
    assert (row.deviation.accepted_by, row.deviation.reason) == (admin, REASON)
    entry = Entry.objects.get(action=Action.DEVIATION_ACCEPTED)
    assert entry.target == "shop.example: MX, receiving"
    assert entry.after["reason"] == REASON


def test_the_order_of_values_means_nothing_but_another_value_ends_it(failing):
    row = found(failing, "mx", RecordState.WRONG, "10 a.example", "20 b.example")
    accept_deviation(domain=failing, key="mx", reason=REASON)
    row.found = ["20 b.example", "10 a.example"]
    row.save()
    assert view_of(failing, "mx").state == "accepted"
    row.found = ["10 c.example"]
    row.save()
    assert view_of(failing, "mx").state == "wrong"
    shown = record_of(failing, "mx")
    assert shown.deviation is None
    assert "It has changed since." in shown.lapse
    assert REASON in shown.lapse


def test_it_ends_with_its_last_day_and_counts_as_failing_from_the_next_tick(failing, purelymail):
    purelymail.state.add_domain("shop.example", mx=False)
    Domain.objects.update(passes_spf=True, passes_dkim=True, passes_dmarc=True)
    found(failing, "mx", RecordState.WRONG, "10 filter.example")
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)) as clock:
        Domain.objects.update(checked_at=timezone.now())
        accept_deviation(domain=failing, key="mx", reason=REASON, until=date(2026, 11, 20))
        failing.refresh_from_db()
        assert failing.failing_count == 0
        assert failing.recheck_after >= timezone.now() + timedelta(hours=24)
        clock.shift(timedelta(hours=11))
        assert tick() == 0
        assert view_of(failing, "mx").state == "accepted"
        clock.shift(timedelta(hours=2))
        assert tick() == 1
        failing.refresh_from_db()
        assert failing.failing_count == 1
        assert "until 20 Nov 2026" in record_of(failing, "mx").lapse


def test_one_of_three_keys_accepted_leaves_the_others_to_repair(failing):
    for key in ("dkim1", "dkim2"):
        found(failing, key, RecordState.MISSING)
    accept_deviation(domain=failing, key="dkim1", reason=REASON)
    assert view_of(failing, "dkim").words == "1 of 3 missing"
    accept_deviation(domain=failing, key="dkim2", reason=REASON)
    assert view_of(failing, "dkim").state == "accepted"


def test_withdrawing_counts_it_as_wrong_again(failing):
    found(failing, "mx", RecordState.WRONG, "10 filter.example")
    accept_deviation(domain=failing, key="mx", reason=REASON)
    withdraw_deviation(domain=failing, key="mx")
    failing.refresh_from_db()
    assert failing.failing_count == 4
    assert not Deviation.objects.exists()
    assert Entry.objects.get(action=Action.DEVIATION_WITHDRAWN).before["reason"] == REASON
    with pytest.raises(MissingError, match="not accepted any more"):
        withdraw_deviation(domain=failing, key="mx")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": REASON, "until": date(2020, 1, 1)}, "until"),
    ],
)
def test_what_is_typed_wrong_is_said_beside_its_field(failing, given, field):
    found(failing, "mx", RecordState.WRONG, "10 filter.example")
    with pytest.raises(InvalidError) as refused:
        accept_deviation(domain=failing, key="mx", **given)
    assert refused.value.field == field
    assert not Deviation.objects.exists()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": RecordState.OK}, "is right"),
        ({"state": RecordState.WRONG, "is_answered": False}, "no answer"),
        ({"key": "spf", "state": RecordState.WRONG}, "not looked up yet"),
    ],
)
def test_only_what_differs_as_we_know_can_be_accepted(failing, facts, words):
    DnsRecordFactory(domain=failing, **facts)
    with pytest.raises(RefusedError, match=words):
        accept_deviation(domain=failing, key="mx", reason=REASON)


def test_those_to_repair_and_those_passing_are_counted_without_loading_them(failing):
    CheckedDomainFactory.create_batch(3)
    DomainFactory(name="new.example")
    DomainFactory(is_shared=True, looked_at=timezone.now())
    assert (Domain.objects.passing().count(), Domain.objects.failing().count()) == (3, 1)
