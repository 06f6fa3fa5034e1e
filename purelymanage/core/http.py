"""Answers: a page or its fragment from one template, redirects, and errors beside their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from purelymanage.core.errors import PurelyManageError

if TYPE_CHECKING:
    from accounts.models import User


class Request(HttpRequest):
    """A request of a signed-in person, as our views receive it."""

    user: User
    htmx: HtmxDetails


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked for a part of the page; boosted and history requests want it whole."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole page, or only its `fragment` when htmx asks for a part of it."""
    if fragment and wants_fragment(request):
        template = f"{template}#{fragment}"
    response = render(request, template, dict(context or {}), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to `url`, whether a form or htmx asked."""
    if wants_fragment(request):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def way_back(request: HttpRequest, *, otherwise: str = "/") -> str:
    """The page of ours that a form names in `next`, or `otherwise`."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    return iri_to_uri(url) if is_ours else otherwise


@contextmanager
def errors_on(form: BaseForm) -> Iterator[None]:
    """Show an error of ours on the form it came from; the caller answers 422 as for bad input."""
    try:
        yield
    except PurelyManageError as error:
        field = error.field if error.field in form.fields else NON_FIELD_ERRORS
        form.add_error(field, error.message)
