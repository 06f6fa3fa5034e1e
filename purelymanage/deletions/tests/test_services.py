"""A deletion waits 24 hours, and of two people who decide at once one wins."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.actions import Action
from audit.models import Entry
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.core.roles import Role
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.selectors import pending_deletion, pending_deletions
from purelymanage.deletions.services import cancel_deletion, cancel_deletions, schedule_deletion
from purelymanage.deletions.tests.conftest import ADDRESS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What went to the queue."""
    messages = []
    monkeypatch.setattr(
        "purelymanage.jobs.queue.async_task", lambda task, **_: messages.append(task)
    )
    return messages


def schedule(key=ADDRESS):
    return schedule_deletion(kind=DeletionKind.MAILBOX, key=key)


def test_it_is_due_in_exactly_24_hours_and_the_server_takes_label_and_dossier(mailboxes, admin):
    with acting_as(person(admin)):
        before = timezone.now()
        deletion = schedule()
        after = timezone.now()
    deletion.refresh_from_db()
    assert deletion.due_at - deletion.requested_at == timedelta(hours=24)
    assert before <= deletion.requested_at <= after
    assert (deletion.label, deletion.requested_by_name) == (ADDRESS, str(admin))
    assert deletion.dossier == {"rules": [f"info@lindenhof.example → {ADDRESS}"]}
    entry = Entry.objects.get(action=Action.DELETION_SCHEDULED)
    assert (entry.target, entry.actor_id, entry.outcome.result) == (ADDRESS, admin.pk, "ok")


def test_nothing_happens_at_purelymail(mailboxes):
    schedule()
    assert not mailboxes.calls
    assert list(mailboxes.state.users) == [ADDRESS]


def test_what_vanished_meanwhile_is_not_scheduled(mailboxes):
    with pytest.raises(MissingError, match="not known here any more"):
        schedule("gone@lindenhof.example")
    assert not PendingDeletion.objects.exists()


def test_it_cannot_be_scheduled_twice_but_again_after_it_was_cancelled(mailboxes):
    first = schedule()
    with pytest.raises(RefusedError, match="pending already"):
        schedule()
    cancel_deletion(deletion=first)
    second = schedule()
    assert pending_deletion(DeletionKind.MAILBOX, ADDRESS) == second
    assert pending_deletions(DeletionKind.RULE, [ADDRESS]) == {}
    refused = Entry.objects.filter(outcome__result="refused").get()
    assert refused.action == Action.DELETION_SCHEDULED


def test_who_cancels_is_kept_and_a_second_one_learns_it(mailboxes, admin, owner):
    deletion = schedule()
    also_seen = PendingDeletion.objects.get()
    with acting_as(person(admin)):
        cancel_deletion(deletion=deletion)
    with acting_as(person(owner)), pytest.raises(RefusedError, match=f"{admin} has kept"):
        cancel_deletion(deletion=also_seen)
    deletion.refresh_from_db()
    assert (deletion.state, deletion.ended_by_name) == (DeletionState.CANCELLED, str(admin))
    assert deletion.ended_at is not None


def queued(number):
    now = timezone.now()
    rows = [
        PendingDeletion(
            kind=DeletionKind.RULE,
            key=str(key),
            label=f"rule {key}",
            due_at=now + timedelta(days=1),
        )
        for key in range(number)
    ]
    return PendingDeletion.objects.bulk_create(rows)


def test_many_are_cancelled_at_once_with_an_entry_each(admin, django_assert_max_num_queries):
    held, ended, *others = queued(500)
    PendingDeletion.objects.filter(pk=held.pk).update(
        token="9e1c8a2e-5f0b-4c1e-8d53-3f0f5d1a7c11",
        lease_until=timezone.now() + timedelta(minutes=5),
    )
    PendingDeletion.objects.filter(pk=ended.pk).update(state=DeletionState.EXECUTED)
    with (
        acting_as(person(admin, address="192.0.2.7")),
        django_assert_max_num_queries(40),  # the rows of the log go in many at a time
    ):
        cancelled, refusals = cancel_deletions(deletions=PendingDeletion.objects.all())
    assert {row.pk for row in cancelled} == {row.pk for row in others}
    assert [refusal.partition(" is ")[0] for refusal in refusals] == ["rule 0", "rule 1"]
    assert set(PendingDeletion.objects.values_list("state", flat=True)) == {
        DeletionState.PENDING,
        DeletionState.EXECUTED,
        DeletionState.CANCELLED,
    }
    entries = Entry.objects.filter(action=Action.DELETION_CANCELLED, address="192.0.2.7")
    assert set(entries.values_list("target", flat=True)) == {row.label for row in others}
    assert entries.filter(outcome__result="ok", actor=admin).count() == 498


def test_an_executed_one_cannot_be_cancelled(mailboxes):
    deletion = schedule()
    PendingDeletion.objects.update(state=DeletionState.EXECUTED)
    with pytest.raises(RefusedError, match="is deleted already"):
        cancel_deletion(deletion=deletion)


def test_one_message_completes_the_dossiers_of_many(
    mailboxes, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        schedule()
        schedule("otto@lindenhof.example")
    assert sent == ["purelymanage.deletions.tasks.complete_dossiers"]


def test_a_rule_has_its_whole_dossier_at_once(rules, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        deletion = schedule_deletion(kind=DeletionKind.RULE, key="7")
    assert deletion.dossier_read_at is not None
    assert sent == []


def compete(*actions):
    """Run them at the same moment; gives what each ended with."""
    start = threading.Barrier(len(actions))
    outcomes = []

    def run(action):
        start.wait(timeout=30)
        try:
            action()
            outcomes.append("done")
        except RefusedError:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_delete_at_once_one_wins(mailboxes):
    assert compete(schedule, schedule, schedule) == ["done", "refused", "refused"]
    assert PendingDeletion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_cancel_at_once_one_wins(mailboxes):
    schedule()
    people = [
        User.objects.create_user(email=f"a{n}@panel.example", name=f"A{n}", role=Role.ADMIN)
        for n in range(2)
    ]

    def cancel_as(user):
        with acting_as(person(user)):
            cancel_deletion(deletion=PendingDeletion.objects.get())

    outcomes = compete(*(lambda user=user: cancel_as(user) for user in people))
    assert outcomes == ["done", "refused"]
    winner = Entry.objects.get(action=Action.DELETION_CANCELLED, outcome__result="ok")
    assert PendingDeletion.objects.get().ended_by_name == winner.actor_name
