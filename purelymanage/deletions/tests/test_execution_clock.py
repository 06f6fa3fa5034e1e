"""When it happens: not a second before its 24 hours are over, within a minute after, and no later
than the tries that fail have to be."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db.models import DateTimeField, Value
from django.utils import timezone

from purelymanage.deletions.execution import run_due
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.deletions.tests.world import KINDS, MARA, schedule

pytestmark = pytest.mark.django_db
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
MAILBOX = DeletionKind.MAILBOX
BERLIN, NEW_YORK, UTC = "Europe/Berlin", "America/New_York", "UTC"
MOMENTS = [
    (UTC, "2026-11-21 13:00:00.123456"),
    (BERLIN, "2027-03-27 12:00:00"),  # the clocks go forward in between
    (BERLIN, "2027-03-27 02:30:00"),  # and the next day has no such hour
    (BERLIN, "2027-10-30 12:00:00"),  # they go back
    (BERLIN, "2027-10-30 02:30:00"),  # and the next day has it twice
    (NEW_YORK, "2027-03-13 23:30:00"),
    (NEW_YORK, "2027-03-13 02:30:00"),
    (NEW_YORK, "2027-11-06 23:30:00"),
    (NEW_YORK, "2027-11-06 01:30:00"),
]


@pytest.fixture
def moved_together(monkeypatch):
    """The database's clock shows what the moved one shows."""
    monkeypatch.setattr(
        "purelymanage.jobs.clock.Now", lambda: Value(timezone.now(), output_field=DateTimeField())
    )
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


@pytest.mark.usefixtures("moved_together")
@pytest.mark.parametrize(("zone", "local"), MOMENTS)
def test_nothing_happens_at_23_59_59_and_everything_within_a_minute_after_24_hours(
    world, settings, zone, local
):
    settings.TIME_ZONE = zone
    asked_at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    due_at = asked_at.astimezone(ZoneInfo(UTC)) + DAY
    with timezone.override(zone), time_machine.travel(asked_at, tick=False) as clock:
        for kind in KINDS:
            schedule_deletion(kind=kind, key=world.key(kind))
        clock.move_to(due_at - SECOND)
        assert run_due() == []
        clock.move_to(due_at)
        assert len(run_due()) == 3
    states = PendingDeletion.objects.values_list("state", flat=True)
    assert set(states) == {DeletionState.EXECUTED}
    assert not any(world.is_there(kind) for kind in KINDS)


@pytest.mark.usefixtures("moved_together")
@pytest.mark.parametrize("phase", [0, 1, 29, 59])
def test_a_tick_each_minute_executes_within_a_minute_whatever_its_phase(world, phase):
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=ZoneInfo(UTC)), tick=False) as clock:
        deletion = schedule_deletion(kind=MAILBOX, key=MARA)
        clock.move_to(deletion.due_at - 3 * MINUTE + phase * SECOND)
        while world.is_there(MAILBOX):
            run_due()
            clock.shift(MINUTE)
        deletion.refresh_from_db()
    assert timedelta() <= deletion.ended_at - deletion.due_at <= MINUTE


@pytest.mark.parametrize("days", [-2, 2])
def test_a_host_whose_own_clock_is_wrong_is_neither_early_nor_late(world, days):
    """The database's clock counts, which nobody moved here."""
    early, due = schedule(world, MAILBOX, due_in=MINUTE), schedule(world, DeletionKind.RULE)
    with time_machine.travel(timezone.now() + days * DAY, tick=False):
        assert run_due() == [due]
    early.refresh_from_db()
    assert early.is_pending


@pytest.mark.usefixtures("moved_together")
def test_a_worker_that_slept_two_days_still_tries_and_for_a_day(world):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        deletion = schedule(world, MAILBOX)
        clock.shift(2 * DAY)
        world.purelymail.down()
        run_due()
        deletion.refresh_from_db()
        assert deletion.is_pending, "its day begins with the first try"
        world.purelymail.up()
        clock.shift(MINUTE)
        run_due()
        deletion.refresh_from_db()
        assert deletion.state == DeletionState.EXECUTED


def tries_of(deletion, clock, *, within=2 * DAY):
    """The minutes after the first try at which it was tried, until it ended."""
    began, minutes = timezone.now(), []
    while deletion.is_pending and timezone.now() - began < within:
        assert run_due() == [deletion]
        minutes.append(round((timezone.now() - began) / MINUTE, 3))
        deletion.refresh_from_db()
        if deletion.is_pending:
            clock.move_to(deletion.try_after - SECOND)
            assert run_due() == []
            clock.move_to(deletion.try_after)
    return minutes


@pytest.mark.usefixtures("moved_together")
def test_an_outage_is_tried_less_and_less_and_given_up_a_day_after_the_first_try(world, owner):
    world.purelymail.down()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        deletion = schedule(world, MAILBOX)
        clock.shift(5 * DAY)
        minutes = tries_of(deletion, clock)
    assert minutes[:9] == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert minutes[-2:] == [1383, 1440]
    assert deletion.state == DeletionState.FAILED
    assert deletion.note.startswith(f"Given up after {len(minutes)} tries in 24 hours.")
    assert "may have done so" not in deletion.note
    assert world.is_there(MAILBOX)
    assert world.deletions(MAILBOX) == 0
    assert [message.subject for message in mail.outbox] == [f"Not deleted: {MARA}"]


@pytest.mark.usefixtures("moved_together")
def test_what_was_called_and_given_up_may_be_gone_and_says_so(world):
    world.purelymail.fault("deleteUser", "http_500", times=None)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        deletion = schedule(world, MAILBOX)
        tries_of(deletion, clock)
    assert deletion.state == DeletionState.FAILED
    assert "HTTP 500" in deletion.note
    assert deletion.note.endswith("told to delete it, and may have done so.")


@pytest.mark.usefixtures("moved_together")
def test_a_pause_that_purelymail_asks_for_is_kept(world):
    world.purelymail.fault("getUser", "rate_limit", times=None, retry_after=300)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        deletion = schedule(world, MAILBOX)
        run_due()
        clock.shift(timedelta(seconds=299))
        assert run_due() == []
        clock.shift(SECOND)
        assert run_due() == [deletion]
