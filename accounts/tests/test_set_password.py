"""The operator's way in for somebody whom no mail reaches."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Session
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "seven purple walls sing"


@pytest.fixture
def typed(monkeypatch):
    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))

    return type_in


def test_the_last_owner_gets_back_in_and_every_session_ends(owner, owner_client, typed, capsys):
    typed(NEW)
    call_command("set_password", owner.email.upper(), "--password-stdin")
    assert capsys.readouterr().out == f"{owner.email} has a new password.\n"
    assert not Session.objects.filter(user=owner).exists()
    assert owner_client.get("/settings/").status_code == 302
    again = Client()
    again.post("/accounts/login/", {"login": owner.email, "password": NEW})
    assert again.get("/settings/").status_code == 200
    entry = Entry.objects.get(action=Action.PASSWORD_SET)
    assert entry.target == owner.email
    assert NEW not in f"{entry.before}{entry.after}"


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("nobody@panel.example", NEW, "nobody with the e-mail"),
        ("olga@panel.example", "short", "too short"),
        ("olga@panel.example", "olga@panel.example", "too similar"),
    ],
)
def test_what_is_refused_changes_nothing(owner, typed, email, password, says):
    typed(password)
    with pytest.raises(CommandError, match=says):
        call_command("set_password", email, "--password-stdin")
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert not Entry.objects.filter(action=Action.PASSWORD_SET).exists()
