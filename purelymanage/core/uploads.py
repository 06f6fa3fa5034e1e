"""How much may be sent at once: a request is refused by its length, before any of it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from purelymanage.core.http import wants_fragment

MEGABYTE = 1024 * 1024


class BodyLimitMiddleware:
    """Answers 413 to what is longer than MAX_BODY.

    What names no length is read as empty, by WSGI's rules. Stands in the middle of the page's own
    middleware, for its looks; nothing before it reads what was sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _length(request) <= settings.MAX_BODY:
            return self.get_response(request)
        sentence = _("More than %(number)d MB cannot be sent at once. Split it into parts.")
        sentence %= {"number": settings.MAX_BODY // MEGABYTE}
        if wants_fragment(request):
            messages.error(request, sentence)
            return HttpResponse(status=413, headers={"HX-Reswap": "none"})
        return render(request, "413.html", {"sentence": sentence}, status=413)


def _length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isdecimal() else 0
