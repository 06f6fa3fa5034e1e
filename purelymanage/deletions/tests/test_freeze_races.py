"""A freeze beside whatever else happens at the same moment."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.selectors import sessions_of
from accounts.sessions.store import SessionStore
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role
from purelymanage.deletions import registry
from purelymanage.deletions.models import DeletionKind, Freeze, PendingDeletion
from purelymanage.deletions.tests.frost import freeze, schedule, undo
from purelymanage.jobs.clock import seconds_from_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


def together(*actions):
    """Run them at once; what each gave or raised."""
    start = threading.Barrier(len(actions))
    outcomes = [None] * len(actions)

    def run(place, action):
        start.wait(timeout=30)
        try:
            outcomes[place] = action()
        except RefusedError as error:
            outcomes[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return outcomes


def people():
    make = User.objects.create_user
    return (
        make(email="olga@panel.example", name="Olga", role=Role.OWNER, password=PASSWORD),
        make(email="adam@panel.example", name="Adam", role=Role.ADMIN, password=PASSWORD),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_nothing_that_is_scheduled_at_that_moment_outlives_the_freeze(rules, round_):
    owner, admin = people()
    browser = Client()
    browser.force_login(admin)
    key = browser.session.session_key
    schedule(admin, 0)

    def request(number):
        return lambda: schedule(admin, number, may_act=lambda: SessionStore().exists(key))[0]

    requests = [request(number) for number in range(1, 21)]
    done, *others = together(lambda: freeze(owner, admin), *requests)
    assert isinstance(done, Freeze)
    made = [one for one in others if isinstance(one, PendingDeletion)]
    refused = [one for one in others if isinstance(one, RefusedError)]
    assert len(made) + len(refused) == 20
    assert not PendingDeletion.objects.pending().exists()
    assert done.cancelled == len(made) + 1 == PendingDeletion.objects.count()
    entries = Entry.objects.filter(action=Action.DELETION_SCHEDULED, outcome__result="refused")
    assert entries.count() == len(refused)


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_session_a_freeze_ended_is_refused_in_the_web(mailboxes, monkeypatch):
    """The session is read, then the freeze comes, then the deletion is scheduled."""
    owner, admin = people()
    lindenhof = MailboxFactory()
    browser = Client()
    browser.force_login(admin)
    seen = []
    kind = registry.deletable(DeletionKind.MAILBOX)

    def frozen_meanwhile(key):
        seen.append(key)
        freeze(owner, admin)
        return ""

    slow = type(kind)(**(vars(kind) | {"identity": frozen_meanwhile}))
    monkeypatch.setattr(registry, "_deletables", {DeletionKind.MAILBOX: slow})
    response = browser.post(f"/mailboxes/{lindenhof.pk}/delete/")
    assert seen
    assert response.status_code in (400, 409, 422)
    assert not PendingDeletion.objects.exists()
    assert sessions_of(admin) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_a_freeze_and_a_worker_never_both_have_a_deletion(rules, round_):
    owner, admin = people()
    rows = schedule(admin, *range(12))
    PendingDeletion.objects.update(due_at=timezone.now())

    def claim():
        won = []
        for row in rows:
            free = PendingDeletion.objects.due().filter(pk=row.pk)
            if free.update(token=uuid.uuid4(), lease_until=seconds_from_now(60)):
                won.append(row.label)
        return won

    done, mine, yours = together(lambda: freeze(owner, admin), claim, claim)
    if isinstance(done, RefusedError):  # the workers had them all
        assert len(mine + yours) == 12
        return
    assert not set(mine) & set(yours)
    assert sorted(done.too_late) == sorted(mine + yours)
    assert done.cancelled == 12 - len(mine + yours)
    assert PendingDeletion.objects.filter(state="cancelled", freeze=done).count() == done.cancelled
    held = PendingDeletion.objects.exclude(token=None)
    assert sorted(held.values_list("label", flat=True)) == sorted(mine + yours)
    assert set(held.values_list("state", flat=True)) <= {"pending"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_an_undo_beside_new_deletions_leaves_one_of_each(rules, round_):
    owner, admin = people()
    schedule(admin, *range(10))
    done = freeze(owner, admin)
    news = [lambda number=number: schedule(owner, number)[0] for number in range(10)]
    restored, *others = together(lambda: undo(owner, done), *news)
    made = [one for one in others if isinstance(one, PendingDeletion)]
    assert restored + len(made) == 10
    keys = list(PendingDeletion.objects.pending().values_list("key", flat=True))
    assert sorted(keys) == [str(number) for number in range(10)]
    assert PendingDeletion.objects.filter(freeze=done).count() == 10 - restored


@pytest.mark.django_db(transaction=True)
def test_of_two_who_freeze_or_undo_at_once_one_does(rules):
    owner, admin = people()
    schedule(admin, 1, 2)
    both = together(*[lambda: freeze(owner, admin, after="0")] * 3)
    assert sorted(type(one).__name__ for one in both) == [
        "Freeze",
        "RefusedError",
        "RefusedError",
    ]
    done = Freeze.objects.get()
    both = together(*[lambda: undo(owner, done)] * 3)
    assert sorted(str(one) for one in both if not isinstance(one, RefusedError)) == ["2"]
    assert PendingDeletion.objects.pending().count() == 2
