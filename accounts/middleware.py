"""Leads to the set-up page while there is no account, and notes when a session was last used."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import Session, User
from accounts.session_store import expiry
from purelymanage.core.http import go_to
from purelymanage.core.middleware import client_address

GetResponse = Callable[[HttpRequest], HttpResponse]

SEEN_EVERY = 60
MAX_REMEMBERED = 10_000


class SetupMiddleware:
    """Until the owner exists every page is the set-up page.

    Once a person was seen it asks no more, except on the sign-in page, which leads nobody on while
    there is nobody.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.has_people = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        setup = reverse("accounts:setup")
        if request.path in (setup, reverse("ui:password_strength")):
            return self.get_response(request)
        if not self.has_people or request.path == reverse("account_login"):
            self.has_people = User.objects.exists()
        if not self.has_people:
            return go_to(request, setup)
        return self.get_response(request)


class LastSeenMiddleware:
    """Keeps what is noted about a session's browser true to the minute, and the session alive.

    A write on every request is more than SQLite can afford with pages that poll.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.noted: dict[tuple[str, str], float] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            self.note(request)
        return self.get_response(request)

    def note(self, request: HttpRequest) -> None:
        """Write the session down unless this process did so within the last minute."""
        mark = (str(request.session.session_key), str(request.META.get("REMOTE_ADDR")))
        now = time.time()
        if now - self.noted.get(mark, -SEEN_EVERY) < SEEN_EVERY:
            return
        if len(self.noted) >= MAX_REMEMBERED:
            self.noted.clear()
        self.noted[mark] = now
        Session.objects.filter(
            session_key=Session.stored_key(str(request.session.session_key))
        ).update(
            last_seen_at=timezone.now(),
            expire_date=expiry(request.session.begun_at or timezone.now()),
            address=client_address(request) or None,
            user_agent=request.headers.get("User-Agent", "")[:400],
        )
