"""Who may sign in, as what, and how they lose it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client

from accounts.models import Invitation, Session, User
from accounts.services import invitations
from accounts.services import people as services
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role

pytestmark = pytest.mark.django_db


def last_entry() -> Entry:
    return Entry.objects.newest_first()[0]


def sign_in(person: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def test_somebody_already_here_cannot_be_added_by_the_operator_either(viewer):
    with pytest.raises(RefusedError, match="is in the panel already"):
        services.add_person(email=viewer.email, name="Nora", password=PASSWORD, role=Role.OWNER)
    assert last_entry().outcome.result == "refused"


def test_a_made_up_role_is_refused(owner_client, viewer):
    answer = owner_client.post(f"/settings/people/{viewer.pk}/", {"role": "god"})
    assert answer.status_code == 422
    viewer.refresh_from_db()
    assert viewer.role == Role.VIEWER


def test_a_changed_role_counts_at_once_and_ends_their_sessions(owner_client, viewer):
    theirs = sign_in(viewer)
    assert theirs.post("/settings/purelymail/test/").status_code == 403
    owner_client.post(f"/settings/people/{viewer.pk}/", {"role": "owner"})
    entry = last_entry()
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "owner"})
    assert theirs.get("/settings/").status_code == 302
    assert sign_in(viewer).get("/settings/people/new/").status_code == 200


def test_saving_the_role_they_have_changes_nothing(owner_client, owner, viewer):
    theirs, entries = sign_in(viewer), Entry.objects.count()
    owner_client.post(f"/settings/people/{viewer.pk}/", {"role": "viewer"})
    owner_client.post(f"/settings/people/{owner.pk}/", {"role": "owner"})
    assert Entry.objects.count() == entries
    assert theirs.get("/settings/").status_code == 200
    assert owner_client.get("/settings/").status_code == 200


def test_an_owner_who_steps_down_signs_in_again(admin, owner):
    services.change_role(person=admin, role=Role.OWNER)
    theirs = sign_in(owner)
    response = theirs.post(f"/settings/people/{owner.pk}/", {"role": "viewer"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert theirs.get("/settings/").status_code == 302
    assert sign_in(owner).get("/settings/people/new/").status_code == 403


def test_whoever_is_removed_lets_nobody_in_any_more(admin, owner):
    services.change_role(person=admin, role=Role.OWNER)
    invitations.invite(inviter=admin, email="n@panel.example", name="N", role=Role.OWNER)
    services.remove_person(person=admin)
    assert not Invitation.objects.open().exists()
    entry = last_entry()
    assert (entry.action, entry.outcome.after) == (
        Action.PERSON_REMOVED,
        {"invitations_revoked": 1},
    )
    services.restore_person(person=admin)
    assert not Invitation.objects.open().exists()


def test_a_removed_person_is_out_at_once_and_everywhere(owner_client, admin):
    browsers = [sign_in(admin), sign_in(admin)]
    assert Session.objects.filter(user=admin).count() == 2
    owner_client.post(f"/settings/people/{admin.pk}/remove/")
    assert not Session.objects.filter(user=admin).exists()
    for browser in browsers:
        assert browser.get("/settings/").status_code == 302
    admin.refresh_from_db()
    assert not admin.is_active
    assert last_entry().action == Action.PERSON_REMOVED


def test_a_removed_person_can_be_let_in_again(owner_client, admin):
    services.remove_person(person=admin)
    assert "Let in again" in owner_client.get(f"/settings/people/{admin.pk}/").content.decode()
    owner_client.post(f"/settings/people/{admin.pk}/restore/")
    assert sign_in(admin).get("/settings/").status_code == 200


def test_the_last_owner_can_neither_be_removed_nor_made_less(owner_client, owner):
    response = owner_client.post(f"/settings/people/{owner.pk}/", {"role": "admin"})
    assert response.status_code == 422
    assert "only owner" in response.content.decode()
    response = owner_client.post(f"/settings/people/{owner.pk}/remove/")
    assert response.status_code == 409
    assert "only owner" in response.content.decode()
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def _remove(person: User) -> None:
    services.remove_person(person=person)


def _demote(person: User) -> None:
    services.change_role(person=person, role=Role.ADMIN)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "deeds",
    [(_remove, _remove), (_demote, _demote), (_demote, _remove)],
    ids=["remove", "demote", "both"],
)
def test_two_owners_cannot_get_rid_of_each_other_at_once(deeds):
    owners = [
        User.objects.create_user(email=f"o{n}@panel.example", name=f"O{n}", role=Role.OWNER)
        for n in range(2)
    ]
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def run(deed: Callable[[User], None], person: User) -> None:
        barrier.wait(timeout=30)
        try:
            deed(person)
            outcomes.append("done")
        except RefusedError:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(deeds, owners, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["done", "refused"]
    assert User.objects.filter(role=Role.OWNER, is_active=True).count() == 1


def test_an_owner_who_leaves_is_signed_out(admin, owner):
    services.change_role(person=admin, role=Role.OWNER)
    theirs = sign_in(owner)
    response = theirs.post(f"/settings/people/{owner.pk}/remove/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert theirs.get("/settings/").status_code == 302
    assert not Session.objects.filter(user=owner).exists()


def test_a_removed_owner_does_not_count(owner, admin):
    services.change_role(person=admin, role=Role.OWNER)
    services.remove_person(person=admin)
    with pytest.raises(RefusedError):
        services.remove_person(person=owner)


def test_whoever_became_the_last_owner_a_moment_ago_stays_one(owner, admin):
    as_it_was = User.objects.get(pk=admin.pk)
    services.change_role(person=admin, role=Role.OWNER)
    services.change_role(person=owner, role=Role.VIEWER)
    with pytest.raises(RefusedError, match="only owner"):
        services.change_role(person=as_it_was, role=Role.VIEWER)


def test_an_owner_may_leave_when_another_stays(owner, admin):
    services.change_role(person=admin, role=Role.OWNER)
    services.change_role(person=owner, role=Role.VIEWER)
    owner.refresh_from_db()
    assert owner.role == Role.VIEWER


def test_history_keeps_the_name_of_the_removed(admin, owner):
    from purelymanage.core.context import acting_as, person

    with acting_as(person(admin)):
        services.change_name(person=admin, name="Adam Ant")
    services.remove_person(person=admin)
    assert Entry.objects.get(action=Action.PROFILE_CHANGED).actor_name == "Adam"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/settings/people/new/"),
        ("post", "/settings/people/new/"),
        ("get", "/settings/people/{pk}/"),
        ("post", "/settings/people/{pk}/"),
        ("post", "/settings/people/{pk}/remove/"),
        ("post", "/settings/people/{pk}/restore/"),
    ],
)
def test_only_owners_manage_people(admin_client, viewer_client, owner, method, path):
    for client in (admin_client, viewer_client):
        response = getattr(client, method)(path.format(pk=owner.pk), {"role": "viewer"})
        assert response.status_code == 403
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def test_everybody_sees_who_is_here_but_only_owners_the_way_to_change_it(
    owner_client, viewer_client, viewer
):
    theirs = viewer_client.get("/settings/people/").content.decode()
    assert "Vera" in theirs
    assert "Olga" in theirs
    assert "Invite a person" not in theirs
    assert f"/settings/people/{viewer.pk}/" not in theirs
    assert "Invite a person" in owner_client.get("/settings/people/").content.decode()


def test_the_list_costs_the_same_however_many_there_are(
    owner_client, django_assert_max_num_queries
):
    for number in range(30):
        User.objects.create(email=f"p{number}@panel.example", name=f"P{number}")
    owner_client.get("/settings/people/")
    with django_assert_max_num_queries(12):
        owner_client.get("/settings/people/")


def test_one_changes_the_own_name(viewer_client, viewer):
    response = viewer_client.post("/settings/", {"name": "Vera Vale"})
    assert response["Location"] == "/settings/"
    viewer.refresh_from_db()
    assert viewer.name == "Vera Vale"
    assert last_entry().before == {"name": "Vera"}
    assert viewer_client.post("/settings/", {"name": "a\nb"}).status_code == 422
