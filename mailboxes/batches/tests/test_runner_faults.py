"""Batches whose worker dies, comes late or has company: nothing happens twice or is lost."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now

from audit.actions import Action
from audit.models import Entry
from mailboxes.batches import deeds, runner, services
from mailboxes.batches.models import BatchState, MailboxBatch, RowState
from mailboxes.batches.tests.helpers import (
    DOMAIN,
    drain,
    passwords_work,
    start,
    states,
    table,
)
from mailboxes.models import Mailbox
from purelymanage.core.context import acting_as, person
from purelymanage.core.roles import Role
from purelymanage.jobs.tests.processes import settles

pytestmark = pytest.mark.django_db


class Died(BaseException):
    """What is left of a worker that was killed: no cleaning up."""


def _die(*_, **__):
    raise Died


def lapse(batch):
    """The lease of a dead worker runs out."""
    MailboxBatch.objects.filter(pk=batch.pk).update(resume_at=Now())


def test_a_worker_that_died_between_call_and_note_is_known_by_the_audit_log(
    admin, domain, purelymail, monkeypatch
):
    batch = start(admin, table(3))
    real = runner._settle
    monkeypatch.setattr(
        runner,
        "_settle",
        lambda held, row, *rest: real(held, row, *rest) if row.line != 3 else _die(),
    )
    with pytest.raises(Died):
        runner.work()
    assert batch.rows.get(line=3).state == RowState.STARTED
    runner.work()
    assert purelymail.calls["createUser"] == 2, "its lease has not run out"
    monkeypatch.setattr(runner, "_settle", real)
    lapse(batch)
    drain()
    assert states(batch) == {"done": 3}
    assert purelymail.calls["createUser"] == 3
    assert passwords_work(purelymail, batch)


def test_a_mailbox_that_is_there_without_our_record_is_not_claimed_to_have_our_password(
    admin, domain, purelymail, monkeypatch
):
    batch = start(admin, table(2))
    real = deeds.create_mailbox

    def killed_in_it(**facts):
        purelymail.state.add_user(f"p00001@{DOMAIN}", password="whose?")
        raise Died

    monkeypatch.setattr(deeds, "create_mailbox", killed_in_it)
    with pytest.raises(Died):
        runner.work()
    monkeypatch.setattr(deeds, "create_mailbox", real)
    lapse(batch)
    drain()
    row = batch.rows.get(line=2)
    assert row.state == RowState.FAILED
    assert "whether with this password is unknown" in row.message
    assert "Reset its password" in row.message
    assert not row.password
    assert Mailbox.objects.filter(address=row.address).exists()
    assert states(batch) == {"failed": 1, "done": 1}


def test_a_row_in_which_worker_after_worker_dies_is_given_up(admin, domain, monkeypatch):
    batch = start(admin, table(2))
    real = deeds.create_mailbox

    def poisoned(**facts):
        return _die() if facts["local_part"] == "p00001" else real(**facts)

    monkeypatch.setattr(deeds, "create_mailbox", poisoned)
    for _round in range(12):
        lapse(batch)
        try:
            drain()
        except Died:
            continue
        break
    assert states(batch) == {"failed": 1, "done": 1}
    assert "many times" in batch.rows.get(line=2).message


def test_a_cancelled_batch_still_settles_the_row_its_worker_died_in(
    admin, domain, purelymail, monkeypatch
):
    batch = start(admin, table(2))
    real = runner._settle
    monkeypatch.setattr(runner, "_settle", _die)
    with pytest.raises(Died):
        runner.work()
    monkeypatch.setattr(runner, "_settle", real)
    services.cancel(batch=batch)
    lapse(batch)
    drain()
    assert states(batch) == {"done": 1, "skipped": 1}
    batch.refresh_from_db()
    assert batch.resume_at is None


def test_whoever_lost_the_batch_writes_nothing_any_more(admin, domain):
    batch = start(admin, table(1))
    slow = runner._claim()
    row = batch.rows.get()
    batch.rows.update(state=RowState.STARTED)
    lapse(batch)
    fast = runner._claim()
    assert fast.holder != slow.holder
    with pytest.raises(runner.LostError):
        runner._settle(slow, row, RowState.FAILED, "too late")
    runner._let_go(slow, resume_at=None)
    assert MailboxBatch.objects.get().holder == fast.holder


def test_somebody_who_may_not_change_anything_any_more_has_nothing_done(admin, owner, domain):
    batch = start(admin, table(2))
    admin.role = Role.VIEWER
    admin.save()
    drain()
    batch.refresh_from_db()
    assert batch.is_stopped
    assert "Adam" in batch.stopped_because
    with acting_as(person(owner)):
        services.go_on(batch=batch)
    drain()
    assert states(batch) == {"done": 2}
    assert Entry.objects.filter(action=Action.MAILBOX_CREATED, actor=owner).count() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_that_come_at_once_create_nothing_twice(admin, domain, purelymail, monkeypatch):
    monkeypatch.setattr(runner, "SLICE_SECONDS", 0.15)
    batch = start(admin, table(25))

    give_up_at = time.monotonic() + 60

    def worker():
        try:
            while time.monotonic() < give_up_at:
                runner.work()
                if MailboxBatch.objects.get(pk=batch.pk).state == BatchState.DONE:
                    return
                threading.Event().wait(0.02)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert states(batch) == {"done": 25}
    assert purelymail.calls["createUser"] == 25
    assert passwords_work(purelymail, batch)


@pytest.mark.django_db(transaction=True)
def test_a_call_that_takes_long_keeps_its_lease(admin, domain, purelymail, monkeypatch):
    monkeypatch.setattr(runner, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(runner, "LEASE_SECONDS", 0.6)
    start(admin, table(1))
    purelymail.fault("createUser", "latency", seconds=1.5)
    thread = threading.Thread(target=lambda: (runner.work(), connections.close_all()))
    thread.start()
    threading.Event().wait(1.0)
    assert runner._claim() is None
    thread.join(20)
    assert states(MailboxBatch.objects.get()) == {"done": 1}


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_could_not_be_renewed_once_is_renewed_with_the_next_beat(
    admin, domain, monkeypatch
):
    monkeypatch.setattr(runner, "BEAT_SECONDS", 0.05)
    batch = start(admin, table(1))
    held = runner._claim()
    lapse(batch)
    real, beats = runner._ours, []

    def ours(asked):
        beats.append(asked)
        if len(beats) == 1:
            raise OperationalError("the database is locked")
        return real(asked)

    monkeypatch.setattr(runner, "_ours", ours)
    with runner._kept(held):
        assert settles(lambda: MailboxBatch.objects.at_work().exists(), 5)


@pytest.mark.django_db(transaction=True)
def test_a_row_is_not_begun_while_its_batch_is_being_cancelled(
    admin, domain, purelymail, monkeypatch
):
    start(admin, table(1))
    held = runner._claim()
    row = held.rows.get()
    is_cancelling = threading.Event()

    def commit_late(_task):
        is_cancelling.set()
        time.sleep(0.5)

    def cancel():
        services.cancel(batch=held)
        connections.close_all()

    monkeypatch.setattr(services, "enqueue", commit_late)
    thread = threading.Thread(target=cancel)
    thread.start()
    assert is_cancelling.wait(5)
    with pytest.raises(runner.LostError):
        runner._do(held, row)
    thread.join(5)
    assert states(held) == {"skipped": 1}
    assert not purelymail.calls
