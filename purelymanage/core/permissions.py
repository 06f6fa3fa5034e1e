"""The decorators every view wears: who may open it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.core.roles import Role, has_role

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponseBase]


def _sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back; htmx takes the whole page there, not the part it asked for."""
    if htmx := getattr(request, "htmx", None):
        return HttpResponseClientRedirect(redirect_to_login(htmx.current_url_abs_path or "/").url)
    return redirect_to_login(_way_back(request))


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
                raise PermissionDenied
            return view(request, *args, **kwargs)

        wrapper.required_role = role  # type: ignore[attr-defined]  # read by the permission test
        return wrapper

    return decorate


viewer_required = _role_required(Role.VIEWER)
admin_required = _role_required(Role.ADMIN)
owner_required = _role_required(Role.OWNER)
