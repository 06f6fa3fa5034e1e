"""How somebody is invited, and who comes in by the link."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import Invitation, Session, User
from accounts.services import invitations as services
from accounts.services import people
from accounts.tests.invitations import NORA, actions, invite, mailed_link
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.core.roles import Role

pytestmark = pytest.mark.django_db

CHOSEN = {"name": "Nora Nest", "password": "seven purple walls sing"}


# The way in


def test_whoever_is_invited_by_mail_chooses_a_password_and_is_in(owner_client, owner):
    assert owner_client.get("/settings/people/new/").status_code == 200
    assert owner_client.post("/settings/people/new/", NORA)["Location"] == "/settings/people/"
    link = mailed_link()
    assert mail.outbox[0].to == ["nora@panel.example"]
    assert "Olga" in mail.outbox[0].subject
    newcomer = Client()
    page = newcomer.get(link).content.decode()
    assert "Olga" in page
    assert "Admin" in page
    answer = newcomer.post(link, CHOSEN)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert newcomer.get("/settings/").status_code == 200
    person = User.objects.get(email="nora@panel.example")
    assert (person.name, person.role) == ("Nora Nest", Role.ADMIN)
    assert person.check_password(CHOSEN["password"])
    assert Invitation.objects.get().accepted_by == person
    joined = Entry.objects.get(action=Action.PERSON_JOINED)
    assert (joined.actor_name, joined.target) == ("Nora Nest", "nora@panel.example")
    assert actions()[:2] == [Action.PERSON_INVITED, Action.INVITATION_SENT]


def test_whoever_just_accepted_is_not_asked_who_they_are_again(owner):
    invite(owner, Role.OWNER)
    newcomer = Client()
    newcomer.post(mailed_link(), CHOSEN)
    assert newcomer.get("/settings/people/new/").status_code == 200


def test_accepting_begins_a_new_session(owner, viewer):
    invite(owner)
    link = mailed_link()
    browser = Client()
    browser.post("/accounts/login/", {"login": viewer.email, "password": PASSWORD})
    old_key = browser.session.session_key
    assert "You are signed in as Vera" in browser.get(link).content.decode()
    browser.post(link, CHOSEN)
    assert browser.session.session_key != old_key
    assert not Session.objects.filter(user=viewer).exists()
    assert browser.get("/settings/").context["user"].name == "Nora Nest"


def test_a_weak_password_is_refused_and_the_name_stays(owner):
    invite(owner)
    link = mailed_link()
    for password in ("short", "nora@panel.example", "1234567890123"):
        answer = Client().post(link, {"name": "Nora Nest", "password": password})
        assert answer.status_code == 422
        assert 'value="Nora Nest"' in answer.content.decode()
    assert not User.objects.filter(email="nora@panel.example").exists()


def test_opening_the_link_uses_nothing_up(owner):
    invite(owner)
    link = mailed_link()
    for _ in range(3):
        assert Client().get(link).status_code == 200
        assert Client().head(link).status_code == 405
    assert Client().post(link, CHOSEN).status_code == 302


# Links that let nobody in


def _used(invitation: Invitation, link: str) -> None:
    Client().post(link, CHOSEN)


def _revoked(invitation: Invitation, link: str) -> None:
    services.revoke(invitation=invitation)


def _expired(invitation: Invitation, link: str) -> None:
    Invitation.objects.update(expires_at=timezone.now())


def _sent_again(invitation: Invitation, link: str) -> None:
    services.send_again(invitation=invitation, inviter=invitation.invited_by)


def _inviter_removed(invitation: Invitation, link: str) -> None:
    User.objects.create_user(email="o2@panel.example", name="O2", role=Role.OWNER)
    people.remove_person(person=invitation.invited_by)


def _inviter_removed_by_other_means(invitation: Invitation, link: str) -> None:
    User.objects.update(is_active=False)


def _inviter_made_less(invitation: Invitation, link: str) -> None:
    User.objects.create_user(email="o2@panel.example", name="O2", role=Role.OWNER)
    people.change_role(person=invitation.invited_by, role=Role.ADMIN)


VOIDING = [
    _used,
    _revoked,
    _expired,
    _sent_again,
    _inviter_removed,
    _inviter_removed_by_other_means,
    _inviter_made_less,
]


@pytest.mark.parametrize("voiding", VOIDING)
def test_a_void_link_is_answered_like_one_that_never_was(owner, voiding):
    invitation = invite(owner)
    link = mailed_link()
    voiding(invitation, link)
    there = User.objects.count()
    for method in ("get", "post"):
        void = getattr(Client(), method)(link, CHOSEN)
        unknown = getattr(Client(), method)("/invite/never-was/", CHOSEN)
        assert void.status_code == unknown.status_code == 410
        assert _bare(void) == _bare(unknown)
        assert _steady(void) == _steady(unknown)
        assert "Ask whoever invited you" in void.content.decode()
    assert User.objects.count() == there


def _bare(response) -> str:
    return re.sub(r"[\w-]{40,}", "", response.content.decode())


def _steady(response) -> dict[str, str]:
    """Its headers without the time of day."""
    return {name: value for name, value in response.headers.items() if name != "Expires"}


def test_unknown_and_void_links_cost_the_same_queries(owner, django_assert_num_queries):
    invitation = invite(owner)
    link = mailed_link()
    services.revoke(invitation=invitation)
    for path in (link, "/invite/never-was/"):
        with django_assert_num_queries(2):  # whether there is anybody at all, and this
            Client().get(path)


@pytest.mark.parametrize("path", ["link", "/invite/never-was/"])
def test_the_address_with_the_token_is_kept_to_oneself(owner, path):
    invite(owner)
    answer = Client().get(mailed_link() if path == "link" else path)
    assert answer["Referrer-Policy"] == "strict-origin"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]


def test_guessing_is_slowed_down(owner, settings):
    settings.RATE_LIMITS = True
    answers = {Client().get(f"/invite/guess-{number}/").status_code for number in range(60)}
    assert answers == {410, 429}


@pytest.mark.django_db(transaction=True)
def test_two_who_accept_at_once_make_one_account():
    owner = User.objects.create_user(email="o@panel.example", name="O", role=Role.OWNER)
    invitation = invite(owner)
    outcomes = _at_once(
        lambda: services.accept(invitation=invitation, **CHOSEN),
        lambda: services.accept(invitation=invitation, **CHOSEN),
    )
    assert sorted(outcomes) == ["MissingError", "User"]
    assert User.objects.filter(email="nora@panel.example").count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_accepts_while_the_inviter_is_removed_comes_before_or_not_at_all():
    owner = User.objects.create_user(email="o@panel.example", name="O", role=Role.OWNER)
    User.objects.create_user(email="o2@panel.example", name="O2", role=Role.OWNER)
    invitation = invite(owner)
    outcomes = _at_once(
        lambda: services.accept(invitation=invitation, **CHOSEN),
        lambda: people.remove_person(person=owner),
    )
    invitation.refresh_from_db()
    came_in = "User" in outcomes
    assert "NoneType" in outcomes
    assert bool(invitation.accepted_at) is came_in
    assert bool(invitation.revoked_at) is not came_in


def _at_once(*works) -> list[str]:
    """Run in a thread each; the kinds of what came back or was raised."""
    barrier, outcomes = threading.Barrier(len(works)), []

    def run(work):
        barrier.wait(timeout=30)
        try:
            outcomes.append(type(work()).__name__)
        except (MissingError, RefusedError) as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def test_an_account_made_meanwhile_stays_as_it_is(owner):
    invite(owner)
    link = mailed_link()
    made = people.add_person(
        email="nora@panel.example", name="Nora", password=PASSWORD, role=Role.VIEWER
    )
    answer = Client().post(link, CHOSEN)
    assert answer.status_code == 422
    assert "Sign in instead" in answer.content.decode()
    made.refresh_from_db()
    assert made.check_password(PASSWORD)


# What the owner does


def test_sending_again_makes_a_new_link_with_a_new_end(owner_client, owner):
    invitation = invite(owner)
    first = mailed_link()
    Invitation.objects.update(expires_at=timezone.now())
    assert "Expired" in owner_client.get("/settings/people/").content.decode()
    owner_client.post(f"/settings/people/invitations/{invitation.pk}/send/")
    second = mailed_link()
    assert first != second
    assert Client().get(first).status_code == 410
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert Client().get(second).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        assert Client().get(second).status_code == 410


def test_whoever_sends_it_again_answers_for_it(owner):
    invitation = invite(owner)
    other = User.objects.create_user(email="o2@panel.example", name="O2", role=Role.OWNER)
    people.change_role(person=owner, role=Role.VIEWER)
    tasks.send_invitations()
    assert not mail.outbox
    services.send_again(invitation=invitation, inviter=other)
    assert Client().get(mailed_link()).status_code == 200


def test_an_accepted_invitation_can_be_neither_sent_nor_revoked(owner_client, owner):
    invitation = invite(owner)
    Client().post(mailed_link(), CHOSEN)
    for deed in ("send", "revoke"):
        answer = owner_client.post(f"/settings/people/invitations/{invitation.pk}/{deed}/")
        assert answer.status_code == 409
        assert "accepted or revoked already" in answer.content.decode()
    assert "Nobody is invited" in owner_client.get("/settings/people/").content.decode()


def test_owners_see_who_is_invited_by_whom(owner_client, viewer_client, owner):
    invite(owner)
    page = owner_client.get("/settings/people/").content.decode()
    assert "About to be sent" in page
    assert "by Olga" in page
    tasks.send_invitations()
    assert "About to be sent" not in owner_client.get("/settings/people/").content.decode()
    assert "Nora" not in viewer_client.get("/settings/people/").content.decode()


def test_who_is_here_was_removed_or_is_invited_is_told_what_to_do(owner_client, owner, viewer):
    def refusal(email: str) -> str:
        answer = owner_client.post("/settings/people/new/", {**NORA, "email": email})
        assert answer.status_code == 422
        assert 'value="Nora"' in answer.content.decode()
        return answer.content.decode()

    assert "is in the panel already. Change the role" in refusal(viewer.email)
    people.remove_person(person=viewer)
    assert "was removed from the panel. Open their page" in refusal(viewer.email.upper())
    invite(owner)
    assert "is invited already." in refusal("nora@panel.example")
    assert Invitation.objects.count() == 1


def test_a_made_up_role_is_refused(owner_client):
    assert owner_client.post("/settings/people/new/", {**NORA, "role": "god"}).status_code == 422
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("path", ["new", "invitations/{pk}/send", "invitations/{pk}/revoke"])
def test_only_owners_invite(admin_client, viewer_client, owner, path):
    invitation = invite(owner)
    for client in (admin_client, viewer_client):
        answer = client.post(f"/settings/people/{path.format(pk=invitation.pk)}/", NORA)
        assert answer.status_code == 403
    assert Invitation.objects.open().count() == 1


def test_the_list_costs_the_same_however_many_are_invited(
    owner_client, owner, django_assert_max_num_queries
):
    for number in range(30):
        services.invite(inviter=owner, email=f"n{number}@panel.example", name="N", role=Role.VIEWER)
    owner_client.get("/settings/people/")
    with django_assert_max_num_queries(12):
        owner_client.get("/settings/people/")
