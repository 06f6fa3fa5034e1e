"""The audit log, for everybody who may sign in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import push_url

from audit import exports
from audit.actions import Action, by_subject
from audit.checking import ask_for_check, chain_state
from audit.filters import Asked, Ending, Filters
from audit.models import Entry
from audit.selectors import entry_page, extent, row_of, rows
from audit.services import record
from purelymanage.core.errors import InvalidError
from purelymanage.core.http import Request, go_to, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

FIELDS = "fields"
"""The id of what stands beside the search box, by which htmx says that it was changed."""


@viewer_required
@require_GET
def audit_list(request: Request) -> HttpResponse:
    """Who did what, on what, when, from where, and how it ended; 50 a page."""
    is_fragment = wants_fragment(request)
    by_fields = is_fragment and request.htmx.trigger == FIELDS
    asked = Asked.of(request.GET.dict(), fields_win=by_fields)
    listed = entry_page(asked.filters, request.GET.get("page"))
    context = {
        "asked": asked,
        "actions": [("", _("All actions")), *by_subject()],
        "endings": [("", _("Any end")), *Ending.choices],
        "is_filtered": asked.filters != Filters(),
        "is_capped": listed.is_capped,
        "is_fragment": is_fragment,
        "by_fields": by_fields,
        "chain": None if is_fragment else chain_state(),
        "page": listed.page,
        "rows": rows(listed.page.object_list, reader=request.user),
    }
    response = render_page(request, "audit/audit_list.html", context, fragment="results")
    if is_fragment:
        _let_the_address_follow(request, response, asked=asked, page=listed.page.number)
    return response


@viewer_required
@require_GET
def audit_entry(request: Request, pk: int) -> HttpResponse:
    """One entry, for others to be pointed at."""
    entry = get_object_or_404(Entry.objects.newest_first(), pk=pk)
    row = row_of(entry, reader=request.user)
    return render_page(request, "audit/audit_entry.html", {"row": row, **row.texts})


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def audit_csv(request: Request) -> StreamingHttpResponse:
    """All that the filter matches, for spreadsheets. Whoever may read the log may take it along."""
    return _export(request, exports.csv_file, kind="CSV")


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def audit_json(request: Request) -> StreamingHttpResponse:
    """All that the filter matches, for programs."""
    return _export(request, exports.json_file, kind="JSON")


@viewer_required
@require_GET
def chain(request: Request) -> HttpResponse:
    """The state of the chain, asked for again while a check is under way."""
    if not wants_fragment(request):
        return go_to(request, reverse("audit:list"))
    return render_page(request, "audit/chain.html", {"chain": chain_state()})


@admin_required
@rate_limited("verify")
@require_POST
def chain_check(request: Request) -> HttpResponse:
    """Have the whole log checked by the workers."""
    ask_for_check()
    if wants_fragment(request):
        return render_page(request, "audit/chain.html", {"chain": chain_state()})
    return go_to(request, reverse("audit:list"))


def _export(
    request: Request, write: Callable[..., StreamingHttpResponse], *, kind: str
) -> StreamingHttpResponse:
    asked = Asked.of(request.GET.dict())
    if asked.problems:
        raise InvalidError(" ".join(asked.problems))
    taken = extent(asked.filters)
    facts = {"entries": taken.number, "filter": asked.text, "format": kind}
    record(Action.AUDIT_EXPORTED, after=facts)
    return write(taken, reader=request.user)


def _let_the_address_follow(
    request: Request, response: HttpResponse, *, asked: Asked, page: int
) -> None:
    url = reverse("audit:list") + asked.query
    if page > 1:
        url += f"{'&' if asked.query else '?'}page={page}"
    if request.htmx.current_url_abs_path != url:
        push_url(response, url)
