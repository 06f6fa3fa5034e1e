"""An answer that loses much at once is not laid over the copy without a second look."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from domains import copy
from domains.models import Kind, SyncState
from domains.tasks import refresh_all, refresh_copy
from mailboxes.models import Mailbox
from routing.models import RoutingRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def twenty(account):
    """Twenty mailboxes, read."""
    for number in range(19):
        account.state.add_user(f"person{number}@lindenhof.example")
    refresh_all()
    return account


def keep(account, number):
    """PurelyMail lists only the first so many of its mailboxes; gives those left out."""
    hidden = dict(list(account.state.users.items())[number:])
    for address in hidden:
        del account.state.users[address]
    return hidden


def refresh_mailboxes():
    return copy.refresh([Kind.MAILBOXES])[Kind.MAILBOXES]


def state():
    return SyncState.objects.get(pk=Kind.MAILBOXES)


def test_an_empty_list_is_asked_for_again_and_the_copy_kept(account):
    refresh_all()
    account.state.users.clear()
    before = account.calls["listUser"]
    assert "lists no mailboxes" in str(refresh_mailboxes())
    assert account.calls["listUser"] == before + 2
    assert Mailbox.objects.count() == 1
    assert state().failed_since
    assert not state().is_outage


def test_an_empty_list_is_believed_after_an_hour_and_not_before(account):
    refresh_all()
    account.state.rules.clear()
    refresh_copy()
    refresh_copy()
    assert RoutingRule.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        refresh_copy()
    assert RoutingRule.objects.count() == 0
    assert SyncState.objects.get(pk=Kind.RULES).failed_since is None


def test_an_account_that_lists_something_again_starts_the_hour_anew(account):
    refresh_all()
    rules = dict(account.state.rules)
    account.state.rules.clear()
    refresh_copy()
    account.state.rules.update(rules)
    refresh_copy()
    account.state.rules.clear()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        refresh_copy()
    assert RoutingRule.objects.count() == 1


def test_a_list_that_lost_more_than_half_is_believed_when_the_next_refresh_finds_the_same(twenty):
    keep(twenty, 8)
    before = twenty.calls["listUser"]
    assert str(refresh_mailboxes()) == (
        "PurelyMail suddenly lists 8 of 20 mailboxes. "
        "The copy is kept until the next refresh finds the same."
    )
    assert twenty.calls["listUser"] == before + 2
    assert Mailbox.objects.count() == 20
    assert state().error.startswith("PurelyMail suddenly lists 8 of 20")
    assert not state().is_outage
    twenty.state.add_user("one.more@lindenhof.example")
    assert refresh_mailboxes() == copy.Changes(added=1, removed=12)
    assert (state().doubted_since, state().doubted_size, state().error) == (None, None, "")


def test_a_list_that_is_whole_again_at_the_second_look_is_no_loss(twenty, monkeypatch):
    hidden = keep(twenty, 8)
    list_users = twenty.client.list_users

    def answer():
        listed = list_users()
        twenty.state.users.update(hidden)
        return listed

    monkeypatch.setattr(twenty.client, "list_users", answer)
    assert refresh_mailboxes() == copy.Changes()
    assert Mailbox.objects.count() == 20
    assert state().doubted_since is None


def test_a_list_that_says_something_else_each_time_is_believed_after_an_hour(twenty):
    refresh = (9, 3)
    for number in refresh:
        keep(twenty, number)
        refresh_mailboxes()
        assert Mailbox.objects.count() == 20
    keep(twenty, 1)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert refresh_mailboxes() == copy.Changes(removed=19)


def test_half_of_a_few_rows_and_less_than_half_of_many_go_at_once(twenty):
    keep(twenty, 10)
    assert refresh_mailboxes() == copy.Changes(removed=10)
    keep(twenty, 9)
    refresh_mailboxes()
    keep(twenty, 2)
    assert refresh_mailboxes() == copy.Changes(removed=7)


def test_a_list_cut_off_at_its_limit_is_no_loss_of_what_it_cannot_hold(account, monkeypatch):
    refresh_all()
    monkeypatch.setattr("mailboxes.services.copies.MAX_LISTED_USERS", 4)
    domain = Mailbox.objects.get().domain
    rows = [Mailbox(address=f"{n}@lindenhof.example", domain=domain) for n in range(30)]
    Mailbox.objects.bulk_create(rows)
    for number in range(3):
        account.state.add_user(f"{number}@lindenhof.example")
    assert isinstance(refresh_mailboxes(), copy.Changes)
