"""PurelyMail on a bad day, in the middle of a batch: it waits, goes on, and tells the truth."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailboxes.batches import deeds, runner
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch, RowState
from mailboxes.batches.services import cancel, go_on
from mailboxes.batches.tests.helpers import DOMAIN, drain, end_pauses, start, states, table
from mailboxes.batches.tests.test_runner import passwords_work, selected
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.context import acting_as, person
from purelymanage.purelymail.testing import on_the_wire

pytestmark = pytest.mark.django_db

FAULTS = [
    "timeout_before",
    "timeout_after",
    "http_500",
    "html",
    "truncated",
    "drop_before",
    "drop_after",
    "rate_limit",
]


def stumble(purelymail, operation, kind, *, after, times):
    """Let some calls pass, then strike."""
    faults = purelymail.server.service.faults
    real, seen = faults.take, 0

    def take(asked):
        nonlocal seen
        if asked == operation:
            seen += 1
            if seen == after:
                purelymail.fault(operation, kind, times=times, seconds=0.3, retry_after=60.0)
        return real(asked)

    faults.take = take
    return lambda: setattr(faults, "take", real)


@pytest.mark.parametrize("operation", ["createUser", "getUser", "listUser"])
@pytest.mark.parametrize("kind", on_the_wire(FAULTS))
@pytest.mark.parametrize("times", [1, 9])
def test_every_mailbox_is_created_once_whatever_fails_in_between(
    admin, domain, purelymail, operation, kind, times
):
    purelymail.give_up_after(0.15)
    batch = start(admin, table(4))
    restore = stumble(
        purelymail, operation, kind, after=1 if operation == "listUser" else 3, times=times
    )
    try:
        drain()
    finally:
        restore()
        purelymail.up()
    assert states(batch) == {"done": 4}
    assert len(purelymail.state.users) == Mailbox.objects.count() == 4
    assert passwords_work(purelymail, batch)


def test_while_purelymail_is_down_the_batch_waits_longer_and_longer(admin, domain, purelymail):
    batch = start(admin, table(3))
    purelymail.down()
    pauses = []
    for _round in range(7):
        runner.work()
        batch.refresh_from_db()
        assert batch.is_paused
        assert "PurelyMail" in batch.stopped_because
        pauses.append(round((batch.resume_at - timezone.now()).total_seconds(), -1))
        end_pauses()
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    assert states(batch) == {"ready": 3}
    assert set(batch.rows.values_list("tries", flat=True)) == {0}, "no row is blamed for it"
    purelymail.up()
    drain()
    batch.refresh_from_db()
    assert (batch.state, batch.stopped_because, batch.failures) == (BatchState.DONE, "", 0)


@pytest.mark.parametrize(("asked", "pause"), [(900.0, 900), (90_000.0, 3600)])
@pytest.mark.parametrize("kind", [BatchKind.CREATE, BatchKind.REQUIRE_2FA])
def test_the_pause_that_purelymail_asks_for_is_kept_within_reason(
    admin, domain, purelymail, kind, asked, pause
):
    if kind == BatchKind.CREATE:
        batch = start(admin, table(1))
    else:
        purelymail.state.add_user(f"lea@{DOMAIN}")
        MailboxFactory(address=f"lea@{DOMAIN}", domain=domain)
        batch = selected(admin, kind, f"lea@{DOMAIN}")
    purelymail.fault("getUser", "rate_limit", retry_after=asked)
    runner.work()
    batch.refresh_from_db()
    waited = (batch.resume_at - timezone.now()).total_seconds()
    assert waited == pytest.approx(pause, abs=10)


def test_after_weeks_without_purelymail_the_pause_is_as_long_as_ever(admin, domain, purelymail):
    batch = start(admin, table(1))
    MailboxBatch.objects.update(failures=2_000)
    purelymail.down()
    runner.work()
    batch.refresh_from_db()
    assert batch.is_paused
    assert batch.failures == 2_001


def test_a_refused_token_stops_the_batch_until_a_person_says_go_on(admin, domain, purelymail):
    batch = start(admin, table(3))
    restore = stumble(purelymail, "createUser", "invalid_token", after=2, times=None)
    drain()
    restore()
    batch.refresh_from_db()
    assert batch.is_stopped
    assert "token" in batch.stopped_because
    assert states(batch) == {"done": 1, "ready": 2}
    drain()
    assert states(batch) == {"done": 1, "ready": 2}, "it does not go on by itself"
    purelymail.up()
    with acting_as(person(admin)):
        go_on(batch=batch)
    drain()
    assert states(batch) == {"done": 3}
    assert passwords_work(purelymail, batch)


def test_one_row_that_always_fails_keeps_nobody_waiting_and_is_given_up(
    admin, domain, purelymail, monkeypatch
):
    """PurelyMail chokes on the second address, and on nothing else."""
    batch = start(admin, table(4))
    real = deeds.create_mailbox

    def create(**facts):
        if facts["local_part"] == "p00002":
            purelymail.fault("createUser", "http_500")
        return real(**facts)

    monkeypatch.setattr(deeds, "create_mailbox", create)
    for _slice in range(2):
        end_pauses()
        runner.work()
    assert states(batch) == {"started": 1, "done": 3}, "the others did not wait"
    drain()
    assert states(batch) == {"failed": 1, "done": 3}
    assert "HTTP 500" in batch.rows.get(state="failed").message
    assert purelymail.calls["createUser"] == 3 + runner.MOST_TRIES


def test_a_late_effect_of_a_call_without_answer_is_ours(admin, domain, purelymail):
    """PurelyMail took the mailbox after we had looked twice and not found it."""
    batch = start(admin, table(1))
    purelymail.fault("createUser", "http_500")
    runner.work()
    row = batch.rows.get()
    assert row.state == RowState.STARTED
    purelymail.state.add_user(row.address, password=row.password.reveal())
    drain()
    assert states(batch) == {"done": 1}
    assert purelymail.calls["createUser"] == 1
    batch.refresh_from_db()
    assert (batch.state, batch.stopped_because) == (BatchState.DONE, ""), "nothing is waited for"


def test_a_refusal_is_an_answer_too_and_ends_the_waiting(admin, domain, purelymail):
    batch = start(admin, table(2))
    purelymail.down()
    runner.work()
    purelymail.up()
    end_pauses()
    batch.rows.filter(line=2).update(domain_name="gone.example")
    restore = stumble(purelymail, "createUser", "invalid_token", after=1, times=1)
    runner.work()
    restore()
    batch.refresh_from_db()
    assert states(batch) == {"failed": 1, "ready": 1}
    assert batch.failures == 0


def test_a_token_refused_while_the_batch_is_cancelled_leaves_no_password_behind(
    admin, domain, purelymail, monkeypatch
):
    batch = start(admin, table(2))
    real = deeds.create_mailbox

    def cancel_in_it(**facts):
        cancel(batch=batch)
        return real(**facts)

    monkeypatch.setattr(deeds, "create_mailbox", cancel_in_it)
    restore = stumble(purelymail, "createUser", "invalid_token", after=1, times=1)
    drain()
    restore()
    assert states(batch) == {"skipped": 2}
    assert not batch.rows.exclude(password="").exists()


@pytest.mark.parametrize("operation", ["modifyUser", "getUser"])
@pytest.mark.parametrize("kind", on_the_wire(FAULTS))
def test_a_second_factor_is_required_whatever_fails_in_between(
    admin, domain, purelymail, operation, kind
):
    purelymail.give_up_after(0.15)
    addresses = [f"p{number}@{DOMAIN}" for number in range(3)]
    for address in addresses:
        purelymail.state.add_user(address)
        MailboxFactory(address=address, domain=domain)
    batch = selected(admin, BatchKind.REQUIRE_2FA, *addresses)
    restore = stumble(purelymail, operation, kind, after=2, times=4)
    try:
        drain()
    finally:
        restore()
        purelymail.up()
    assert states(batch) == {"done": 3}
    assert all(user.require_two_factor for user in purelymail.state.users.values())
