"""The answer of every list that shows a part of the local copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django_htmx.http import push_url

from domains.filters import ListFilter, Listing
from domains.freshness import viewed
from domains.models import Kind
from purelymanage.core.addresses import shown_domain
from purelymanage.core.http import Request, render_page, wants_fragment


def render_list(
    request: Request,
    template: str,
    *,
    wanted: ListFilter,
    listed: Listing,
    kind: Kind,
    **more: Any,
) -> HttpResponse:
    """The list, or for htmx its rows. The browser's address follows what was typed.

    `more`: what this list shows beside.
    """
    is_fragment = wants_fragment(request)
    context = more | {
        "wanted": wanted,
        "page": listed.page,
        "total": listed.total,
        "searched": listed.searched,
        "domain_choices": _choices(listed.domains, chosen=wanted.domain),
        "copy": viewed(kind),
        "is_fragment": is_fragment,
    }
    response = render_page(request, template, context, fragment="rows")
    if is_fragment and request.htmx.current_url_abs_path != wanted.url:
        push_url(response, wanted.url)
    return response


def _choices(names: Iterable[str] | None, *, chosen: str) -> list[tuple[str, str]]:
    """The domains to choose from; a chosen one that has nothing stays visible."""
    if names is None:
        return []
    shown = sorted({*names, chosen} - {""})
    return [("", _("All domains")), *((name, shown_domain(name)) for name in shown)]
