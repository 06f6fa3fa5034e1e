"""The audit log, for everybody who may sign in."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from audit.forms import FilterForm
from audit.selectors import Filters, entries, rows
from purelymanage.core.http import Request, render_page
from purelymanage.core.paging import page_of
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def audit_list(request: Request) -> HttpResponse:
    """Who did what, on what, when, from where, and how it ended; 50 a page."""
    form = FilterForm(request.GET)
    filters = form.filters()
    page = page_of(entries(filters), request.GET.get("page"))
    context = {
        "form": form,
        "is_filtered": filters != Filters(),
        "page": page,
        "rows": rows(page.object_list),
    }
    return render_page(request, "audit/audit_list.html", context, fragment="results")
