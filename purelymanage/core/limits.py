"""How often somebody may ask for what costs a lot: counted by django-allauth in the cache table."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]
APP = "purelymanage"


def rate_limited(
    action: str, rates: str, *, also_get: bool = False
) -> Callable[[View[P]], View[P]]:
    """Answer 429 above these rates, such as `10/m/user,30/m/ip`; POST alone unless told otherwise.

    Stands below the role decorator, so that strangers are sent to sign in before they are counted.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if consume(request, action, rates, also_get=also_get):
                return view(request, *args, **kwargs)
            return too_many(request, rates)

        wrapper.rate_limit = action  # type: ignore[attr-defined]  # read by the test of limits
        return wrapper

    return decorate


def consume(
    request: HttpRequest, action: str, rates: str, *, key: str | None = None, also_get: bool = False
) -> bool:
    """Count one request; whether it is within `rates`. `key` is what `…/key` rates count by."""
    if not settings.RATE_LIMITS:
        return True
    usage = ratelimit.consume(
        request, app=APP, action=action, config={action: rates}, key=key, limit_get=also_get
    )
    return usage is not None


def too_many(request: HttpRequest, rates: str) -> HttpResponse:
    """The page that says to wait, with `Retry-After` in seconds."""
    wait = max(int(rate.duration) for rate in ratelimit.parse_rates(rates))
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(wait)
    return response
