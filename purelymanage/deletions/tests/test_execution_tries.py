"""Tries that do not end it: outages, refusals, crashes, and workers that lose their claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains.copy import refresh
from domains.models import Kind
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import RefusedError, UnavailableError
from purelymanage.deletions import execution, registry
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.world import (
    DOMAIN,
    KINDS,
    another_kind,
    lapse,
    run,
    schedule,
    try_again,
)

pytestmark = pytest.mark.django_db
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)
MAILBOX, RULE, THE_DOMAIN = DeletionKind.MAILBOX, DeletionKind.RULE, DeletionKind.DOMAIN


@ALL_KINDS
def test_a_yes_without_effect_is_no_success_and_tried_again(world, kind):
    with another_kind(kind, delete=lambda _key: None):
        deletion = run(schedule(world, kind))
    assert deletion.is_pending
    assert "still has it" in deletion.problem
    assert world.is_in_copy(kind)
    assert Entry.objects.get(action=Action.DELETION_EXECUTED).outcome.result == "failed"
    try_again()
    assert run(deletion).state == DeletionState.EXECUTED


def test_an_outage_costs_one_question_and_no_try_of_the_others(world):
    deletions = [schedule(world, kind) for kind in KINDS]
    world.purelymail.down()
    assert run_due() == deletions[:1]
    assert list(PendingDeletion.objects.values_list("tries", flat=True)) == [1, 0, 0]
    assert run_due() == deletions[1:2], "the next one asks next time"
    world.purelymail.up()
    try_again()
    run_due()
    assert not PendingDeletion.objects.pending().exists()


def test_a_revoked_token_costs_one_question_too(world):
    for kind in KINDS:
        schedule(world, kind)
    world.purelymail.fault("*", "invalid_token", times=None)
    assert len(run_due()) == 1
    assert PendingDeletion.objects.filter(problem__contains="PURELYMAIL_API_TOKEN").count() == 1


def refuses(_key):
    raise RefusedError("PurelyMail refused: it is the postmaster.")


def crashes(_key):
    raise ZeroDivisionError("a secret")


@pytest.mark.parametrize(
    ("delete", "told"),
    [(refuses, "it is the postmaster"), (crashes, "ZeroDivisionError")],
)
def test_one_that_is_refused_or_crashes_stops_no_other_and_is_not_lost(world, delete, told):
    bad = schedule(world, MAILBOX)
    fine = schedule(world, RULE)
    with another_kind(MAILBOX, delete=delete):
        run_due()
    bad.refresh_from_db()
    assert run(fine).state == DeletionState.EXECUTED
    assert bad.is_pending
    assert told in bad.problem
    assert "secret" not in bad.problem
    try_again()
    assert run(bad).state == DeletionState.EXECUTED


def test_a_crash_before_the_call_is_no_end_of_it_either(world):
    deletion = schedule(world, MAILBOX)
    with another_kind(MAILBOX, is_there=lambda _key, _facts: 1 / 0):
        assert run(deletion).is_pending
    assert deletion.called_at is None
    try_again()
    assert run(deletion).state == DeletionState.EXECUTED


def test_a_kind_that_nobody_registered_is_tried_again(world, monkeypatch):
    deletion = schedule(world, MAILBOX)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_deletables", {})
        assert run(deletion).is_pending
    try_again()
    assert run(deletion).state == DeletionState.EXECUTED


def test_somebody_else_deletes_it_between_question_and_call(world):
    deletion = schedule(world, MAILBOX)
    ask = registry.deletable(MAILBOX).is_there

    def ask_then_vanish(key, facts):
        answer = ask(key, facts)
        world.account.users.pop(key, None)
        return answer

    with another_kind(MAILBOX, is_there=ask_then_vanish):
        assert run(deletion).is_pending
    try_again()
    assert run(deletion).state == DeletionState.EXECUTED


# Claims


def test_a_live_claim_is_respected_and_a_lapsed_one_taken_over(world):
    deletion = schedule(world, MAILBOX)
    claimed = execution._claim()
    assert claimed == deletion
    assert run_due() == []
    lapse(deletion)
    assert run(deletion).state == DeletionState.EXECUTED


def test_a_worker_that_died_in_a_try_is_told_of(world):
    deletion = schedule(world, MAILBOX)
    execution._claim()
    with pytest.raises(RefusedError, match=r"has died, it can be cancelled from \d\d:\d\d on"):
        cancel_deletion(deletion=deletion)
    lapse(deletion)
    execution._claim()
    deletion.refresh_from_db()
    assert (deletion.tries, deletion.problem) == (2, "The worker ended in the middle of a try.")
    lapse(deletion)
    assert run(deletion).problem == ""


def test_many_that_never_get_an_answer_keep_nobody_else_waiting(world):
    """Each ends a run, and so many are due again that no run would be left for the others."""
    for number in range(3):
        address = f"silent{number}@{DOMAIN}"
        MailboxFactory(address=address)
        schedule(world, MAILBOX, key=address, due_in=timedelta(hours=-2))
    ask = registry.deletable(MAILBOX).is_there

    def is_there(key, facts):
        if key.startswith("silent"):
            raise UnavailableError("PurelyMail did not answer.")
        return ask(key, facts)

    with another_kind(MAILBOX, is_there=is_there):
        for _number in range(3):
            run_due()
        PendingDeletion.objects.update(try_after=timezone.now() - timedelta(seconds=1))
        mara = run(schedule(world, MAILBOX))
    assert mara.state == DeletionState.EXECUTED


def test_a_worker_that_lost_its_claim_on_the_way_deletes_nothing(world):
    deletion = schedule(world, MAILBOX)
    ask = registry.deletable(MAILBOX).is_there

    def ask_and_sleep(key, facts):
        lapse(deletion)
        return ask(key, facts)

    with another_kind(MAILBOX, is_there=ask_and_sleep):
        claimed = execution._claim()
        assert execution._try(claimed)
    assert world.deletions(MAILBOX) == 0
    deletion.refresh_from_db()
    assert deletion.called_at is None
    assert run(deletion).state == DeletionState.EXECUTED


def test_a_worker_whose_claim_was_taken_over_says_nothing_about_how_it_ended(world):
    deletion = schedule(world, MAILBOX)
    sleeper = execution._claim()
    lapse(deletion)
    assert run(deletion).state == DeletionState.EXECUTED
    assert execution._try(sleeper)
    execution._fail(sleeper, "It was the sleeper.")
    execution._put_off(sleeper, "It was the sleeper.")
    deletion.refresh_from_db()
    assert (deletion.state, deletion.note, deletion.problem) == ("executed", "", "")
    assert world.deletions(MAILBOX) == 1


def test_one_cancelled_by_force_under_a_live_claim_is_not_deleted(world):
    deletion = schedule(world, MAILBOX)
    claimed = execution._claim()
    PendingDeletion.objects.update(state=DeletionState.CANCELLED)
    execution._try(claimed)
    assert world.is_there(MAILBOX)
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.CANCELLED


def test_a_run_ends_before_the_next_is_due(world):
    schedule(world, MAILBOX)
    assert run_due(seconds=0) == []


# Crashes between call and record


@ALL_KINDS
def test_a_crash_between_call_and_record_is_made_good_by_a_question(world, kind):
    deletion = schedule(world, kind)

    def killed(_key):
        raise SystemExit  # nothing of ours catches it

    with another_kind(kind, forget=killed), pytest.raises(SystemExit):
        run_due()
    deletion.refresh_from_db()
    assert deletion.is_pending
    assert deletion.called_at
    lapse(deletion)
    run(deletion)
    assert deletion.state == DeletionState.EXECUTED
    assert "earlier try told PurelyMail" in deletion.note
    assert world.deletions(kind) == 1
    assert not world.is_in_copy(kind)


@ALL_KINDS
def test_a_refresh_before_the_next_try_takes_it_for_our_own_work(world, kind):
    deletion = schedule(world, kind)

    def killed(_key):
        raise SystemExit

    refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    with another_kind(kind, forget=killed), pytest.raises(SystemExit):
        run_due()
    refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    assert not world.is_in_copy(kind)
    vanished = Entry.objects.filter(action=Action.DRIFT_VANISHED)
    assert not vanished.filter(target=deletion.label).exists()
    lapse(deletion)
    assert "earlier try told PurelyMail" in run(deletion).note


# Cancelling
