"""The way back in for whoever lost their second factor."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import tasks
from accounts.models import Session
from accounts.services.lost_factors import reset_factors
from accounts.tests.factors import give_app, give_codes, give_passkey
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.errors import RefusedError
from purelymanage.jobs import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(admin):
    """The admin, with every kind of factor and signed in somewhere."""
    give_app(admin)
    give_passkey(admin)
    give_codes(admin)
    client = Client()
    client.force_login(admin)
    return admin


@pytest.fixture
def queued(monkeypatch):
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(queue, "_send", lambda task, *args, **_kwargs: sent.append((task, *args)))
    return sent


def reset(client: Client, pk: int):
    return client.post(f"/settings/people/{pk}/second-factor/reset/")


def test_an_owner_resets_it(
    owner_client, lost, queued, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert reset(owner_client, lost.pk).status_code == 302
    assert not Authenticator.objects.filter(user=lost).exists()
    assert not Session.objects.filter(user=lost).exists()
    entry = Entry.objects.newest_first()[0]
    assert (entry.action, entry.target) == (Action.FACTORS_RESET, lost.email)
    assert entry.outcome.after == {"factors": 2, "sessions": 1}
    assert queued == [("accounts.tasks.send_factors_reset", lost.pk)]
    assert not mailoutbox
    signed_in = Client()
    signed_in.post("/accounts/login/", {"login": lost.email, "password": PASSWORD})
    assert signed_in.get("/").status_code == 200


def test_the_mail_says_what_happened(lost, mailoutbox):
    tasks.send_factors_reset(lost.pk)
    assert mailoutbox[0].to == [lost.email]
    assert "no longer open PurelyManage" in mailoutbox[0].body
    tasks.send_factors_reset(0)
    assert len(mailoutbox) == 1


def test_the_page_of_a_person_offers_it_where_there_is_one(owner_client, owner, lost, viewer):
    offer = "second-factor/reset/"
    assert offer in owner_client.get(f"/settings/people/{lost.pk}/").content.decode()
    assert offer not in owner_client.get(f"/settings/people/{viewer.pk}/").content.decode()
    give_app(owner)
    assert offer not in owner_client.get(f"/settings/people/{owner.pk}/").content.decode()


def test_nobody_resets_their_own(owner_client, owner):
    give_app(owner)
    answer = reset(owner_client, owner.pk)
    assert answer.status_code == 409
    assert "recovery code" in answer.content.decode()
    assert Authenticator.objects.filter(user=owner).exists()


def test_admins_and_viewers_reset_nobodys(admin_client, viewer_client, owner):
    give_app(owner)
    for client in (admin_client, viewer_client):
        assert reset(client, owner.pk).status_code == 403
    assert Authenticator.objects.filter(user=owner).exists()


def test_where_there_is_none_it_is_refused(viewer):
    with pytest.raises(RefusedError, match="Vera has no second factor"):
        reset_factors(person=viewer)


def test_the_command_resets_it_on_the_server(lost, capsys):
    call_command("reset_mfa", f" {lost.email.upper()}")
    assert capsys.readouterr().out == f"{lost.email} signs in with the password alone now.\n"
    assert not Authenticator.objects.filter(user=lost).exists()
    entry = Entry.objects.newest_first()[0]
    assert (entry.action, entry.actor_name) == (Action.FACTORS_RESET, "system")


def test_the_command_says_as_json_what_was_removed(lost, capsys):
    call_command("reset_mfa", lost.email, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"id": lost.pk, "email": lost.email, "factors": 2, "sessions": 1}


@pytest.mark.parametrize(
    ("email", "says"),
    [("nobody@panel.example", "nobody with the e-mail"), ("vera@panel.example", "has no second")],
)
def test_the_command_refuses_with_a_sentence_and_exit_code_1(viewer, email, says):
    with pytest.raises(CommandError, match=says) as caught:
        call_command("reset_mfa", email)
    assert caught.value.returncode == 1


def test_the_help_names_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        call_command("reset_mfa", "--help")
    assert "Exit codes: 0 reset, 1 refused" in " ".join(capsys.readouterr().out.split())
