"""What people learn of a try: who would cancel, admins by mail, and operators by the command."""

from __future__ import annotations

import json

import pytest
from django.core import mail
from django.core.management import call_command

from purelymanage.core.errors import RefusedError
from purelymanage.deletions import execution
from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion
from purelymanage.deletions.tests.world import (
    ASKS,
    DELETES,
    DOMAIN,
    KINDS,
    MARA,
    as_another_row,
    run,
    schedule,
    try_again,
)

pytestmark = pytest.mark.django_db
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)
MAILBOX, RULE, THE_DOMAIN = DeletionKind.MAILBOX, DeletionKind.RULE, DeletionKind.DOMAIN


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
