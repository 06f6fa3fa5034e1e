"""Nobody learns from outside who has an account: answer, status and work done are the same.

The work is counted, not timed: how often a password is hashed, and what is asked of the database.
`bench/enumeration.py` measures the times.
"""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
RESET = "/accounts/password/reset/"
UNKNOWN = "nobody@panel.example"


@pytest.fixture(autouse=True)
def _nothing_counted_yet():
    cache.clear()


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Every password that was hashed."""
    found: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self, password, salt):
        found.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return found


@pytest.fixture
def people(admin, viewer) -> dict[str, str]:
    """An address of each kind that a stranger may try."""
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    Client().post(LOGIN, {"login": "first@panel.example", "password": "begins the audit log"})
    invited = User.objects.create_user(email="new@panel.example", name="Nina")
    return {
        "somebody": admin.email,
        "removed": viewer.email,
        "without a password": invited.email,
        "nobody": UNKNOWN,
    }


def told(response, email: str) -> tuple[int, str, str]:
    """Status, place and page, without what was typed and what differs each time."""
    page = re.sub(r'(value=|CSRFToken": )"[^"]*"', "", response.content.decode())
    return response.status_code, response.get("Location", ""), page.replace(email, "…")


def asked(queries: CaptureQueriesContext) -> list[str]:
    """The statements, without their values."""
    return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]


def test_a_failed_sign_in_says_and_does_the_same_for_everybody(people, hashed):
    seen = []
    for email in people.values():
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            response = Client().post(LOGIN, {"login": email, "password": "not this one"})
        assert response.status_code == 422
        assert len(hashed) == 1, email
        seen.append((told(response, email), asked(queries)))
    assert seen == [seen[0]] * len(people)


def test_a_locked_account_is_locked_the_same_whether_it_is_there(people, hashed, settings):
    settings.RATE_LIMITS, settings.ACCOUNT_RATE_LIMITS = True, {"login_failed": "2/5m/key"}
    seen = []
    for email in people.values():
        for _time in range(2):
            Client().post(LOGIN, {"login": email, "password": "not this one"})
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            response = Client().post(LOGIN, {"login": email, "password": PASSWORD})
        assert response.status_code == 429
        assert hashed == []
        seen.append((told(response, email), asked(queries)))
    assert seen == [seen[0]] * len(people)


def test_only_the_right_password_tells_that_a_person_was_removed(people):
    """Which is for them to know; whoever else has it knows more already."""
    right = Client().post(LOGIN, {"login": people["removed"], "password": PASSWORD})
    assert right["Location"] == "/accounts/inactive/"


def test_asking_for_a_new_password_says_and_does_the_same_for_everybody(
    people, hashed, monkeypatch
):
    monkeypatch.setattr("accounts.forms.enqueue", lambda *_args: None)
    seen = []
    for email in people.values():
        with CaptureQueriesContext(connection) as queries:
            response = Client().post(RESET, {"email": email})
        seen.append((told(response, email), asked(queries)))
    assert seen == [seen[0]] * len(people)
    assert hashed == []


def test_a_made_up_link_says_the_same_whoever_it_names(people, hashed):
    seen = []
    for email in people.values():
        person = User.objects.filter(email=email).first()
        link = f"/accounts/password/reset/key/{person.pk if person else 'zz'}-abcdef-{'0' * 32}/"
        with CaptureQueriesContext(connection) as queries:
            response = Client().get(link)
        seen.append((told(response, email), asked(queries)))
    assert [answer for answer, _ in seen] == [seen[0][0]] * len(people)
    assert len({len(statements) for _, statements in seen}) == 1
    assert hashed == []


def test_a_made_up_invitation_is_gone_like_one_that_was_taken_back(db):
    answers = {
        told(Client().get(f"/invite/{token}/"), "")[:2] for token in ("a" * 43, "b" * 64, "x")
    }
    assert len(answers) == 1
