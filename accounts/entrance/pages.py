"""django-allauth's pages as ours: within our limits, and with a status that says how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from allauth.account.adapter import get_adapter
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseBase

from purelymanage.core.limits import made_to_wait, rate_limited, seconds_left

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]

TOO_MANY = {"too_many_login_attempts", "rate_limited"}


def entrance(
    view: View[P],
    limit: str,
    *,
    key: Callable[[HttpRequest], str] | None = None,
    also_get: bool = False,
) -> View[P]:
    """A page of allauth's with the rates of `limit`, which refuses as our own pages do."""
    return rate_limited(limit, key=key, also_get=also_get)(refusing(view))


def refusing(view: View[P]) -> View[P]:
    """Answer 422 where a form was refused, and 429 where it came too often; allauth says 200."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if request.method != "POST" or response.status_code != 200 or not (form and form.errors):
            return response
        response.status_code = 422
        if _came_too_often(form):
            response.status_code = 429
            made_to_wait(response, _account_of(form), _seconds_left(request, form))
        return response

    return wrapper


def typed_address(request: HttpRequest) -> str:
    """Whose mail was asked for: what the limit per account counts by."""
    return request.POST.get("email", "").strip().lower()


def _came_too_often(form: BaseForm) -> bool:
    errors = (error for found in form.errors.as_data().values() for error in found)
    return any(error.code in TOO_MANY for error in errors)


def _account_of(form: BaseForm) -> str:
    """The address that was tried: typed, or that of the person who shows who they are."""
    user = getattr(form, "user", None)
    return str(user.email if user else form.data.get("login", ""))


def _seconds_left(request: HttpRequest, form: BaseForm) -> int:
    """Until allauth's own count lets the next try through."""
    return max(
        seconds_left(request, "login_failed", key=key, app="allauth.account")
        for key in _keys(request, form)
    )


def _keys(request: HttpRequest, form: BaseForm) -> Iterator[str]:
    """What allauth counts by: passwords by the address, codes by the person."""
    yield get_adapter().login_key(request, email=_account_of(form))
    if user := getattr(form, "user", None):
        yield f"mfa-auth-user-{user.pk}"
