"""How often somebody may do something, counted by django-allauth in the cache table.

So a limit holds over all web processes and restarts, and for attempts at the same moment: each
count is read and written under a lock. The numbers stand in `rates.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.http import wants_fragment
from purelymanage.core.rates import RATES

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[Any, P], HttpResponseBase]
Usage: TypeAlias = Any  # allauth's RateLimitUsage; it ships no types
APP = "purelymanage"


def rate_limited(
    action: str,
    *,
    key: Callable[[HttpRequest], str] | None = None,
    also_get: bool = False,
) -> Callable[[View[P]], View[P]]:
    """Answer 429 above the rates of `action`; POST alone unless told otherwise.

    `key` says of a request what the rates per key count by. Stands below the role decorator, so
    that strangers are sent to sign in before they are counted.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method != "POST" and not also_get:
                return view(request, *args, **kwargs)
            counted_by = key(request) if key else None
            if consume(request, action, key=counted_by):
                return view(request, *args, **kwargs)
            return too_many(request, action, seconds_left(request, action, key=counted_by))

        wrapper.rate_limit = action  # type: ignore[attr-defined]  # read by the test of limits
        return wrapper

    return decorate


def consume(request: HttpRequest, action: str, *, key: str | None = None) -> Usage | None:
    """Count one try; None if it is one too many. `rollback()` of the answer takes it back.

    A try that one rate refuses counts for none, so that `seconds_left` stays true.
    """
    counted: Usage = ratelimit.RateLimitUsage(usage=[])
    for rate in _rates(action):
        usage = ratelimit.consume(
            request, app=APP, action=action, config={action: rate}, key=key, limit_get=True
        )
        if usage is None:
            counted.rollback()
            return None
        counted.usage += usage.usage
    return counted


def seconds_left(
    request: HttpRequest, action: str, *, key: str | None = None, app: str = APP
) -> int:
    """Until the next try is within all rates; 1 where the lock was all that stood in the way."""
    now = time.time()
    left = [1.0]
    for rate in ratelimit.parse_rates(RATES[action]):
        place = ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key)
        tries = [at for at in cache.get(place, []) if at > now - rate.duration]
        if len(tries) >= rate.amount:
            left.append(min(tries) + rate.duration - now)
    return math.ceil(max(left))


def client_network(request: HttpRequest) -> str:
    """What `…/ip` counts by: the client's address, of IPv6 its network."""
    return str(ratelimit.get_ip(request))


def too_many(request: HttpRequest, action: str, seconds: int) -> HttpResponse:
    """Says when to try again: a page, or for htmx a toast beside what was typed."""
    sentence = _("Too many attempts. Nothing was changed. Try again in %(wait)s.")
    sentence %= {"wait": _words(seconds)}
    if wants_fragment(request):
        messages.error(request, sentence)
        response = HttpResponse(status=429, headers={"HX-Reswap": "none"})
    else:
        response = render(request, "429.html", {"sentence": sentence}, status=429)
    return made_to_wait(response, action, seconds)


def made_to_wait(response: R, target: str, seconds: int) -> R:
    """Have an answer say in its header when to try again, and go on record by `target`."""
    response["Retry-After"] = str(seconds)
    response.limited = target  # type: ignore[attr-defined]  # read by LimitedMiddleware
    return response


def _rates(action: str) -> list[str]:
    return RATES[action].split(",") if settings.RATE_LIMITS else []


def _words(seconds: int) -> str:
    if seconds < 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = math.ceil(seconds / 60)
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
