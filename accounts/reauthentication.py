"""Before what is dangerous a person shows once more who they are: by password, passkey or code.

It is remembered for 15 minutes (`ACCOUNT_REAUTHENTICATION_TIMEOUT`); signing in counts. A form that
was sent too late is kept in the session and sent on afterwards; wear the decorator only on views
whose forms hold no secret, or on the page that shows the form.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from purelymanage.core.http import go_to, wants_fragment

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]


def reauthentication_required(view: View[P]) -> View[P]:
    """Ask first, unless the person showed who they are within the last 15 minutes.

    Stands below the role decorator.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if recently_authenticated(request):
            return view(request, *args, **kwargs)
        return _ask(request)

    wrapper.asks_again = True  # type: ignore[attr-defined]  # read by the permission test
    return wrapper


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the session's person signed in, or confirmed who they are, within 15 minutes."""
    records = get_authentication_records(request, request.user)
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return bool(records) and bool(records[-1]["at"] > since)


def _ask(request: HttpRequest) -> HttpResponse:
    ask = reverse("account_reauthenticate")
    if wants_fragment(request):
        page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return go_to(request, redirect_to_login(page, ask).url)
    answer: HttpResponse = reauthentication.suspend_request(request, ask)
    return answer
