"""Messages as toasts: answers to htmx carry them in a header, whole pages render them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from purelymanage.core.http import wants_fragment
from purelymanage.ui.states import message_tone

LEAVING = ("HX-Redirect", "HX-Refresh", "HX-Location", "Location")
"""Answers after which another page comes, which will show the messages."""


class ToastMiddleware:
    """Adds the event `toasts` to fragment answers; static/js/toasts.js shows them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not wants_fragment(request) or any(name in response for name in LEAVING):
            return response
        toasts = [
            {"tone": message_tone(message), "text": str(message)}
            for message in get_messages(request)
        ]
        if toasts:
            trigger_client_event(response, "toasts", {"toasts": toasts})
        return response
