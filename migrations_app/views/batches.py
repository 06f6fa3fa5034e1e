"""Batches: their list, and the page of one."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from migrations_app import selectors
from migrations_app.views.parts import tabs
from purelymanage.core.http import Request, render_page
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def batch_list(request: Request) -> HttpResponse:
    page = selectors.list_batches(request.GET.get("page"))
    context = {"page": page, "tabs": tabs("batches")}
    return render_page(request, "migrations_app/batches/list.html", context)


@viewer_required
@require_GET
def batch_detail(request: Request, pk: int) -> HttpResponse:
    context = {
        "batch": selectors.batch_of(pk),
        "crumbs": [
            (_("Migrations"), reverse("migrations:list")),
            (_("Batches"), reverse("migrations:batches")),
        ],
    }
    return render_page(request, "migrations_app/batches/detail.html", context)
