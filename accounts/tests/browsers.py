"""Browsers in which somebody signs in by the form, and their cookies in other hands."""

from __future__ import annotations

from django.test import Client

from accounts.models import Session, User
from conftest import PASSWORD

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
HOME = "/settings/"


def signed_in(person: User, *, address: str = "192.0.2.7", user_agent: str = FIREFOX) -> Client:
    """A browser in which that person has just signed in."""
    client = Client(REMOTE_ADDR=address, headers={"user-agent": user_agent})
    sign_in(client, person)
    return client


def sign_in(client: Client, person: User) -> None:
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})


def cookie_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def with_cookie(cookie: str) -> Client:
    """Another browser that sends that cookie."""
    client = Client()
    client.cookies["sessionid"] = cookie
    return client


def opens(client: Client) -> bool:
    """Whether a page opens that asks for somebody who is signed in."""
    return client.get(HOME).status_code == 200


def row_of(client: Client) -> Session:
    return Session.objects.get(session_key=Session.stored_key(cookie_of(client)))
