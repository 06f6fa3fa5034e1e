"""Fixtures every test may use."""

from __future__ import annotations

import time

import pytest
from allauth.account.internal.userkit import user_id_to_str
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.models import User
from audit import guards
from purelymanage.core.roles import Role

pytest_plugins = ["purelymanage.purelymail.testing", "domains.testing"]

PASSWORD = "correct horse battery staple"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pass on PostgreSQL leaves out what has nothing to do with the database."""
    if connection.vendor == "postgresql":
        skip = pytest.mark.skip(reason="needs no PostgreSQL: runs in the pass on SQLite")
        for item in items:
            if item.get_closest_marker("once"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit have their tables emptied, which the database would refuse for these."""
    with django_db_blocker.unblock():
        guards.let_tests_empty_tables(connection)


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
    just_authenticated(client, user)
    return client


def just_authenticated(client: Client, user: User) -> None:
    """As if the person had signed in this moment: nothing asks them again for 15 minutes."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()


@pytest.fixture
def admin_client(admin: User) -> Client:
    return _signed_in(admin)


@pytest.fixture
def owner_client(owner: User) -> Client:
    return _signed_in(owner)


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    return _signed_in(viewer)
