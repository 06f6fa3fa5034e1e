"""Refreshes that meet each other, and refreshes that meet our own changes: threads, real HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connections

from audit.models import Entry
from domains import copy
from domains.models import Kind, SyncState
from domains.tasks import refresh_all
from mailboxes.models import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
MARA = "mara@lindenhof.example"


class Refresh(threading.Thread):
    """A refresh of the mailboxes in another process, as far as the database can tell."""

    def run(self) -> None:
        try:
            self.result = copy.refresh([Kind.MAILBOXES])
        finally:
            connections.close_all()


@contextmanager
def refresh_that_is_answered_late(account, *, times=1, seconds=0.6):
    """While PurelyMail has written its answer and it is still on its way to us."""
    account.fault("listUser", "latency", after=True, times=times, seconds=seconds)
    before = account.calls["listUser"]
    thread = Refresh()
    thread.start()
    while account.calls["listUser"] == before:
        time.sleep(0.01)
    time.sleep(0.1)
    yield thread
    thread.join()


def delete_mara(account):
    with copy.own_change(Kind.MAILBOXES):
        account.client.delete_user(address=MARA)
        Mailbox.objects.filter(address=MARA).delete()


def test_two_refreshes_at_once_are_one(account):
    refresh_all()
    before = account.calls["listUser"]
    account.fault("listUser", "latency", seconds=0.5)
    threads = [Refresh() for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.calls["listUser"] == before + 1
    assert [len(thread.result) for thread in threads].count(1) == 1


def test_an_answer_older_than_our_own_change_is_asked_for_again(account):
    account.state.add_user("other@lindenhof.example")
    refresh_all()
    before = account.calls["listUser"]
    with refresh_that_is_answered_late(account) as thread:
        delete_mara(account)
    assert account.calls["listUser"] == before + 2
    assert thread.result == {Kind.MAILBOXES: copy.Changes()}
    assert not Mailbox.objects.filter(address=MARA).exists()
    assert not Entry.objects.exists(), "no drift: it was us"


def test_changes_without_end_leave_it_to_the_next_refresh_without_an_error(account):
    refresh_all()
    before, tried_at = account.calls["listUser"], SyncState.objects.get(pk="mailboxes").tried_at
    with refresh_that_is_answered_late(account, times=None, seconds=0.3) as thread:
        while thread.is_alive():
            with copy.own_change(Kind.MAILBOXES):
                time.sleep(0.02)
    assert account.calls["listUser"] == before + 3
    assert thread.result == {}
    state = SyncState.objects.get(pk=Kind.MAILBOXES)
    assert (state.failed_since, state.error) == (None, "")
    assert state.tried_at > tried_at, "nobody waits for it any more"
    account.up()
    assert copy.refresh([Kind.MAILBOXES]) == {Kind.MAILBOXES: copy.Changes()}


def test_changes_of_other_parts_do_not_disturb_a_refresh(account):
    refresh_all()
    before = account.calls["listUser"]
    with refresh_that_is_answered_late(account), copy.own_change(Kind.RULES):
        pass
    assert account.calls["listUser"] == before + 1


def test_an_answer_that_outlived_its_lock_is_not_laid_over_a_newer_one(account, monkeypatch):
    account.state.add_user("other@lindenhof.example")
    refresh_all()
    monkeypatch.setattr(copy, "LOCK_SECONDS", 0)
    with refresh_that_is_answered_late(account) as thread:
        del account.state.users[MARA]
        newer = copy.refresh([Kind.MAILBOXES])
    assert newer == {Kind.MAILBOXES: copy.Changes(removed=1)}
    assert thread.result == {Kind.MAILBOXES: copy.Changes()}
    assert Mailbox.objects.count() == 1
    assert Entry.objects.count() == 1, "it vanished, and did not come back in between"
