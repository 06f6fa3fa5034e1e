"""Before what is dangerous a person shows once more who they are: by password, passkey or code.

It is remembered for 15 minutes (`ACCOUNT_REAUTHENTICATION_TIMEOUT`); signing in counts. A form that
was sent too late is kept in the session and done afterwards, as if it were sent then: once, for the
same person, with all that its view asks. A form that may hold a secret is never kept, nor one that
htmx sent, whose answer would be a part of a page: they lead back to where they stood.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, Concatenate, ParamSpec, overload

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.urls import resolve
from django.utils.translation import gettext as _

from accounts.factors.policy import is_held_back
from purelymanage.core.permissions import detour

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]

KEPT = "reauthentication_kept"
MAX_KEPT = 64 * 1024
CSRF_FIELD = "csrfmiddlewaretoken"
SECRET_FIELDS = re.compile("pass|secret|token|code|credential", re.IGNORECASE)


@overload
def reauthentication_required(view: View[P], /) -> View[P]: ...
@overload
def reauthentication_required(*, keeps_form: bool = True) -> Callable[[View[P]], View[P]]: ...
def reauthentication_required(
    view: View[P] | None = None, /, *, keeps_form: bool = True
) -> View[P] | Callable[[View[P]], View[P]]:
    """Ask first, unless the person showed who they are within the last 15 minutes.

    Stands below the role decorator. Without `keeps_form` what was sent too late is to be sent
    again: for forms that hold a secret, and for those whose answer is a file.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if recently_authenticated(request):
                return view(request, *args, **kwargs)
            return ask_again(request, keeps_form=keeps_form)

        wrapper.asks_again = True  # type: ignore[attr-defined]  # read by the test of all addresses
        return wrapper

    return decorate(view) if view else decorate


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the session's person signed in, or confirmed who they are, within 15 minutes."""
    moments = [record["at"] for record in get_authentication_records(request, request.user)[-1:]]
    if request.user.is_authenticated and (row := getattr(request.session, "row", None)):
        moments.append(row.begun_at.timestamp())
    ages = (time.time() - moment for moment in moments)
    return any(0 <= age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for age in ages)


def ask_again(request: HttpRequest, *, keeps_form: bool = True) -> HttpResponse:
    """To the page that asks, and back. What an earlier form left there is forgotten."""
    page, answer = detour(request, "account_reauthenticate")
    request.session.pop(KEPT, None)
    if request.method != "POST":
        return answer
    if keeps_form and _may_be_kept(request):
        request.session[KEPT] = {
            "page": page,
            "path": request.path_info,
            "query": request.GET.urlencode(),
            "form": _fields(request).urlencode(),
            "person": request.user.pk,
            "at": time.time(),
            "token": secrets.token_urlsafe(16),
        }
    else:
        messages.warning(
            request, _("Nothing was changed yet. Confirm that it is you, then do it again.")
        )
    return answer


def is_form_kept(request: HttpRequest, page: str) -> bool:
    """Whether a form waits for the confirmation that leads back to `page`."""
    kept = request.session.get(KEPT)
    return (
        isinstance(kept, dict)
        and kept["page"] == page
        and kept["person"] == request.user.pk
        and time.time() - kept["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    )


def do_kept(request: HttpRequest, page: str) -> HttpResponseBase | None:
    """The answer to the form that was kept; None where none waits, or it was done already.

    It goes to its view with the same role and rate limits as any other. Its CSRF token was checked
    when it came, that of the confirmation just now.
    """
    is_meant = is_form_kept(request, page) and not is_held_back(request.user)
    kept = request.session.pop(KEPT, None)
    if not is_meant or not _claim(kept["token"]):
        return None
    match = resolve(kept["path"])
    sent = copy(request)
    sent.resolver_match = match
    sent.path_info = kept["path"]
    sent.path = f"{request.META.get('SCRIPT_NAME', '').rstrip('/')}{kept['path']}"
    sent.META = {**request.META, "PATH_INFO": kept["path"], "QUERY_STRING": kept["query"]}
    sent.GET = QueryDict(kept["query"])
    sent.POST = QueryDict(kept["form"])
    answer: HttpResponseBase = match.func(sent, *match.args, **match.kwargs)
    return answer


def _claim(token: str) -> bool:
    """Whether this is the first to do it: two confirmations may come at the same moment."""
    seconds = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return bool(cache.add(f"accounts.reauthentication.{token}", "done", seconds))


def _may_be_kept(request: HttpRequest) -> bool:
    fields = _fields(request)
    return (
        not getattr(request, "htmx", None)
        and not request.FILES
        and not any(SECRET_FIELDS.search(name) for name in fields)
        and len(fields.urlencode()) <= MAX_KEPT
    )


def _fields(request: HttpRequest) -> QueryDict:
    """What was typed and ticked."""
    fields = request.POST.copy()
    fields.pop(CSRF_FIELD, None)
    return fields
