"""Leads to the set-up page while there is no account, and notes when a session was last used."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.models import User
from accounts.sessions.store import Browser, SessionStore
from purelymanage.core.http import go_to

GetResponse = Callable[[HttpRequest], HttpResponse]


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
    """Tells the session who uses it, which keeps it alive."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = cast(SessionStore, request.session)
        session.browser = Browser.of(request)
        if request.user.is_authenticated:
            session.note_use()
        return self.get_response(request)
