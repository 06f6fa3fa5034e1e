"""Hostile input to every form and every query: no crash, nothing reflected, nothing unrecorded.

`HOSTILE_REQUESTS=5000 HOSTILE_SEED=1 pytest …` sends more, and other ones; the same seed sends the
same.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import Resolver404, resolve, reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from accounts.models import User
from audit.models import Entry
from purelymanage.core.roles import Role
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.posts import POSTS
from purelymanage.tests.audited.world import World, tables_written
from purelymanage.tests.hostile.judge import errors, headers_wrong, reflected
from purelymanage.tests.hostile.surface import of_line, of_pages
from purelymanage.tests.hostile.values import Request, breakouts, requests
from purelymanage.tests.permissions.probe import Browsers, acted_out, undone

logger = logging.getLogger(__name__)
REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "500"))
SEED = int(os.environ.get("HOSTILE_SEED", "20261121"))
PEOPLE = ("viewer", "admin", "owner")
ROLES = ("owner", "owner", "owner", *PEOPLE, "stranger")
FREE = {
    "accounts_session": "the person's own session",
    "audit_entry": "the record itself",
    "audit_outcome": "the record itself",
    "audit_chain": "the record itself",
    "domains_syncstate": "that somebody looks",
    "migrations_app_limits": "the one row of limits, on first use",
    "migrations_app_watch": "that somebody has the page of a job or batch open",
}
"""Tables that may be written to without an entry, and what that is."""
LOOK_AGAIN = (
    "dashboard:home",
    "audit:list",
    "accounts:people",
    "mailboxes:list",
    "mailboxes:batches:list",
    "routing:list",
    "deletions:list",
    "migrations:list",
    "migrations:servers",
)
"""Where what was stored shows up."""


@pytest.fixture
def panel(world: World, monkeypatch: pytest.MonkeyPatch) -> Browsers:
    """A panel with rows of every kind, people who are signed in, and no way out of this machine."""
    lookup = socket.getaddrinfo

    def only_here(host, *args, **options):
        if str(host) not in ("127.0.0.1", "::1", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "no outside traffic")
        return lookup(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    return Browsers(world)


def exempt_tables(path: str) -> set[str]:
    """What a form may write without an entry, by its line in `audited/posts/`."""
    try:
        name = walk.kind_of(resolve(path.partition("?")[0]).view_name)
    except Resolver404:
        return set()
    return {table for line in POSTS if line.name == name for table in getattr(line, "writes", ())}


class Run:
    """Sends requests and remembers what was wrong."""

    def __init__(self, browsers: Browsers) -> None:
        self.browsers = browsers
        self.statuses: Counter[int] = Counter()
        self.wrong: dict[str, str] = {}

    def send(self, request: Request) -> None:
        """One request, and where it changed something a look at pages that show what is stored."""
        client = self.browsers(request.role)
        for name, value in request.cookies.items():
            client.cookies[name] = value
        with errors() as found, tables_written() as tables:
            response = client.generic(
                request.method,
                request.path,
                request.body,
                content_type=request.content_type,
                headers=request.headers,
            )
            if response.streaming:
                response.getvalue()
        self.statuses[response.status_code] += 1
        self._judge(request, response, found)
        unrecorded = tables - FREE.keys() - exempt_tables(request.path)
        if unrecorded and "audit_entry" not in tables:
            self._note(request, f"writes to {', '.join(sorted(unrecorded))}, with no entry")
        if request.method == "POST" and "audit_entry" in tables:
            self._look_again(request)

    def _look_again(self, request: Request) -> None:
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.filter(role=Role.OWNER, is_active=True)[0])
        entry = Entry.objects.latest("pk")
        page = LOOK_AGAIN[self.statuses.total() % len(LOOK_AGAIN)]
        for path in (reverse("audit:entry", args=[entry.pk]), reverse(page)):
            with errors() as found:
                response = client.get(path)
            self._judge(request, response, [f"{path} afterwards: {one}" for one in found])

    def _judge(self, request: Request, response, found: list[str]) -> None:
        if response.status_code >= 500 and not request.path.startswith("/readyz"):
            self._note(request, f"{response.status_code} {found}")
        for one in [*found, *reflected(response), *headers_wrong(response)]:
            self._note(request, one)

    def _note(self, request: Request, what: str) -> None:
        if what not in self.wrong:
            self.wrong[what] = str(request)
            logger.warning("%s: %s", what, request)


def send_many(count: int, draw_request: Callable[[st.DataObject], Request], run: Run) -> None:
    """`count` requests, each to the same world."""

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        with undone(run.browsers.world):
            run.send(draw_request(data))

    send()
    logger.info("Seed %d, %d requests, answers %s", SEED, count, sorted(run.statuses.items()))
    assert not run.wrong, "\n".join(f"{what}\n    {how}" for what, how in run.wrong.items())
    assert run.statuses.total() >= count


@pytest.mark.django_db
def test_nothing_hostile_gets_through_what_pages_send(world, panel):
    """Every form, button and link of a panel with rows of every kind."""
    panel.sign_in("owner")
    targets = of_pages(world, panel("owner"))
    panel.sign_in(*PEOPLE)  # again: to make some of the rows ends sessions
    draw = st.sampled_from(targets).flatmap(lambda target: requests(target, ROLES))
    send_many(REQUESTS // 2, lambda data: data.draw(draw), Run(panel))


@pytest.mark.django_db
def test_nothing_hostile_gets_through_what_scenarios_send(world, panel):
    """Every form, where it would otherwise succeed."""
    lines = acted_out()

    def draw(data: st.DataObject) -> Request:
        line = data.draw(st.sampled_from(lines))
        target = of_line(line, world)
        request = data.draw(requests(target, ["stranger"] if line.by == "stranger" else ROLES))
        panel.sign_in(request.role)
        return request

    send_many(REQUESTS - REQUESTS // 2, draw, Run(panel))


@pytest.mark.once
@pytest.mark.django_db
def test_no_page_hands_markup_back(world, panel):
    """What breaks out of any text, attribute or script, in each field of every page."""
    panel.sign_in("owner")
    run = Run(panel)
    for target in of_pages(world, panel("owner")):
        for request in breakouts(target, "owner"):
            with undone(world):
                run.send(request)
    assert not run.wrong, "\n".join(f"{what}\n    {how}" for what, how in run.wrong.items())
    assert run.statuses.total() > 200
