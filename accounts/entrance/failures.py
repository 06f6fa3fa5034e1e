"""Failed attempts on record, without letting a flood of them fill the audit log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import record
from purelymanage.core.limits import client_network, consume

WHOLE_PANEL = "panel"
HOUR = 3600
ONCE_IN = 15 * 60
"""Seconds for which the same person or client is not put on record again for the same limit."""


def record_failure(
    request: HttpRequest, action: Action, *, target: object = "", refused: str
) -> None:
    """Put an attempt that failed on record; in a flood only the first thousand of an hour.

    Whether there is such an account plays no part, or the time an answer takes would tell.
    """
    if consume(request, "failures_on_record", key=WHOLE_PANEL):
        record(action, target=target, refused=refused)
    elif cache.add("accounts.failures_left_out", "told", HOUR):
        record(Action.FAILURES_LEFT_OUT, refused=_("More than 1,000 attempts failed."))


class LimitedMiddleware:
    """Puts on record who was made to wait: once, however often they go on trying."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        target = getattr(response, "limited", "")
        if target and cache.add(_mark(request, target), "told", ONCE_IN):
            reason = _("Too many attempts.")
            record_failure(request, Action.ATTEMPTS_LIMITED, target=target, refused=reason)
        return response


def _mark(request: HttpRequest, target: str) -> str:
    who = (str(request.user.pk or ""), client_network(request), target)
    return f"accounts.limited:{hashlib.sha256(repr(who).encode()).hexdigest()}"
