"""Every kind under every fault: deleted exactly once, and the state tells the truth meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionState, PendingDeletion
from purelymanage.deletions.tests.world import (
    ASKS,
    DELETES,
    KINDS,
    counting_effects,
    schedule,
    try_again,
)

pytestmark = pytest.mark.django_db
FAULTS = (
    "latency",
    "timeout_before",
    "timeout_after",
    "http_500",
    "html",
    "truncated",
    "drop_before",
    "drop_after",
    "invalid_token",
    "rate_limit",
)
ALL = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def effects(monkeypatch):
    return counting_effects(monkeypatch)


def strike(world, operation, fault, **details):
    if fault.startswith("timeout"):
        world.purelymail.give_up_after(0.1)
        details["seconds"] = 0.3
    elif fault == "latency":
        details["seconds"] = 0.05
    world.purelymail.fault(operation, fault, **details)


def assert_truthful(world, deletion):
    """What the row says is what PurelyMail has."""
    deletion.refresh_from_db()
    if deletion.state == DeletionState.EXECUTED:
        assert not world.is_there(deletion.kind)
        assert not world.is_in_copy(deletion.kind)
    elif not world.is_there(deletion.kind):
        assert deletion.called_at, "gone by our call, which the row tells of"
    if deletion.state == DeletionState.FAILED and deletion.called_at:
        assert "may have done so" in deletion.note


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operations", [DELETES, ASKS], ids=["the deletion", "the question"])
@ALL
def test_one_fault_leaves_it_deleted_once(world, effects, kind, operations, fault):
    deletion = schedule(world, kind)
    strike(world, operations[kind], fault)
    for _try in range(3):
        run_due()
        assert_truthful(world, deletion)
        try_again()
    assert deletion.state == DeletionState.EXECUTED
    assert deletion.problem == ""
    assert effects[DELETES[kind]] == 1
    assert sum(effects.values()) == 1
    assert Entry.objects.filter(action=Action.DELETION_EXECUTED, outcome__result="ok").exists()


@pytest.mark.parametrize("fault", FAULTS)
@ALL
def test_a_fault_that_never_ends_leaves_the_truth(world, effects, kind, fault):
    """Where it was deleted all the same it says executed, where it was not, failed."""
    deletion = schedule(world, kind)
    strike(world, DELETES[kind], fault, times=None)
    run_due()
    assert_truthful(world, deletion)
    a_day_ago = timezone.now() - timedelta(hours=25)
    PendingDeletion.objects.pending().update(first_tried_at=a_day_ago, try_after=None)
    run_due()
    assert_truthful(world, deletion)
    was_deleted = bool(effects[DELETES[kind]])
    assert deletion.state == ("executed" if was_deleted else "failed")
    assert was_deleted is not world.is_there(kind)
    assert effects[DELETES[kind]] <= 1


@ALL
def test_an_outage_between_deletion_and_reading_back_is_made_good(
    world, effects, kind, monkeypatch
):
    deletion = schedule(world, kind)
    method = {
        "deleteUser": "delete_user",
        "deleteDomain": "delete_domain",
        "deleteRoutingRule": "delete_routing_rule",
    }[DELETES[kind]]
    delete = getattr(world.purelymail.client, method)

    def delete_and_fall_silent(**fields):
        delete(**fields)
        world.purelymail.down()

    monkeypatch.setattr(world.purelymail.client, method, delete_and_fall_silent)
    run_due()
    assert_truthful(world, deletion)
    assert deletion.is_pending
    world.purelymail.up()
    try_again()
    run_due()
    assert_truthful(world, deletion)
    assert "earlier try told PurelyMail" in deletion.note
    assert effects[DELETES[kind]] == 1
