"""What a try does: it ends what is due and says how."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains.models import Domain
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.world import (
    ASKS,
    DOMAIN,
    KINDS,
    MARA,
    OTHER_DOMAIN,
    run,
    schedule,
)

pytestmark = pytest.mark.django_db
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)
MAILBOX, RULE, THE_DOMAIN = DeletionKind.MAILBOX, DeletionKind.RULE, DeletionKind.DOMAIN


@ALL_KINDS
def test_it_is_deleted_once_read_back_and_forgotten(world, kind):
    deletion = run(schedule(world, kind))
    assert (deletion.state, deletion.note, deletion.problem) == ("executed", "", "")
    assert (deletion.ended_by_name, deletion.tries) == ("system", 1)
    assert deletion.ended_at
    assert deletion.called_at
    assert (deletion.token, deletion.lease_until) == (None, None)
    assert not world.is_there(kind)
    assert not world.is_in_copy(kind)
    assert world.deletions(kind) == 1
    assert world.purelymail.calls[ASKS[kind]] == 2, "asked before and after"
    entry = Entry.objects.get(action=Action.DELETION_EXECUTED)
    assert (entry.target, entry.actor_kind) == (deletion.label, "system")
    assert entry.outcome.result == "ok"
    assert entry.after["requested_by"] == "Adam"


@ALL_KINDS
def test_nothing_else_is_touched(world, kind):
    run(schedule(world, kind))
    assert f"otto@{OTHER_DOMAIN}" in world.account.users
    assert OTHER_DOMAIN in world.account.domains
    assert len(world.account.rules) == (2 if kind == MAILBOX else 1)
    assert Mailbox.objects.filter(address=f"otto@{OTHER_DOMAIN}").exists()
    assert run_due() == []


def test_the_entry_keeps_what_would_rebuild_it_without_the_far_end_of_long_lists(world):
    for number in range(30):
        MailboxFactory(address=f"m{number:02}@{DOMAIN}")
    run(schedule(world, THE_DOMAIN))
    before = Entry.objects.get(action=Action.DELETION_EXECUTED).before
    names = before["dependants"]["Mailboxes"]
    assert names[0] == f"m00@{DOMAIN}"
    assert names[20:] == ["and 12 more"]
    assert "allow_account_reset" in before["settings"]


@ALL_KINDS
def test_what_is_not_due_is_left_alone(world, kind):
    schedule(world, kind, due_in=timedelta(minutes=1))
    assert run_due() == []
    assert not world.purelymail.calls


@ALL_KINDS
def test_a_cancelled_one_is_left_alone(world, kind):
    cancel_deletion(deletion=schedule(world, kind))
    assert run_due() == []
    assert not world.purelymail.calls


# Gone already


@ALL_KINDS
def test_what_is_gone_already_ends_with_a_note_and_leaves_the_copy(world, kind):
    deletion = schedule(world, kind)
    for things, key in (
        (world.account.users, MARA),
        (world.account.domains, DOMAIN),
        (world.account.rules, int(world.rule)),
    ):
        del things[key]
    run(deletion)
    assert deletion.state == DeletionState.EXECUTED
    assert "gone already" in deletion.note
    assert not world.is_in_copy(kind)
    assert world.deletions(kind) == 0
    entry = Entry.objects.get(action=Action.DELETION_FOUND_GONE)
    assert entry.after["note"] == deletion.note
    assert not Entry.objects.filter(action=Action.DELETION_EXECUTED).exists()


def test_what_went_with_its_domain_says_so(world):
    first = schedule(world, THE_DOMAIN, due_in=timedelta(minutes=-1))
    others = [schedule(world, kind) for kind in (MAILBOX, RULE)]
    run_due()
    assert run(first).note == ""
    for deletion in others:
        deletion.refresh_from_db()
        assert deletion.state == DeletionState.EXECUTED
        assert deletion.note.startswith(f"It went with its domain {DOMAIN}, whose deletion Adam")
    assert world.deletions(MAILBOX) == world.deletions(RULE) == 0


def test_an_earlier_deletion_of_its_domain_explains_nothing(world):
    run(schedule(world, THE_DOMAIN))
    world.account.add_domain(DOMAIN)
    DomainFactory(name=DOMAIN)
    MailboxFactory(address=MARA)
    PendingDeletion.objects.update(ended_at=timezone.now() - timedelta(days=9))
    assert "gone already" in run(schedule(world, MAILBOX)).note


def test_an_empty_list_does_not_prove_that_one_of_several_is_gone(world, monkeypatch):
    for kind, asked in ((THE_DOMAIN, "list_domains"), (RULE, "list_routing_rules")):
        deletion = schedule(world, kind)
        with monkeypatch.context() as patch:
            patch.setattr(world.purelymail.client, asked, list)
            run(deletion)
        assert deletion.is_pending
        assert "lists 0 of 1" in deletion.problem
        assert world.is_in_copy(kind)
        deletion.delete()


@ALL_KINDS
def test_the_last_of_its_kind_can_go(world, kind):
    """Where it was the only one, an empty list is what is to be expected."""
    Domain.objects.filter(name=OTHER_DOMAIN).delete()
    del world.account.domains[OTHER_DOMAIN]
    world.account.rules.pop(int(world.rule) + 1)
    assert run(schedule(world, kind)).state == DeletionState.EXECUTED


# Another one
