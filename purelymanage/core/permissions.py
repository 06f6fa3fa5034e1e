"""The decorators every view wears: who may open it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.core.roles import Role, has_role

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]


WHO_CAN = {
    Role.ADMIN: _(
        "This is for admins and owners. Nothing was changed. Ask one of them to do it for you, "
        "or an owner to change your role."
    ),
    Role.OWNER: _(
        "This is for owners. Nothing was changed. Ask one of them to do it for you, "
        "or to change your role."
    ),
}


class RoleMissing(PermissionDenied):
    """It takes another role than theirs; the page that tells them says who has it."""

    def __init__(self, role: Role) -> None:
        super().__init__(WHO_CAN.get(role, ""))


def detour(request: HttpRequest, url_name: str) -> tuple[str, HttpResponse]:
    """The page to come back to, and the answer that leads there by way of another one.

    htmx takes the whole page there, not the part it asked for.
    """
    if htmx := getattr(request, "htmx", None):
        page = htmx.current_url_abs_path or "/"
        return page, HttpResponseClientRedirect(redirect_to_login(page, url_name).url)
    page = _way_back(request)
    return page, redirect_to_login(page, url_name)


def _sign_in(request: HttpRequest) -> HttpResponse:
    return detour(request, "account_login")[1]


def _way_back(request: HttpRequest) -> str:
    """The page to return to: this one, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    form = urlsplit(request.headers.get("Referer", ""))
    return (
        form._replace(scheme="", netloc="").geturl() if form.netloc == request.get_host() else "/"
    )


def _role_required(role: Role) -> Callable[[View[P]], View[P]]:
    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            if not has_role(request.user, role):
                raise RoleMissing(role)
            return view(request, *args, **kwargs)

        wrapper.required_role = role  # type: ignore[attr-defined]  # read by the permission test
        return wrapper

    return decorate


viewer_required = _role_required(Role.VIEWER)
admin_required = _role_required(Role.ADMIN)
owner_required = _role_required(Role.OWNER)
