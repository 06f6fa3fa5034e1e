"""Nothing is deleted but the one that was meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail

from audit.actions import Action
from audit.models import Entry
from domains.copy import refresh
from domains.models import Domain, Kind
from mailboxes.models import Mailbox
from mailboxes.services import create_mailbox, rename_mailbox
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.models import DeletionKind, DeletionState
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.world import (
    DOMAIN,
    KINDS,
    MARA,
    OTHER_DOMAIN,
    as_another_row,
    run,
    schedule,
    try_again,
)
from routing.models import RoutingRule
from routing.picture import as_rule
from routing.services import edit_rule

pytestmark = pytest.mark.django_db
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)
MAILBOX, RULE, THE_DOMAIN = DeletionKind.MAILBOX, DeletionKind.RULE, DeletionKind.DOMAIN


@pytest.mark.parametrize("kind", [MAILBOX, THE_DOMAIN])
def test_one_that_vanished_and_came_back_is_another_and_stays(world, kind, owner):
    deletion = schedule(world, kind)
    as_another_row(kind, world)
    run(deletion)
    assert deletion.state == DeletionState.FAILED
    assert "vanished from PurelyMail and came back" in deletion.note
    assert world.is_there(kind)
    assert world.deletions(kind) == 0
    entry = Entry.objects.get(action=Action.DELETION_GIVEN_UP)
    assert entry.after["reason"] == deletion.note
    assert deletion.note in mail.outbox[0].body


def test_another_rule_under_the_number_stays(world):
    deletion = schedule(world, RULE)
    world.account.rules[int(world.rule)].targets = ["eve@elsewhere.example"]
    run(deletion)
    assert deletion.state == DeletionState.FAILED
    assert "belongs to another rule" in deletion.note
    assert world.deletions(RULE) == 0


def test_a_domain_that_turns_out_to_be_purelymails_own_stays(world, monkeypatch):
    deletion = schedule(world, THE_DOMAIN)
    shared = [replace(one, is_shared=True) for one in world.purelymail.client.list_domains()]
    monkeypatch.setattr(world.purelymail.client, "list_domains", lambda: shared)
    assert run(deletion).state == DeletionState.FAILED
    assert "belongs to PurelyMail" in deletion.note
    assert world.deletions(THE_DOMAIN) == 0


def test_a_mailbox_made_anew_while_its_deletion_is_pending_stays(world):
    deletion = schedule(world, MAILBOX)
    del world.account.users[MARA]
    refresh([Kind.MAILBOXES])
    create_mailbox(local_part="mara", domain=Domain.objects.get(name=DOMAIN), password="a new one")
    assert run(deletion).state == DeletionState.FAILED
    assert world.is_there(MAILBOX)


def test_a_mailbox_is_not_renamed_while_its_deletion_is_pending(world):
    schedule(world, MAILBOX)
    mailbox, domain = Mailbox.objects.get(address=MARA), Domain.objects.get(name=OTHER_DOMAIN)
    with pytest.raises(RefusedError, match="Cancel it before you rename"):
        rename_mailbox(mailbox=mailbox, local_part="mara", domain=domain)
    assert world.is_there(MAILBOX)


def test_no_mailbox_comes_to_a_domain_whose_deletion_is_pending(world):
    """Nobody who confirmed it was shown that mailbox."""
    deletion = schedule(world, THE_DOMAIN)
    doomed = Domain.objects.get(name=DOMAIN)
    new = {"local_part": "neu", "domain": doomed, "password": "p" * 20}
    with pytest.raises(RefusedError, match="takes all its mailboxes along"):
        create_mailbox(**new)
    other = Mailbox.objects.get(address=f"otto@{OTHER_DOMAIN}")
    with pytest.raises(RefusedError, match="takes all its mailboxes along"):
        rename_mailbox(mailbox=other, local_part="neu", domain=doomed)
    assert not world.purelymail.calls
    cancel_deletion(deletion=deletion)
    assert create_mailbox(**new).address == f"neu@{DOMAIN}"


def test_a_rule_is_not_edited_while_its_deletion_is_pending(world):
    schedule(world, RULE)
    rule = RoutingRule.objects.get(purelymail_id=int(world.rule))
    with pytest.raises(RefusedError, match="Cancel it before you edit"):
        edit_rule(rule=rule, draft=replace(as_rule(rule), targets=(MARA,)))
    assert world.is_there(RULE)


@pytest.mark.parametrize("kind", [MAILBOX, THE_DOMAIN])
def test_what_the_copy_lost_waits_for_the_copy_and_is_then_another(world, kind):
    deletion = schedule(world, kind)
    {MAILBOX: Mailbox.objects.filter(address=MARA), THE_DOMAIN: Domain.objects.filter(name=DOMAIN)}[
        kind
    ].delete()
    run(deletion)
    assert deletion.is_pending
    assert "the local copy of it does not" in deletion.problem
    refresh([Kind.DOMAINS, Kind.MAILBOXES])
    try_again()
    assert run(deletion).state == DeletionState.FAILED
    assert world.deletions(kind) == 0


def test_a_rule_that_the_copy_lost_by_mistake_is_known_by_number_and_content(world):
    deletion = schedule(world, RULE)
    RoutingRule.objects.all().delete()
    assert run(deletion).is_pending
    refresh([Kind.RULES])
    try_again()
    assert run(deletion).state == DeletionState.EXECUTED


def test_a_refresh_in_between_changes_nothing(world):
    deletions = [schedule(world, kind) for kind in (RULE, MAILBOX, THE_DOMAIN)]
    refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])
    for deletion in deletions:
        assert run(deletion).state == DeletionState.EXECUTED
        assert deletion.note == ""


def test_a_copy_that_took_only_the_first_thousand_keeps_its_rows_and_so_the_identity(
    world, monkeypatch
):
    deletion = schedule(world, MAILBOX)
    rest = [f"otto@{DOMAIN}", *(f"n{number}@{DOMAIN}" for number in range(999))]
    for address in rest[1:]:
        world.account.users[address] = world.account.users[rest[0]]
    world.account.users[MARA] = world.account.users.pop(MARA)  # beyond the end of the list
    refresh([Kind.MAILBOXES])
    assert run(deletion).state == DeletionState.EXECUTED
    assert MARA not in world.account.users


# Tries that fail
