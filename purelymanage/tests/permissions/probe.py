"""Sends requests as somebody to a world with real rows, undoes them, and names the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponseBase
from django.test import Client, TestCase
from django.urls import Resolver404, resolve, reverse

from conftest import signed_in_long_ago
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.posts import POSTS
from purelymanage.tests.audited.tables import OK, Exempt, Leaves, Line
from purelymanage.tests.audited.world import ADDRESS, World, entries_after, newest_entry

ENTRANCES = {"account_login", "admin:login"}
ASKING_AGAIN = {"account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
CEREMONIES = {
    "mfa_authenticate",
    "mfa_login_webauthn",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    *ASKING_AGAIN,
}
"""What they are sent is bound to the session that began them: see accounts/tests/test_factors_*."""
WORDS = {
    400: "refused",
    403: "no",
    404: "gone",
    405: "method",
    409: "refused",
    410: "gone",
    422: "refused",
    503: "file",
}
FORM = re.compile(r"<form\b[^>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True)
class Sent:
    """A request that somebody could make: where to, and what the form there sends."""

    path: str
    data: dict[str, Any] = field(default_factory=dict)
    line: Line | None = None
    """The scenario it is from, which says what is on record when it is done."""


class Captured(Exception):  # noqa: N818  no error: the scenario came to what it sends
    """Ends a scenario at the request it is about."""


class Browsers:
    """One session for each role, signed in a moment ago; a fresh browser for every request."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._cookies: dict[tuple[str, bool], str] = {}

    def __call__(self, role: str, *, is_stale: bool = False, **options: Any) -> Client:
        """`is_stale`: signed in too long ago for what is dangerous."""
        client = Client(REMOTE_ADDR=ADDRESS, raise_request_exception=False, **options)
        if role != "stranger":
            client.cookies[settings.SESSION_COOKIE_NAME] = self._cookies[role, is_stale]
        return client

    def sign_in(self, *roles: str, is_stale: bool = False) -> None:
        """Begin their sessions, after all that ends some."""
        for role in roles:
            if role != "stranger":
                client, user = Client(REMOTE_ADDR=ADDRESS), self.world.people[role]
                client.force_login(user)
                if is_stale:
                    signed_in_long_ago(client)
                cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
                self._cookies[role, is_stale] = cookie


@contextmanager
def undone(world: World) -> Iterator[None]:
    """Whatever the block does never was: rows, PurelyMail, and what the world remembers."""
    kept, service = dict(vars(world)), world.purelymail.server.service
    account = deepcopy(service.account)
    rows = {name: copy(row) for name, row in kept.items() if isinstance(row, Model)}
    people = {role: copy(person) for role, person in world.people.items()}
    vars(world).update(rows, people=people)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        vars(world).clear()
        vars(world).update(kept)
        service.account = account
        cache.clear()


def acted_out() -> list[Line]:
    """The lines of the tables whose request anybody could send; Django's admin only signs out."""
    return [
        line
        for line in POSTS
        if line.do
        and line.name not in CEREMONIES
        and not (isinstance(line, Exempt) and line.name.partition(":")[0] == "admin")
    ]


def scenario(line: Line, world: World) -> Sent:
    """What a line of the tables sends to its address, with all that has to be there before."""

    def capture(client: Client, path: str, /, **data: Any) -> HttpResponseBase:
        if walk.kind_of(resolve(urlsplit(path).path).view_name) == line.name:
            raise Captured(path, data)
        return World.send(world, client, path, **data)

    def post(*args: Any, **data: Any) -> HttpResponseBase:
        raise Captured(reverse(line.name, args=args), data)

    vars(world)["send"] = capture
    try:
        line.do(world, post)
    except Captured as found:
        path, data = found.args
        return Sent(path, data, line)
    finally:
        del vars(world)["send"]
    raise AssertionError(f"{line} sends nothing to its address")


def ask(client: Client, method: str, sent: Sent) -> str:
    """Send it, and give the word of the table for the answer."""
    before = newest_entry()
    send = getattr(client, method.lower())
    with TestCase.captureOnCommitCallbacks(execute=True):  # some entries are written there
        response = send(sent.path, sent.data) if method == "POST" else send(sent.path)
    if response.streaming:
        response.getvalue()
    if method == "OPTIONS" and "Allow" in response.headers and not response.content:
        return "method"
    word = _word(response, sent)
    if method == "GET":
        return word
    is_done = _is_done(sent.line, response.status_code, word, before)
    return "does" if is_done else word.replace("form", "page")


def _is_done(line: Line | None, status: int, word: str, before: int) -> bool:
    """Whether the scenario came to what it is about."""
    if line is None:
        return False
    if isinstance(line, Leaves):
        return any(entry.action == line.action for entry in entries_after(before))
    return status in line.status and (
        word in ("page", "form", "file", "away") or OK.isdisjoint(line.status)
    )


def _word(response: HttpResponseBase, sent: Sent) -> str:
    status = response.status_code
    if location := response.headers.get("HX-Redirect") or response.headers.get("Location"):
        return _leads_to(location)
    if status in WORDS or status >= 400:
        return WORDS.get(status, str(status))
    if not response.headers.get("Content-Type", "text/html").startswith("text/html"):
        return "file"
    return "form" if has_form(response, sent.path) else "page"


def _leads_to(location: str) -> str:
    try:
        name = resolve(urlsplit(location).path).view_name
    except Resolver404:
        return "away"
    if name in ENTRANCES:
        return "sign-in"
    return "again" if name in ASKING_AGAIN else "away"


def has_form(response: HttpResponseBase, path: str) -> bool:
    """Whether the page has a form that is sent to the page itself."""
    for tag in FORM.findall(response.content.decode()):
        attributes = dict(ATTRIBUTE.findall(tag))
        target = urlsplit(attributes.get("action", "")).path
        if attributes.get("method", "").lower() == "post" and target in ("", urlsplit(path).path):
            return True
    return False
