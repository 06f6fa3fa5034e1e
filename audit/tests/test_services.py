from __future__ import annotations

import pytest

from audit.actions import Action
from audit.models import AppendOnlyError, Entry, Outcome
from audit.services import audited, record
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError, UnavailableError

pytestmark = pytest.mark.django_db


def the_entry() -> Entry:
    return Entry.objects.newest_first().get()


def test_a_change_is_on_record_before_it_is_made_and_completed_after():
    with audited(Action.MAILBOX_CREATED, target="a@b.example", after={"a": 1}) as change:
        assert not Outcome.objects.exists()
        assert the_entry().after == {"a": 1}
        change.after["found"] = True
    assert the_entry().outcome.result == Outcome.Result.OK
    assert the_entry().outcome.after == {"found": True}


def test_a_refusal_keeps_its_sentence():
    with pytest.raises(RefusedError), audited(Action.MAILBOX_CREATED):
        raise RefusedError("It is taken.")
    assert the_entry().outcome.result == Outcome.Result.REFUSED
    assert the_entry().outcome.reason == "It is taken."


def test_what_had_no_answer_failed_and_keeps_its_sentence():
    with pytest.raises(UnavailableError), audited(Action.MAILBOX_CREATED):
        raise UnavailableError("PurelyMail did not answer.")
    assert the_entry().outcome.result == Outcome.Result.FAILED
    assert the_entry().outcome.reason == "PurelyMail did not answer."


def test_the_text_of_an_unknown_error_never_reaches_the_log():
    with pytest.raises(ValueError, match="hunter2"), audited(Action.MAILBOX_CREATED):
        raise ValueError("password hunter2")
    assert the_entry().outcome.result == Outcome.Result.FAILED
    assert the_entry().outcome.reason == "ValueError"


def test_a_killed_process_leaves_an_entry_without_an_end():
    entry = Entry.objects.create(actor_name="Adam", action=Action.MAILBOX_CREATED)
    assert not hasattr(entry, "outcome")
    assert not entry.is_interrupted


@pytest.mark.parametrize(
    ("action", "minutes", "interrupted"),
    [
        (Action.MAILBOX_CREATED, 14, False),
        (Action.MAILBOX_CREATED, 16, True),
        (Action.JOB_STARTED, 16, False),
        (Action.JOB_STARTED, 8 * 24 * 60, True),
    ],
)
def test_without_an_end_a_change_counts_as_interrupted_in_time(
    time_machine, action, minutes, interrupted
):
    time_machine.move_to("2026-11-20T12:00:00Z")
    Entry.objects.create(actor_name="Adam", action=action)
    time_machine.shift(minutes * 60)
    assert the_entry().is_interrupted is interrupted


def test_the_actor_and_the_address_come_from_the_context(admin):
    with acting_as(person(admin, address="192.0.2.7")):
        record(Action.SIGNED_IN)
    entry = the_entry()
    assert (entry.actor, entry.actor_name, entry.address) == (admin, "Adam", "192.0.2.7")
    assert entry.actor_kind == Entry.ActorKind.PERSON


def test_without_a_request_the_actor_is_the_system():
    record(Action.COPY_REFRESHED)
    assert the_entry().actor_name == "system"
    assert the_entry().address is None


def test_an_attempt_can_be_recorded_as_refused():
    record(Action.SIGN_IN_FAILED, target="x@example.com", refused="wrong")
    assert the_entry().outcome.result == Outcome.Result.REFUSED


def test_history_cannot_be_changed_or_removed_by_our_code():
    record(Action.COPY_REFRESHED)
    entry = the_entry()
    entry.target = "other"
    attempts = [
        entry.save,
        entry.delete,
        entry.outcome.save,
        entry.outcome.delete,
        Entry.objects.all().delete,
        Outcome.objects.all().delete,
        lambda: Entry.objects.update(target="other"),
        lambda: Entry.objects.filter(pk=entry.pk).update(target="other"),
    ]
    for attempt in attempts:
        with pytest.raises(AppendOnlyError):
            attempt()
    assert the_entry().target == ""
