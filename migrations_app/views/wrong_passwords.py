"""Whose password did not work in a batch: to look at, and to send on."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from migrations_app.models import Batch
from migrations_app.selectors.batches import batch_of
from migrations_app.selectors.wrong_passwords import (
    COLUMNS,
    jobs_to_ask_about,
    letters_of,
    wrong_passwords,
)
from migrations_app.services.exports import note_export
from purelymanage.core.downloads import attachment
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.paging import page_of
from purelymanage.core.permissions import viewer_required
from purelymanage.core.tables import csv_response


@viewer_required
@require_GET
def batch_passwords(request: Request, pk: int) -> HttpResponse:
    batch = batch_of(pk)
    page = page_of(jobs_to_ask_about(batch), request.GET.get("page"))
    context = {
        "batch": batch,
        "page": page,
        "people": wrong_passwords(page),
        "crumbs": [
            (_("Migrations"), reverse("migrations:list")),
            (_("Batches"), reverse("migrations:batches")),
            (batch.name, reverse("migrations:batch", args=[batch.pk])),
        ],
    }
    return render_page(request, "migrations_app/batches/wrong_passwords.html", context)


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_passwords_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """Addresses and servers; never a password."""
    batch = batch_of(pk)
    note_export(batch, what="wrong passwords", kind="CSV")
    rows = (one.cells for one in wrong_passwords(jobs_to_ask_about(batch)))
    return csv_response(_file_name(batch, "csv"), COLUMNS, rows)


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_passwords_text(request: Request, pk: int) -> HttpResponse:
    """The letter to each person, one after the other."""
    batch = batch_of(pk)
    note_export(batch, what="wrong passwords", kind="text")
    return HttpResponse(
        letters_of(wrong_passwords(jobs_to_ask_about(batch))),
        content_type="text/plain; charset=utf-8",
        headers=attachment(_file_name(batch, "txt")),
    )


def _file_name(batch: Batch, suffix: str) -> str:
    return f"batch-{batch.pk}-wrong-passwords.{suffix}"
