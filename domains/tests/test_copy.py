"""The local copy follows PurelyMail, and never loses rows to an odd answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains import copy
from domains.models import CreditReading, Domain, Kind, SyncState
from domains.services import (
    domains_called,
    ownership_code,
    read_credit,
    refresh_domains,
    request_refresh,
)
from domains.tasks import refresh_all, refresh_copy
from domains.tests.factories import CreditReadingFactory, DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import UnavailableError
from purelymanage.jobs.locks import only_one
from routing.models import RoutingRule

pytestmark = pytest.mark.django_db


def test_the_first_fill_takes_one_call_each_and_finds_no_drift(account):
    refresh_all()
    assert account.calls == {
        "listDomains": 1,
        "listUser": 1,
        "listRoutingRules": 1,
        "checkAccountCredit": 1,
        "getOwnershipCode": 1,
    }
    assert Domain.objects.get(name="shop.example").failing == ["SPF"]
    assert Mailbox.objects.get().address == "mara@lindenhof.example"
    assert RoutingRule.objects.get().targets == ["mara@lindenhof.example"]
    assert ownership_code() == account.state.ownership_code
    assert not Entry.objects.exists()
    assert all(state.synced_at for state in SyncState.objects.all())
    assert SyncState.objects.count() == len(Kind)


def test_the_refresh_somebody_asks_for_costs_three_calls(account):
    refresh_copy()
    assert account.calls == {"listDomains": 1, "listUser": 1, "listRoutingRules": 1}


def test_a_vanished_domain_goes_with_what_hangs_on_it(account):
    refresh_all()
    del account.state.domains["lindenhof.example"]
    account.state.users.clear()
    account.state.rules.clear()
    refresh_domains()
    assert list(Domain.objects.values_list("name", flat=True)) == ["shop.example"]
    assert not Mailbox.objects.exists()
    assert Entry.objects.get().target == "lindenhof.example"


def test_an_unchanged_account_writes_no_rows(account, django_assert_max_num_queries):
    refresh_domains()
    with django_assert_max_num_queries(10) as queries:
        refresh_domains()
    writes = [query["sql"] for query in queries if "domains_domain" in query["sql"]]
    assert all(sql.lstrip().startswith("SELECT") for sql in writes)


def test_a_value_no_database_takes_keeps_the_copy_and_says_so(account):
    refresh_all()
    rule = next(iter(account.state.rules.values()))
    account.state.rules[2**70] = replace(rule, id=2**70)
    results = copy.refresh([Kind.RULES, Kind.CREDIT])
    assert "no database takes" in str(results[Kind.RULES])
    assert results[Kind.CREDIT] == copy.Changes(added=1)
    assert RoutingRule.objects.count() == 1
    state = SyncState.objects.get(pk=Kind.RULES)
    assert state.failed_since
    assert not state.is_outage


def test_one_failing_part_does_not_hold_up_the_others(account):
    account.fault("listDomains", "http_500", times=None)
    results = copy.refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    assert isinstance(results[Kind.DOMAINS], UnavailableError)
    assert Mailbox.objects.count() == 1
    assert RoutingRule.objects.count() == 1


def test_a_refresh_leaves_a_part_to_another_that_is_at_it(account):
    with only_one("copy.domains", seconds=60) as is_alone:
        assert is_alone
        assert copy.refresh([Kind.DOMAINS, Kind.CREDIT]) == {Kind.CREDIT: copy.Changes(added=1)}
    assert account.calls["listDomains"] == 0
    assert copy.refresh([Kind.DOMAINS]) == {Kind.DOMAINS: copy.Changes(added=2)}


def test_a_row_made_while_purelymail_was_answering_stays(account, monkeypatch):
    """The panel creates a mailbox after PurelyMail wrote its answer and before we read it."""
    refresh_all()
    list_users = account.client.list_users

    def slow_answer():
        answer = list_users()
        MailboxFactory(address="meanwhile@lindenhof.example")
        return answer

    monkeypatch.setattr(account.client, "list_users", slow_answer)
    copy._readers[Kind.MAILBOXES]()
    assert Mailbox.objects.filter(address="meanwhile@lindenhof.example").exists()


def test_unknown_domains_are_entered_as_shared_once():
    DomainFactory(name="ours.example")
    rows = domains_called(["ours.example", "purelymail.com"])
    again = domains_called(["purelymail.com"])
    assert not rows["ours.example"].is_shared
    assert rows["purelymail.com"].is_shared
    assert again["purelymail.com"] == rows["purelymail.com"]


def test_a_shared_domain_leaves_with_its_last_mailbox(account):
    refresh_all()
    mailbox = MailboxFactory(address="mara@purelymail.com")
    Domain.objects.filter(name="purelymail.com").update(is_shared=True)
    refresh_domains()
    assert Domain.objects.filter(name="purelymail.com").exists()
    mailbox.delete()
    refresh_domains()
    assert not Domain.objects.filter(name="purelymail.com").exists()


def test_credit_of_seventy_digits_is_read_and_kept(purelymail):
    read_credit()
    assert CreditReading.objects.get().credit == Decimal("19.16079948")


def test_old_credit_readings_go(purelymail):
    CreditReadingFactory(at=timezone.now() - timedelta(days=500))
    read_credit()
    assert CreditReading.objects.count() == 1


def test_new_domains_are_looked_after_at_once_and_known_ones_in_their_turn(
    account, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr(
        "purelymanage.jobs.queue.async_task", lambda task, **_rest: sent.append(task)
    )
    for _first_and_second in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            refresh_copy()
    assert sent == ["domains.tasks.recheck_due", "domains.tasks.look_up_due"]


def test_what_waited_for_purelymail_is_looked_after_once_it_is_back(
    account, purelymail, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr(
        "purelymanage.jobs.queue.async_task", lambda task, **_rest: sent.append(task)
    )
    refresh_copy()
    purelymail.down()
    with django_capture_on_commit_callbacks(execute=True):
        refresh_copy()
    assert sent == []
    purelymail.up()
    with django_capture_on_commit_callbacks(execute=True):
        refresh_copy()
    assert sent == ["domains.tasks.recheck_due", "domains.tasks.look_up_due"]


def test_asking_for_a_refresh_enqueues_one_and_is_on_record(
    owner, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr(
        "purelymanage.jobs.queue.async_task", lambda task, **_rest: sent.append(task)
    )
    with django_capture_on_commit_callbacks(execute=True):
        request_refresh()
    assert sent == ["domains.tasks.refresh_copy"]
    assert SyncState.objects.get(pk=Kind.RULES).is_refreshing
    assert Entry.objects.get().action == Action.COPY_REFRESHED


def test_a_refresh_ends_being_awaited_with_its_answer_or_after_a_while(account):
    request_refresh()
    refresh_copy()
    state = SyncState.objects.get(pk=Kind.DOMAINS)
    assert not state.is_refreshing
    assert not state.is_overdue
    request_refresh()
    state.refresh_from_db()
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert not state.is_refreshing
        assert state.is_overdue
