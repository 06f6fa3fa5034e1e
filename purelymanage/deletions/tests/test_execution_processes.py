"""Real worker processes, killed and stopped at the worst moments, and people who cancel then."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connections
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry, Outcome
from domains.models import Domain
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.forks import Nursery
from purelymanage.deletions.tests.world import (
    ASKS,
    DELETES,
    DOMAIN,
    KINDS,
    MARA,
    counting_effects,
    lapse,
    populate,
    schedule,
)
from purelymanage.jobs.tests.processes import gone, settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RUNS = 50
LATE = 2.0  # as no pause of a busy machine is
MAILBOX = DeletionKind.MAILBOX


@pytest.fixture
def effects(monkeypatch):
    return counting_effects(monkeypatch)


@pytest.fixture
def workers(purelymail):
    nursery = Nursery(purelymail)
    yield nursery
    nursery.close()


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)
    if number == signal.SIGKILL:
        assert settles(lambda: gone([pid]), 10)


@pytest.mark.parametrize(
    ("has_effect_first", "runs"), [(True, RUNS - 5), (False, 5)], ids=["after", "before"]
)
def test_two_workers_and_a_kill_between_call_and_record_delete_exactly_once(
    purelymail, workers, effects, has_effect_first, runs
):
    """The call has had its effect when its worker dies, or is still under way and mostly arrives
    after the next worker has asked."""
    table = Counter()
    for number in range(runs):
        world = populate(purelymail)
        kind = KINDS[number % 3]
        deletion = schedule(world, kind)
        entries = Entry.objects.filter(action=Action.DELETION_EXECUTED).order_by("pk")
        before = entries.count()
        purelymail.fault(DELETES[kind], "latency", seconds=LATE, after=has_effect_first)
        called_at = kill_in_call(workers, partial(world.deletions, kind))
        assert effects[DELETES[kind]] == int(has_effect_first)
        deletion.refresh_from_db()
        assert deletion.is_pending
        assert deletion.called_at
        assert run_due() == [], "its lease is respected"
        lapse(deletion)
        workers.run(1 + number % 2)
        if not has_effect_first:
            time.sleep(max(0, called_at + LATE + 0.05 - time.monotonic()))
        deletion.refresh_from_db()
        assert deletion.state == DeletionState.EXECUTED
        assert ("earlier try" in deletion.note) or not has_effect_first
        assert not world.is_there(kind)
        assert not world.is_in_copy(kind)
        assert effects[DELETES[kind]] == 1
        assert [outcome_of(entry) for entry in entries[before:]] == ["interrupted", "ok"]
        table[kind.value, f"{world.deletions(kind)} calls", "1 deleted"] += 1
        clear(purelymail, effects)
    tell(table)


def kill_in_call(workers, calls):
    """Begin two workers, and kill the one that has told PurelyMail to delete; when it had."""
    pids = [workers.begin(), workers.begin()]
    assert settles(calls, 30)
    called_at = time.monotonic()
    assert settles(lambda: gone(pids[:1]) != gone(pids[1:]), 10), "the other one found nothing"
    kill(next(pid for pid in pids if not gone([pid])))
    return called_at


def clear(purelymail, effects):
    PendingDeletion.objects.all().delete()
    Domain.objects.all().delete()
    purelymail.server.service.reset()
    effects.clear()


def tell(table):
    """`pytest -rP` shows it."""
    for what, number in sorted(table.items(), key=str):
        sys.stdout.write(f"{number:3} x {what}\n")


def outcome_of(entry):
    outcome = Outcome.objects.filter(entry=entry).first()
    return outcome.result if outcome else "interrupted"


def test_a_kill_at_any_moment_of_a_try_loses_and_doubles_nothing(purelymail, workers, effects):
    table = Counter()
    for number in range(15):
        world = populate(purelymail)
        deletions = [schedule(world, kind) for kind in (DeletionKind.RULE, MAILBOX)]
        pids = [workers.begin(), workers.begin()]
        time.sleep(number * 0.015)
        for pid in pids:
            if not gone([pid]):
                kill(pid)
        table[f"{PendingDeletion.objects.pending().count()} left"] += 1
        assert settles(partial(nothing_is_left, workers), 30)
        for deletion in deletions:
            deletion.refresh_from_db()
            assert deletion.state == DeletionState.EXECUTED
            assert not world.is_there(deletion.kind)
            assert effects[DELETES[deletion.kind]] == 1
        clear(purelymail, effects)
    tell(table)


def nothing_is_left(workers):
    """Let leases and pauses pass, and two workers try once more."""
    pending = PendingDeletion.objects.pending()
    if pending.update(lease_until=timezone.now() - timedelta(seconds=1), try_after=None):
        workers.run(2)
    return not pending.exists()


def test_two_workers_share_what_is_due(purelymail, workers, effects):
    world = populate(purelymail)
    addresses = [f"m{number}@{DOMAIN}" for number in range(20)]
    for address in addresses:
        purelymail.state.add_user(address)
        MailboxFactory(address=address)
        schedule(world, MAILBOX, key=address)
    purelymail.fault("getUser", "latency", seconds=0.02, times=None)
    workers.run(2)
    assert set(PendingDeletion.objects.values_list("state", "tries")) == {("executed", 1)}
    assert purelymail.calls["deleteUser"] == effects["deleteUser"] == 20


def test_a_worker_stopped_past_its_lease_wakes_up_and_deletes_nothing(purelymail, workers, effects):
    """Meanwhile the mailbox was deleted by another worker, and made anew by somebody."""
    world = populate(purelymail)
    deletion = schedule(world, MAILBOX)
    purelymail.fault(ASKS[MAILBOX], "latency", seconds=LATE, after=True)
    sleeper = workers.begin()
    assert settles(lambda: purelymail.calls[ASKS[MAILBOX]] == 1, 30)
    kill(sleeper, signal.SIGSTOP)
    lapse(deletion)
    workers.run()
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.EXECUTED
    purelymail.state.add_user(MARA)
    MailboxFactory(address=MARA)
    time.sleep(LATE)
    kill(sleeper, signal.SIGCONT)
    assert settles(lambda: gone([sleeper]), 10)
    assert world.is_there(MAILBOX)
    assert Mailbox.objects.filter(address=MARA).exists()
    assert purelymail.calls["deleteUser"] == 1
    deletion.refresh_from_db()
    assert (deletion.state, deletion.note) == (DeletionState.EXECUTED, "")


def test_a_worker_stopped_in_its_call_does_not_rewrite_how_it_ended(purelymail, workers, effects):
    world = populate(purelymail)
    deletion = schedule(world, MAILBOX)
    purelymail.fault("deleteUser", "latency", seconds=LATE, after=True)
    sleeper = workers.begin()
    assert settles(lambda: effects["deleteUser"] == 1, 30)
    kill(sleeper, signal.SIGSTOP)
    lapse(deletion)
    workers.run()
    deletion.refresh_from_db()
    before = PendingDeletion.objects.values().get()
    assert "earlier try" in deletion.note
    kill(sleeper, signal.SIGCONT)
    assert settles(lambda: gone([sleeper]), 10)
    assert PendingDeletion.objects.values().get() == before
    assert purelymail.calls["deleteUser"] == 1


def test_of_cancelling_and_executing_at_once_exactly_one_wins(purelymail, effects, record_property):
    table = Counter()
    for number in range(RUNS):
        world = populate(purelymail)
        deletion = schedule(world, MAILBOX)
        outcome = cancel_while_executing(deletion, head_start=(number - RUNS // 2) * 0.0004)
        deletion.refresh_from_db()
        if outcome == "cancelled":
            assert deletion.state == DeletionState.CANCELLED
            assert world.is_there(MAILBOX)
            assert purelymail.calls["deleteUser"] == 0
        else:
            assert "being deleted just now" in outcome or "deleted already" in outcome
            assert deletion.state == DeletionState.EXECUTED
            assert not world.is_there(MAILBOX)
            assert effects["deleteUser"] == 1
        table[outcome] += 1
        clear(purelymail, effects)
    tell(table)


def cancel_while_executing(deletion, *, head_start):
    """How cancelling ended. The execution begins so many seconds before, or after."""
    start = threading.Barrier(2)
    outcomes = []

    def execute():
        start.wait(timeout=30)
        time.sleep(max(0.0, -head_start))
        run_due()
        connections.close_all()

    def cancel():
        start.wait(timeout=30)
        time.sleep(max(0.0, head_start))
        try:
            cancel_deletion(deletion=PendingDeletion.objects.get(pk=deletion.pk))
            outcomes.append("cancelled")
        except RefusedError as error:
            outcomes.append(error.message)
        connections.close_all()

    threads = [threading.Thread(target=one) for one in (execute, cancel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes[0]
