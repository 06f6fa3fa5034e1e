"""An owner stops a person: all or nothing, once, and with a way back."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import session_keys
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from mailboxes.batches import runner
from mailboxes.batches import services as batches
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch, RowState
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role
from purelymanage.deletions import freezing, registry
from purelymanage.deletions.models import DeletionKind, DeletionState, Freeze, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.jobs.clock import seconds_from_now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_queue(monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


def schedule(user, *keys, may_act=lambda: True):
    with acting_as(person(user, may_act=may_act)):
        return [schedule_deletion(kind=DeletionKind.RULE, key=str(key)) for key in keys]


def freeze(owner, admin, **options):
    with acting_as(person(owner)):
        return freezing.freeze_person(person=admin, **options)


def undo(owner, done):
    with acting_as(person(owner)):
        return freezing.undo_freeze(freeze=done)


def hold(deletion):
    """A worker is at it."""
    PendingDeletion.objects.filter(pk=deletion.pk).update(
        token=uuid.uuid4(), lease_until=seconds_from_now(60), called_at=timezone.now(), tries=1
    )


def url(user):
    return f"/deletions/freeze/{user.pk}/"


def page(response):
    return response.content.decode()


def states():
    return dict(PendingDeletion.objects.order_by("key").values_list("key", "state"))


# What a freeze does


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


def test_every_session_ends_also_one_that_was_never_seen_again(rules, admin, owner, admin_client):
    by_form = Client()
    by_form.post("/accounts/login/", {"login": admin.email, "password": PASSWORD, "remember": "on"})
    assert by_form.get("/settings/").status_code == 200
    assert len(session_keys(admin)) == 2
    assert UserSession.objects.filter(user=admin).count() == 1
    stays = Client()
    stays.force_login(owner)
    done = freeze(owner, admin)
    assert done.sessions == 2
    assert not UserSession.objects.filter(user=admin).exists()
    assert list(Session.objects.values_list("session_key", flat=True)) == [
        stays.session.session_key
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
    assert len(session_keys(admin)) == 1
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


# Bulk work


@pytest.fixture
def bulk(admin, purelymail):
    """A running bulk deletion and a preview of another, both of Adam's."""
    MailboxFactory.create_batch(6)
    with acting_as(person(admin)):
        running = batches.preview_selection(kind=BatchKind.DELETE, mailboxes=Mailbox.objects.all())
        batches.start(batch=running)
        two = Mailbox.objects.filter(pk__in=Mailbox.objects.values_list("pk")[:2])
        batches.preview_selection(kind=BatchKind.DELETE, mailboxes=two)
    return running


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


# The page


def test_the_question_shows_what_would_be_cancelled(
    rules, admin, owner_client, admin_client, django_assert_max_num_queries
):
    rows = schedule(admin, *range(1, 14))
    hold(rows[12])
    owner_client.get(url(admin))
    with django_assert_max_num_queries(22):
        html = page(owner_client.get(url(admin)))
    assert "Freeze Adam?" in html
    assert "12 deletions are cancelled" in html
    assert "rule 10<" in html
    assert "rule 11<" not in html
    assert "and 2 more" in html
    assert "1 session ends at once" in html
    assert "too late" in html
    assert "rule 13" in html
    assert rows[0].due_at.isoformat() in html
    assert "They can sign in again afterwards." in html
    assert f'href="/settings/people/{admin.pk}/"' in html
    assert states()["1"] == "pending"


def test_the_bulk_work_that_stops_is_named(bulk, admin, owner_client):
    html = page(owner_client.get(url(admin)))
    assert "Bulk deletion with 6 mailboxes not yet scheduled" in html


def test_freezing_leads_to_its_result_with_the_way_back(rules, admin, owner_client):
    hold(schedule(admin, 1, 2)[1])
    response = owner_client.post(url(admin), {"after": "0"}, follow=True)
    done = Freeze.objects.get()
    assert response.redirect_chain == [(f"/deletions/freezes/{done.pk}/", 302)]
    html = page(response)
    assert "1 deletion was cancelled." in html
    assert "Too late:" in html
    assert "rule 2" in html
    assert f'action="/deletions/freeze/{done.pk}/undo/"' in html
    assert "Adam can sign in again." in html


def test_a_replayed_form_is_answered_with_a_sentence_and_changes_nothing(
    rules, admin, owner_client
):
    schedule(admin, 1)
    form = {"after": "0"}
    assert owner_client.post(url(admin), form).status_code == 302
    schedule(admin, 2)
    again = owner_client.post(url(admin), form)
    assert again.status_code == 409
    assert "Olga has frozen Adam already" in page(again)
    assert states() == {"1": "cancelled", "2": "pending"}
    assert Freeze.objects.count() == 1
    fresh = {"after": str(Freeze.objects.get().pk)}
    assert fresh["after"] in page(owner_client.get(url(admin)))
    assert owner_client.post(url(admin), fresh).status_code == 302
    assert states() == {"1": "cancelled", "2": "cancelled"}


@pytest.mark.parametrize("after", ["x", "²", "9" * 5000, "-1"])
def test_rubbish_in_the_form_freezes_nobody_twice(rules, admin, owner_client, after):
    schedule(admin, 1)
    owner_client.post(url(admin))
    schedule(admin, 2)
    assert owner_client.post(url(admin), {"after": after}).status_code == 409
    assert states()["2"] == "pending"


def test_where_there_is_nothing_to_freeze_it_says_so(rules, admin, owner_client):
    assert "There is nothing to freeze" in page(owner_client.get(url(admin)))
    response = owner_client.post(url(admin), {"after": "0"})
    assert response.status_code == 409
    assert "is not signed in" in page(response)
    assert not Freeze.objects.exists()


def test_only_owners_freeze_and_undo(rules, admin, owner, admin_client, viewer_client):
    schedule(owner, 1)
    schedule(admin, 2)
    done = freeze(owner, admin)
    admin_client.force_login(admin)
    for client in (admin_client, viewer_client):
        for method in (client.get, client.post):
            response = method(url(owner))
            assert response.status_code == 403
            assert "Ask an owner" in page(response)
        assert client.post(f"/deletions/freeze/{done.pk}/undo/").status_code == 403
        html = page(client.get(f"/deletions/freezes/{done.pk}/"))
        assert "undo/" not in html
        assert "undo/" not in page(client.get("/deletions/freezes/"))
    assert states() == {"1": "pending", "2": "cancelled"}


def test_forged_numbers_are_not_found(rules, owner_client):
    for path in ("/deletions/freeze/999/", "/deletions/freezes/999/"):
        assert owner_client.get(path).status_code == 404
    assert owner_client.post("/deletions/freeze/999/").status_code == 404
    assert owner_client.post("/deletions/freeze/999/undo/").status_code == 404
    assert owner_client.post(f"/deletions/freeze/{'9' * 30}/").status_code == 404


def test_a_form_of_another_site_is_refused(rules, admin, owner):
    schedule(admin, 1)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(url(admin), {"after": "0"}).status_code == 403
    assert states() == {"1": "pending"}
    done = freeze(owner, admin)
    assert strict.post(f"/deletions/freeze/{done.pk}/undo/").status_code == 403
    assert states() == {"1": "cancelled"}


def test_asking_by_get_never_undoes(rules, admin, owner, owner_client):
    schedule(admin, 1)
    done = freeze(owner, admin)
    assert owner_client.get(f"/deletions/freeze/{done.pk}/undo/").status_code == 405


def test_freezing_oneself_is_refused_with_a_sentence(rules, owner, owner_client):
    for response in (owner_client.get(url(owner)), owner_client.post(url(owner))):
        assert response.status_code == 409
        assert "You cannot freeze yourself." in page(response)


def test_owners_find_it_on_the_page_of_a_person(admin, owner, owner_client):
    assert f'href="{url(admin)}"' in page(owner_client.get(f"/settings/people/{admin.pk}/"))
    assert url(owner) not in page(owner_client.get(f"/settings/people/{owner.pk}/"))


def test_owners_find_the_freezes_above_the_list_of_deletions(owner_client, viewer_client):
    for tab in ("/deletions/", "/deletions/?tab=history"):
        assert 'href="/deletions/freezes/"' in page(owner_client.get(tab))
        assert 'href="/deletions/freezes/"' not in page(viewer_client.get(tab))


def test_the_history_says_that_a_freeze_cancelled_it(rules, admin, owner, owner_client):
    schedule(admin, 1)
    freeze(owner, admin)
    assert "had queued: a freeze." in page(owner_client.get("/deletions/?tab=history"))


def test_somebody_who_was_removed_can_still_be_frozen(rules, admin, owner, owner_client):
    schedule(admin, 1)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert "remove them from the panel" not in page(owner_client.get(url(admin)))
    freeze(owner, admin)
    assert states() == {"1": "cancelled"}


# Undo


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


# At the same moment


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
    assert session_keys(admin) == set()


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
