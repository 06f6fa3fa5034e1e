from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from purelymanage.core.roles import Role

pytestmark = pytest.mark.django_db

WHO = ["create_owner", "--email", "Olga@Panel.example", "--name", "Olga", "--password-stdin"]


@pytest.fixture
def typed(monkeypatch):
    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return type_in


def test_it_makes_an_owner_from_a_password_on_standard_input(typed, capsys):
    typed("seven purple walls sing\n")
    call_command(*WHO)
    owner = User.objects.get()
    assert (owner.email, owner.role) == ("olga@panel.example", Role.OWNER)
    assert owner.check_password("seven purple walls sing")
    assert capsys.readouterr().out == "olga@panel.example can sign in as owner.\n"


def test_it_prints_json_without_the_password(typed, capsys):
    typed("seven purple walls sing\n")
    call_command(*WHO, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts == {
        "id": User.objects.get().pk,
        "email": "olga@panel.example",
        "name": "Olga",
        "role": "owner",
    }


def test_it_works_beside_other_people_too(owner, typed):
    typed("seven purple walls sing\n")
    call_command(
        "create_owner", "--email", "second@panel.example", "--name", "Second", "--password-stdin"
    )
    assert User.objects.filter(role=Role.OWNER).count() == 2


@pytest.mark.parametrize(
    ("password", "email", "says"),
    [
        ("short", "x@panel.example", "password: This password is too short"),
        ("", "x@panel.example", "password: This field is required"),
        ("seven purple walls sing", "nonsense", "email: This is not an e-mail address"),
        ("seven purple walls sing", "olga@panel.example", "is in the panel already"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(owner, typed, password, email, says):
    typed(password + "\n")
    with pytest.raises(CommandError, match=says) as caught:
        call_command("create_owner", "--email", email, "--name", "X", "--password-stdin")
    assert caught.value.returncode == 1
    assert User.objects.count() == 1


def test_without_a_terminal_it_says_how_to_hand_over_the_password(typed):
    typed("")
    with pytest.raises(CommandError, match="--password-stdin"):
        call_command("create_owner", "--email", "x@panel.example", "--name", "X")


def test_the_password_is_never_an_argument():
    with pytest.raises(CommandError, match="unrecognized arguments"):
        call_command(*WHO, "--password", "seven purple walls sing")
