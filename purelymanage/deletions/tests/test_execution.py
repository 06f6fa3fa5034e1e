"""What a try does: it ends what is due, says how, and deletes nothing but the one meant."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from domains.copy import refresh
from domains.models import Domain, Kind
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.services import create_mailbox, rename_mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import RefusedError, UnavailableError
from purelymanage.deletions import execution, registry
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.world import (
    ASKS,
    DELETES,
    DOMAIN,
    KINDS,
    MARA,
    OTHER_DOMAIN,
    lapse,
    populate,
    schedule,
    try_again,
)
from routing.models import RoutingRule
from routing.picture import as_rule
from routing.services import edit_rule

pytestmark = pytest.mark.django_db
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)
MAILBOX, RULE, THE_DOMAIN = DeletionKind.MAILBOX, DeletionKind.RULE, DeletionKind.DOMAIN


@pytest.fixture
def world(purelymail):
    return populate(purelymail)


def run(deletion):
    run_due()
    deletion.refresh_from_db()
    return deletion


@contextmanager
def another_kind(kind, **changes):
    """The registered kind with other functions."""
    before = registry.deletable(kind)
    registry.register_deletable(replace(before, **changes))
    try:
        yield
    finally:
        registry.register_deletable(before)


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


def as_another_row(kind, world):
    """The copy saw it vanish and come back."""
    rows = Mailbox.objects.filter(address=MARA)
    if kind == THE_DOMAIN:
        rows = Domain.objects.filter(name=DOMAIN)
    rows.delete()
    MailboxFactory(address=MARA)


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


def test_it_cannot_be_cancelled_while_a_try_is_under_way_but_between_tries(world, admin):
    deletion = schedule(world, MAILBOX)
    execution._claim()
    with pytest.raises(RefusedError, match="being deleted just now"):
        cancel_deletion(deletion=deletion)
    execution._put_off(PendingDeletion.objects.get(), "PurelyMail is down.")
    cancel_deletion(deletion=deletion)
    assert deletion.state == DeletionState.CANCELLED
    assert run_due() == []


def test_once_executed_it_says_so(world):
    deletion = run(schedule(world, MAILBOX))
    with pytest.raises(RefusedError, match="deleted already"):
        cancel_deletion(deletion=deletion)


# Mail


def fail(world, kind):
    deletion = schedule(world, kind)
    as_another_row(kind, world)
    return deletion


def test_one_mail_tells_of_all_that_failed_in_a_run(world, owner, admin, viewer):
    domain, mailbox = fail(world, THE_DOMAIN), fail(world, MAILBOX)
    run_due()
    assert sorted(message.to[0] for message in mail.outbox) == [admin.email, owner.email]
    message = mail.outbox[0]
    assert message.subject == f"Not deleted: {domain.label} and 1 more"
    for deletion in (mailbox, domain):
        deletion.refresh_from_db()
        assert deletion.told_at
        assert deletion.label in message.body
        assert f"/deletions/{deletion.pk}/" in message.alternatives[0].content
    run_due()
    assert len(mail.outbox) == 2


def test_a_mail_that_nobody_took_is_sent_by_a_later_run(world, owner, monkeypatch):
    deletion = fail(world, MAILBOX)
    with monkeypatch.context() as patch:
        patch.setattr("purelymanage.deletions.notices.notify_admins", lambda **_: False)
        run(deletion)
    assert (deletion.state, deletion.told_at) == (DeletionState.FAILED, None)
    assert run_due() == []
    assert mail.outbox[0].subject == f"Not deleted: {MARA}"


# The command


def command(capsys, *words):
    try:
        call_command("run_due_deletions", *words)
        code = 0
    except SystemExit as error:
        code = error.code
    return code, capsys.readouterr().out


def test_the_command_executes_and_tells(world, capsys):
    assert command(capsys) == (0, "No deletion is due.\n")
    schedule(world, MAILBOX)
    code, said = command(capsys, "--dry-run")
    assert (code, said) == (0, f"Mailbox {MARA}: pending.\n")
    assert not world.purelymail.calls
    assert command(capsys) == (0, f"Mailbox {MARA}: executed.\n")


def test_the_command_says_what_was_not_deleted_and_why(world, capsys):
    schedule(world, RULE)
    world.purelymail.down()
    code, said = command(capsys)
    assert code == 1
    assert said.startswith(f"Routing rule info@{DOMAIN}: pending. The connection to PurelyMail")
    assert "Next try at" in said
    try_again()
    world.purelymail.up()
    code, said = command(capsys, "--json")
    assert code == 0
    (fact,) = json.loads(said)
    assert (fact["kind"], fact["key"], fact["state"]) == ("rule", world.rule, "executed")
    assert fact["label"] == f"info@{DOMAIN}"
    assert fact["tries"] == 2


def test_every_kind_has_its_operation():
    assert DELETES.keys() == ASKS.keys() == set(KINDS)
