"""Every address of the site is guarded by a role, or named here as open to all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = {
    "accounts:setup",
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "dashboard:healthz",
    "dashboard:readyz",
    "ui:password_strength",
}
GUARDED_BY_ALLAUTH = {"account_change_password"}


def patterns(
    resolver: URLResolver, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """`(name, route, pattern)` of everything below; Django's admin has one door of its own."""
    for item in resolver.url_patterns:
        route = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            if item.namespace != "admin":
                inner = ":".join(filter(None, [namespace, item.namespace]))
                yield from patterns(item, route, inner)
        else:
            yield ":".join(filter(None, [namespace, item.name])), route, item


ALL = list(patterns(get_resolver()))


def test_the_walk_finds_the_site():
    names = {name for name, _route, _pattern in ALL}
    assert names >= PUBLIC | GUARDED_BY_ALLAUTH | {"accounts:people", "audit:list"}


@pytest.mark.parametrize(("name", "route", "pattern"), ALL, ids=[route for _, route, _ in ALL])
def test_each_address_asks_for_a_role_or_is_public(name, route, pattern):
    guarded = hasattr(pattern.callback, "required_role") or name in GUARDED_BY_ALLAUTH
    assert guarded is not (name in PUBLIC), f"{route} needs a role decorator, or a place in PUBLIC"


def example(route: str) -> str:
    """A path that the route matches."""
    return "/" + re.sub(r"<\w+:\w+>", "1", route)


@pytest.mark.django_db
def test_a_stranger_reaches_nothing_that_is_guarded(owner):
    stranger = Client()
    for name, route, _pattern in ALL:
        if name in PUBLIC or "(?P" in route:
            continue
        for method in ("get", "post"):
            response = getattr(stranger, method)(example(route))
            where = f"{method} /{route}"
            assert response.status_code == 302, where
            assert response["Location"].startswith("/accounts/login/?next="), where
