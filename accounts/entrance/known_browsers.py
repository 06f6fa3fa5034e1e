"""Browsers a person has signed in with count wrong passwords for themselves.

Without that a stranger who goes on guessing would keep the person out for as long as they guess.
The cookie lets nobody in: whoever steals it has five tries of their own.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

SALT = "accounts.known_browsers"
KNOWN_FOR = 90 * 86400


def remember(response: HttpResponseBase, *, email: str) -> None:
    """Let the browser prove later that `email` signed in with it."""
    response.set_cookie(
        _cookie_name(),
        signing.dumps([email.lower(), secrets.token_hex(8)], salt=SALT),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def known_as(request: HttpRequest, *, email: str) -> str:
    """The name of the browser if `email` signed in with it, else nothing."""
    try:
        whose, name = signing.loads(
            request.COOKIES.get(_cookie_name(), ""), salt=SALT, max_age=KNOWN_FOR
        )
    except signing.BadSignature:
        return ""
    return str(name) if whose == email.lower() else ""


def _cookie_name() -> str:
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"
