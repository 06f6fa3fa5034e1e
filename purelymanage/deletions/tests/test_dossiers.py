"""What only PurelyMail knows comes into the dossier, however often PurelyMail is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from purelymanage.core.errors import RefusedError
from purelymanage.deletions import registry
from purelymanage.deletions.dossiers import complete_dossiers
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.services import cancel_deletion, schedule_deletion
from purelymanage.deletions.tests.conftest import ADDRESS
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.schedules import SCHEDULES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_queue(monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


def schedule(key=ADDRESS):
    return schedule_deletion(kind=DeletionKind.MAILBOX, key=key)


def test_settings_come_beside_what_the_copy_knew(mailboxes):
    deletion = schedule()
    assert complete_dossiers() == 1
    deletion.refresh_from_db()
    assert set(deletion.dossier) == {"rules", "indexing"}
    assert deletion.dossier_read_at is not None
    assert complete_dossiers() == 0
    assert mailboxes.calls["getUser"] == 1


def test_while_purelymail_is_down_it_asks_again_and_again_less_and_less(mailboxes):
    mailboxes.down()
    deletion = schedule()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tried_after = []
        for minute in range(0, 240, 5):
            before = deletion.dossier_tries
            complete_dossiers()
            deletion.refresh_from_db()
            if deletion.dossier_tries > before:
                tried_after.append(minute)
            clock.shift(timedelta(minutes=5))
        assert tried_after == [0, 5, 15, 35, 75, 135, 195]
        mailboxes.up()
        clock.shift(timedelta(hours=1))
        assert complete_dossiers() == 1
    deletion.refresh_from_db()
    assert "indexing" in deletion.dossier


def test_it_still_asks_after_days_without_an_answer(mailboxes):
    deletion = schedule()
    PendingDeletion.objects.update(dossier_tries=60)
    assert complete_dossiers() == 1
    deletion.refresh_from_db()
    assert "indexing" in deletion.dossier


def test_an_outage_costs_one_question_however_many_wait(mailboxes):
    for number in range(20):
        schedule(f"m{number}@lindenhof.example")
    mailboxes.down()
    complete_dossiers()
    assert PendingDeletion.objects.filter(dossier_tries__gt=0).count() == 1


def odd_one_raises(error):
    """Asking about `odd@…` ends with this error, about any other with an answer."""

    def facts_there(key):
        if key.startswith("odd@"):
            raise error
        return {"indexing": True}

    odd = replace(registry.deletable(DeletionKind.MAILBOX), facts_there=facts_there)
    registry.register_deletable(odd)
    return [schedule(f"{name}@lindenhof.example") for name in ("odd", "otto")]


def test_one_that_purelymail_refuses_does_not_stop_the_others(mailboxes):
    refused, _fine = odd_one_raises(RefusedError("No."))
    assert complete_dossiers() == 1
    waiting = PendingDeletion.objects.without_dossier()
    assert list(waiting) == [refused]


def test_a_crash_over_one_does_not_stand_before_the_others_for_ever(mailboxes):
    odd_one_raises(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        complete_dossiers()
    assert complete_dossiers() == 1


def test_a_token_that_was_revoked_costs_one_question(mailboxes):
    mailboxes.fault("getUser", "invalid_token", times=None)
    schedule()
    schedule("otto@lindenhof.example")
    assert complete_dossiers() == 0
    assert mailboxes.calls["getUser"] == 1


def test_what_is_gone_at_purelymail_is_noted_and_not_asked_again(mailboxes):
    schedule("otto@lindenhof.example")
    assert complete_dossiers() == 1
    assert "missing" in PendingDeletion.objects.get().dossier
    complete_dossiers()
    assert mailboxes.calls["getUser"] == 1


def test_a_cancelled_deletion_is_not_asked_about(mailboxes):
    cancel_deletion(deletion=schedule())
    assert complete_dossiers() == 0
    assert not mailboxes.calls


def test_one_run_at_a_time(mailboxes):
    schedule()
    with only_one("deletions.dossiers", seconds=60):
        assert complete_dossiers() == 0
    assert not mailboxes.calls


def test_it_is_on_the_schedule():
    assert "purelymanage.deletions.tasks.complete_dossiers" in {item.task for item in SCHEDULES}
