"""A freeze finds a try under way: what it does not delete is not tried again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import UnavailableError
from purelymanage.deletions import execution
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.freezing import freeze_person, undo_freeze
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.tests.world import another_kind, lapse, schedule, try_again

pytestmark = pytest.mark.django_db
MAILBOX = DeletionKind.MAILBOX


@pytest.fixture
def deletion(world, admin):
    row = schedule(world, MAILBOX)
    PendingDeletion.objects.update(requested_by=admin)
    return row


@pytest.fixture
def freeze(admin, owner):
    def run():
        with acting_as(person(owner)):
            return freeze_person(person=admin)

    return run


def meanwhile(act, *, then=None):
    """A step that takes so long that something else happens."""

    def run(*_args):
        act()
        if then:
            raise then
        return True

    return run


def sees_the_freeze(deletion):
    deletion.refresh_from_db()
    assert (deletion.state, deletion.ended_by_name) == (DeletionState.CANCELLED, "Olga")
    assert (deletion.token, deletion.lease_until, deletion.problem) == (None, None, "")
    assert deletion.note == "With all that Adam had queued: a freeze."
    entry = Entry.objects.get(action=Action.DELETION_CANCELLED)
    assert (entry.target, entry.actor_kind) == (deletion.label, "system")


def test_between_question_and_call_it_comes_in_time(world, deletion, freeze):
    with another_kind(MAILBOX, is_there=meanwhile(freeze)):
        run_due()
    assert world.deletions(MAILBOX) == 0
    sees_the_freeze(deletion)
    assert deletion.called_at is None


def test_a_call_that_did_not_work_is_not_made_again(world, deletion, freeze):
    silence = UnavailableError("PurelyMail did not answer.")
    with another_kind(MAILBOX, delete=meanwhile(freeze, then=silence)):
        run_due()
    deletion.refresh_from_db()
    assert deletion.is_pending, "nobody knows yet whether it worked"
    try_again()
    run_due()
    sees_the_freeze(deletion)
    assert deletion.called_at
    assert world.is_there(MAILBOX)


def test_a_call_that_worked_unseen_is_found_out(world, deletion, freeze):
    def delete(address):
        del world.account.users[address]
        freeze()
        raise UnavailableError("PurelyMail did not answer.")

    with another_kind(MAILBOX, delete=delete):
        run_due()
    try_again()
    run_due()
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.EXECUTED
    assert deletion.note == "An earlier try told PurelyMail to delete it, and now it is gone."


def test_a_freeze_at_the_last_moment_is_seen_too(world, deletion, freeze, monkeypatch):
    note_call = execution._note_call

    def late(row):
        freeze()
        note_call(row)

    with monkeypatch.context() as patch:
        patch.setattr(execution, "_note_call", late)
        run_due()
    assert world.deletions(MAILBOX) == 0
    lapse(deletion)
    run_due()
    sees_the_freeze(deletion)


def test_a_call_that_did_work_says_so(world, deletion, freeze):
    with another_kind(MAILBOX, forget=meanwhile(freeze)):
        run_due()
    deletion.refresh_from_db()
    assert (deletion.state, deletion.note) == (DeletionState.EXECUTED, "")


def test_what_a_dead_worker_held_is_not_taken_up_again(world, deletion, freeze, owner_client):
    execution._claim()
    done = freeze()
    assert (done.cancelled, done.too_late) == (0, [deletion.label])
    listed = f'href="/deletions/{deletion.pk}/"'
    url = f"/deletions/freezes/{done.pk}/"
    assert listed not in owner_client.get(url).content.decode()
    lapse(deletion)
    run_due()
    sees_the_freeze(deletion)
    assert world.deletions(MAILBOX) == 0
    assert listed in owner_client.get(url).content.decode()


def test_undone_before_that_it_goes_on(world, deletion, freeze, owner):
    execution._claim()
    done = freeze()
    with acting_as(person(owner)):
        undo_freeze(freeze=done)
    lapse(deletion)
    run_due()
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.EXECUTED


def test_undone_and_gone_it_is_known_who_deleted_it(world, deletion, freeze, owner):
    def delete(address):
        del world.account.users[address]
        raise UnavailableError("PurelyMail did not answer.")

    with another_kind(MAILBOX, delete=delete):
        run_due()
    done = freeze()
    with acting_as(person(owner)):
        assert undo_freeze(freeze=done) == 1
    PendingDeletion.objects.update(due_at=timezone.now())
    run_due()
    deletion.refresh_from_db()
    assert deletion.note == "An earlier try told PurelyMail to delete it, and now it is gone."


def test_undone_after_that_it_waits_again(deletion, freeze, owner):
    execution._claim()
    done = freeze()
    lapse(deletion)
    run_due()
    with acting_as(person(owner)):
        assert undo_freeze(freeze=done) == 1
    deletion.refresh_from_db()
    assert deletion.is_pending
    assert run_due() == []
