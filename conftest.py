"""Fixtures every test may use."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Session, User
from audit import chain, guards
from audit.models import HEAD, Chain
from purelymanage.core.roles import Role

pytest_plugins = ["purelymanage.purelymail.testing", "domains.testing"]

PASSWORD = "correct horse battery staple"


@pytest.hookimpl(trylast=True)  # once all marks are set
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_out(config, items)
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = dealt(items, workers)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The pass on PostgreSQL leaves out what has nothing to do with the database."""
    if connection.vendor == "postgresql":
        once = {item for item in items if item.get_closest_marker("once")}
        config.hook.pytest_deselected(items=list(once))
        items[:] = [item for item in items if item not in once]


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in an order in which each worker, given an equal part, begins with a lane.

    So no browser works beside another, what waits long begins early, and one worker is free for
    what does neither.
    """
    kinds: dict[str, list[pytest.Item]] = {"browser": [], "slow": [], "": []}
    for item in items:
        kinds[next(filter(item.get_closest_marker, ("browser", "slow")), "")].append(item)
    rest = iter(kinds[""])
    order = [
        test
        for lane in (kinds["browser"], *spread(kinds["slow"], max(1, workers - 2)))
        for test in (*lane, *islice(rest, max(0, len(items) // workers - len(lane))))
    ]
    return [*order, *rest]


def spread(items: list[pytest.Item], count: int) -> list[list[pytest.Item]]:
    """In so many lanes in turn; a group, which shares what is dear to start, stays together."""
    groups: dict[object, list[pytest.Item]] = {}
    for item in items:
        group = item.get_closest_marker("xdist_group")
        groups.setdefault(group.args if group else item, []).append(item)
    turns = list(groups.values())
    return [[item for group in turns[lane::count] for item in group] for lane in range(count)]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit have all tables emptied, as if nothing but migrations had run.

    The database would refuse that for the audit log, whose head is a migration's.
    """
    with django_db_blocker.unblock():
        guards.let_tests_empty_tables(connection)
    post_migrate.connect(begin_the_log, sender=apps.get_app_config("audit"))


def begin_the_log(**_: Any) -> None:
    Chain.objects.get_or_create(pk=HEAD, defaults=asdict(chain.START))


def _person(name: str, role: Role) -> User:
    return User.objects.create_user(
        email=f"{name.lower()}@panel.example", name=name, password=PASSWORD, role=role
    )


@pytest.fixture
def owner(db: None) -> User:
    return _person("Olga", Role.OWNER)


@pytest.fixture
def admin(owner: User) -> User:
    return _person("Adam", Role.ADMIN)


@pytest.fixture
def viewer(owner: User) -> User:
    return _person("Vera", Role.VIEWER)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def signed_in_long_ago(client: Client) -> None:
    """As if the session had begun 15 minutes ago: what is dangerous asks its person again."""
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    begun_at = timezone.now() - timedelta(minutes=15, seconds=1)
    Session.objects.filter(session_key=Session.stored_key(cookie)).update(begun_at=begun_at)


@pytest.fixture
def admin_client(admin: User) -> Client:
    return _signed_in(admin)


@pytest.fixture
def owner_client(owner: User) -> Client:
    return _signed_in(owner)


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    return _signed_in(viewer)


@pytest.fixture
def empty_cache() -> None:
    """What an earlier test left there: the engine that was found, logins that were tried."""
    cache.clear()
