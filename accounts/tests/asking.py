"""What the tests of re-authentication share: somebody who signed in long ago, and the question."""

from __future__ import annotations

from django.test import Client

from accounts.models import User
from audit.models import Entry
from conftest import PASSWORD, signed_in_long_ago

ASK = "/accounts/reauthenticate/"
PEOPLE = "/settings/people/"


def late(user: User, **options) -> Client:
    """The browser of somebody who signed in longer than 15 minutes ago."""
    client = Client(**options)
    client.force_login(user)
    signed_in_long_ago(client)
    return client


def confirm(client: Client, page: str, password: str = PASSWORD, **extra):
    return client.post(ASK, {"password": password, "next": page}, **extra)


def send_role(client: Client, person: User, role: str = "admin", **extra):
    """The form of a person's page, sent from there."""
    path = f"{PEOPLE}{person.pk}/"
    return client.post(
        path, {"role": role}, headers={"Referer": f"http://testserver{path}"}, **extra
    )


def role_of(person: User) -> str:
    return User.objects.values_list("role", flat=True).get(pk=person.pk)


def newest() -> Entry:
    return Entry.objects.newest_first()[0]
