"""An owner stops a person: all or nothing, and with all the bulk work in their name."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Session, User
from accounts.selectors import sessions_of
from accounts.tests.invitations import invite
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from mailboxes.batches import runner
from mailboxes.batches import services as batches
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch, RowState
from mailboxes.models import Mailbox
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role
from purelymanage.deletions import freezing, registry
from purelymanage.deletions.models import Freeze, PendingDeletion
from purelymanage.deletions.tests.frost import freeze, hold, page, schedule, states
from purelymanage.jobs.clock import seconds_from_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


def test_it_cancels_all_that_this_person_queued_and_nothing_else(rules, admin, owner):
    schedule(admin, 1, 2, 3)
    schedule(owner, 4)
    done = freeze(owner, admin)
    assert states() == {"1": "cancelled", "2": "cancelled", "3": "cancelled", "4": "pending"}
    row = PendingDeletion.objects.get(key="1")
    assert (row.freeze, row.ended_by_name, row.ended_at) == (done, "Olga", done.frozen_at)
    assert (done.person, done.person_name, done.frozen_by_name) == (admin, "Adam", "Olga")
    assert row.note == "With all that Adam had queued: a freeze."
    assert done.cancelled == 3


def test_what_a_worker_holds_is_named_as_too_late(rules, admin, owner):
    first, _second, third = schedule(admin, 1, 2, 3)
    hold(first)
    hold(third)
    PendingDeletion.objects.filter(pk=third.pk).update(lease_until=seconds_from_now(-1))
    done = freeze(owner, admin)
    assert states() == {"1": "pending", "2": "cancelled", "3": "cancelled"}
    assert done.too_late == ["rule 1"]
    first.refresh_from_db()
    assert first.token is not None
    third.refresh_from_db()
    assert third.token is None


def test_every_session_ends_and_nobody_elses(rules, admin, owner, admin_client):
    by_form = Client()
    by_form.post("/accounts/login/", {"login": admin.email, "password": PASSWORD, "remember": "on"})
    assert by_form.get("/settings/").status_code == 200
    assert sessions_of(admin) == 2
    stays = Client()
    stays.force_login(owner)
    done = freeze(owner, admin)
    assert done.sessions == 2
    assert not Session.objects.filter(user=admin).exists()
    assert list(Session.objects.values_list("session_key", flat=True)) == [
        Session.stored_key(stays.session.session_key)
    ]
    for browser in (by_form, admin_client):
        assert browser.get("/settings/").status_code == 302
    assert stays.get("/settings/").status_code == 200


def test_they_can_sign_in_again(rules, admin, owner, admin_client):
    freeze(owner, admin)
    again = Client()
    again.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    assert again.get("/settings/").status_code == 200
    schedule(admin, 1)
    assert PendingDeletion.objects.pending().count() == 1


def test_it_is_on_record_with_its_numbers(rules, admin, owner, admin_client):
    hold(schedule(admin, 1, 2)[0])
    freeze(owner, admin)
    entry = Entry.objects.get(action=Action.PERSON_FROZEN)
    assert (entry.target, entry.actor_id, entry.outcome.result) == (admin.email, owner.pk, "ok")
    assert entry.outcome.after == {
        "deletions": 1,
        "sessions": 1,
        "stopped": [],
        "too_late": ["rule 1"],
    }


def test_nobody_comes_in_any_more_by_what_they_sent(rules, admin, owner):
    User.objects.filter(pk=admin.pk).update(role=Role.OWNER)
    admin.refresh_from_db()
    theirs = invite(admin)
    done = freeze(owner, admin)
    assert done.stopped == ["Invitation of nora@panel.example"]
    assert not Invitation.objects.open().exists()
    theirs.refresh_from_db()
    assert theirs.revoked_at is not None


def test_what_purelymail_was_told_before_may_be_gone_and_says_so(rules, admin, owner, owner_client):
    first, _second = schedule(admin, 1, 2)
    PendingDeletion.objects.filter(pk=first.pk).update(called_at=timezone.now())
    done = freeze(owner, admin)
    html = page(owner_client.get(f"/deletions/freezes/{done.pk}/"))
    assert html.count("it may be gone") == 1


def test_all_or_nothing(rules, admin, owner, admin_client, monkeypatch):
    schedule(admin, 1)

    def fail(_person_id):
        raise RuntimeError

    broken = registry.Stop(names=lambda _person_id: ["work"], stop=fail)
    monkeypatch.setattr(registry, "_stops", [broken])
    with pytest.raises(RuntimeError):
        freeze(owner, admin)
    assert states() == {"1": "pending"}
    assert sessions_of(admin) == 1
    assert not Freeze.objects.exists()
    entry = Entry.objects.get(action=Action.PERSON_FROZEN)
    assert entry.outcome.result == "failed"


def test_an_owner_may_freeze_an_owner_but_not_oneself(rules, admin, owner):
    User.objects.filter(pk=admin.pk).update(role=Role.OWNER)
    schedule(admin, 1)
    schedule(owner, 2)
    with pytest.raises(RefusedError, match="cannot freeze yourself"):
        freeze(owner, owner)
    freeze(owner, admin)
    assert states() == {"1": "cancelled", "2": "pending"}
    refused = Entry.objects.get(action=Action.PERSON_FROZEN, outcome__result="refused")
    assert refused.target == owner.email


def test_of_two_owners_who_freeze_each_other_the_second_was_signed_out(rules, admin, owner):
    schedule(owner, 1)
    schedule(admin, 2)
    freeze(owner, admin)
    with (
        acting_as(person(admin, may_act=lambda: False)),
        pytest.raises(RefusedError, match="stopped meanwhile"),
    ):
        freezing.freeze_person(person=owner)
    assert states() == {"1": "pending", "2": "cancelled"}


def test_their_bulk_deletions_stop_previews_included(bulk, admin, owner):
    done = freeze(owner, admin)
    assert done.stopped == [
        "Bulk deletion with 2 mailboxes not yet scheduled",
        "Bulk deletion with 6 mailboxes not yet scheduled",
    ]
    assert set(MailboxBatch.objects.values_list("state", flat=True)) == {BatchState.CANCELLED}
    runner.work()
    runner.work()
    assert not PendingDeletion.objects.exists()
    assert set(bulk.rows.values_list("state", flat=True)) == {RowState.SKIPPED}


def test_other_work_and_other_peoples_goes_on(bulk, admin, owner):
    with acting_as(person(owner)):
        theirs = batches.preview_selection(kind=BatchKind.DELETE, mailboxes=Mailbox.objects.all())
    with acting_as(person(admin)):
        harmless = batches.preview_selection(
            kind=BatchKind.REQUIRE_2FA, mailboxes=Mailbox.objects.all()
        )
    freeze(owner, admin)
    for batch in (theirs, harmless):
        batch.refresh_from_db()
        assert batch.is_preview


def test_a_row_that_a_worker_has_begun_is_not_scheduled_after_the_freeze(
    bulk, admin, owner, monkeypatch
):
    """The freeze comes between the beginning of the row and its deletion."""
    do = runner.DEEDS[BatchKind.DELETE].do
    seen = []

    def frozen_meanwhile(row):
        if len(seen) == 2:
            freeze(owner, admin)
        seen.append(row)
        return do(row)

    deed = runner.DEEDS[BatchKind.DELETE]
    deeds = runner.DEEDS | {BatchKind.DELETE: type(deed)(do=frozen_meanwhile, look=deed.look)}
    monkeypatch.setattr(runner, "DEEDS", deeds)
    runner.work()
    assert PendingDeletion.objects.count() == 2
    assert not PendingDeletion.objects.pending().exists()
    assert len(seen) == 3
    row = bulk.rows.get(state=RowState.FAILED)
    assert "stopped meanwhile" in row.message


def test_a_request_under_way_neither_makes_starts_nor_continues_a_bulk_deletion(bulk, admin, owner):
    preview = MailboxBatch.objects.get(state=BatchState.PREVIEW)
    stopped = lambda: acting_as(person(admin, may_act=lambda: False))  # noqa: E731
    mailboxes = Mailbox.objects.all()
    for attempt in (
        lambda: batches.start(batch=preview),
        lambda: batches.go_on(batch=bulk),
        lambda: batches.preview_selection(kind=BatchKind.DELETE, mailboxes=mailboxes),
    ):
        with stopped(), pytest.raises(RefusedError, match="stopped meanwhile"):
            attempt()
    assert MailboxBatch.objects.count() == 2
