"""A freeze is taken back: once, for what is still there, with 24 hours anew."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from purelymanage.deletions import registry
from purelymanage.deletions.models import DeletionKind, DeletionState, Freeze, PendingDeletion
from purelymanage.deletions.tests.frost import freeze, page, schedule, states, undo
from purelymanage.jobs.clock import seconds_from_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


def test_undone_the_deletions_wait_again_for_exactly_24_hours(rules, admin, owner, owner_client):
    rows = schedule(admin, 1, 2)
    PendingDeletion.objects.update(
        due_at=timezone.now() - timedelta(hours=1),
        tries=3,
        called_at=timezone.now(),
        first_tried_at=timezone.now(),
        try_after=timezone.now() + timedelta(hours=9),
        problem="No answer.",
        token=uuid.uuid4(),
        lease_until=seconds_from_now(-5),
    )
    done = freeze(owner, admin)
    before = timezone.now()
    response = owner_client.post(f"/deletions/freeze/{done.pk}/undo/", follow=True)
    after = timezone.now()
    assert "The freeze of Adam is undone. 2 deletions wait again" in page(response)
    row = rows[0]
    row.refresh_from_db()
    assert before <= row.due_at - timedelta(hours=24) <= after
    assert row.state == DeletionState.PENDING
    assert (row.tries, row.first_tried_at, row.try_after) == (0, None, None)
    assert row.called_at, "PurelyMail was told, and it may be gone"
    assert (row.token, row.lease_until, row.problem) == (None, None, "")
    assert (row.ended_at, row.ended_by_name, row.freeze) == (None, "", None)
    done.refresh_from_db()
    assert done.is_undone
    assert done.undone_by_name == "Olga"
    entry = Entry.objects.get(action=Action.PERSON_UNFROZEN)
    assert (entry.target, entry.outcome.after) == (admin.email, {"deletions": 2, "left_out": 0})


def test_the_sessions_stay_ended(rules, admin, owner, admin_client):
    schedule(admin, 1)
    done = freeze(owner, admin)
    undo(owner, done)
    assert admin_client.get("/settings/").status_code == 302


def test_left_out_and_named_is_what_is_pending_again_or_gone(
    rules, admin, owner, owner_client, monkeypatch
):
    schedule(admin, 1, 2, 3, 4)
    done = freeze(owner, admin)
    schedule(owner, 2)
    kind = registry.deletable(DeletionKind.RULE)
    now = {"1": "1", "2": "2", "3": "", "4": "another row"}
    changed = type(kind)(**(vars(kind) | {"identity": now.__getitem__}))
    monkeypatch.setattr(registry, "_deletables", {DeletionKind.RULE: changed})
    assert undo(owner, done) == 1
    ended = PendingDeletion.objects.filter(freeze=done)
    assert sorted(ended.values_list("key", flat=True)) == ["2", "3", "4"]
    assert PendingDeletion.objects.pending().filter(key="2").get().requested_by == owner
    html = page(owner_client.get(f"/deletions/freezes/{done.pk}/"))
    assert "Left out, and still cancelled" in html
    for key in (2, 3, 4):
        assert f"rule {key}" in html
    assert "rule 1<" not in html
    assert html.count("was not there any more") == 2
    assert html.count("another deletion of it was pending") == 1


def test_it_is_undone_once(rules, admin, owner, owner_client):
    schedule(admin, 1)
    done = freeze(owner, admin)
    way_back = f"/deletions/freeze/{done.pk}/undo/"
    assert owner_client.post(way_back).status_code == 302
    PendingDeletion.objects.update(state=DeletionState.CANCELLED)
    again = owner_client.post(way_back)
    assert again.status_code == 409
    assert "Olga has undone the freeze of Adam already" in page(again)
    assert states() == {"1": "cancelled"}


def test_a_freeze_of_somebody_who_is_gone_for_good_can_be_read_and_undone(
    rules, admin, owner, owner_client
):
    schedule(admin, 1)
    done = freeze(owner, admin)
    Freeze.objects.update(person=None)
    html = page(owner_client.get(f"/deletions/freezes/{done.pk}/"))
    assert "Freeze of Adam" in html
    owner_client.post(f"/deletions/freeze/{done.pk}/undo/")
    assert states() == {"1": "pending"}


def test_the_list_of_freezes_has_their_way_back(
    rules, admin, owner, owner_client, django_assert_max_num_queries
):
    assert "Nobody was frozen yet" in page(owner_client.get("/deletions/freezes/"))
    for number in range(1, 6):
        schedule(admin, number)
        freeze(owner, admin)
    undo(owner, Freeze.objects.last())
    with django_assert_max_num_queries(14):
        html = page(owner_client.get("/deletions/freezes/"))
    assert html.count("/undo/") == 4
    assert html.count("Undone") == 1
