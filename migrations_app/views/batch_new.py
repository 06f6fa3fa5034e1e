"""From a CSV file to the jobs of a batch: upload, preview, import or discard."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from migrations_app.batches.preview import COLUMNS
from migrations_app.engines.plan import Options
from migrations_app.forms.batches import BatchForm
from migrations_app.models import Batch, LineState, Server
from migrations_app.selectors import batch_of, lines
from migrations_app.services import batches as services
from migrations_app.services.exports import note_export
from migrations_app.views.parts import told_on_the_way_back_to
from purelymanage.core.http import Request, errors_on, go_to, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.core.tables import csv_response
from purelymanage.jobs.health import LATE_SECONDS, seconds_since_worker_seen
from purelymanage.ui.tags.words import grouped

EXAMPLES = (
    ("lea@old.example", "her password there", "lea@example.com", "her password here"),
    ("max@old.example", "his password there", "max@example.com", "his password here"),
)
told_on_the_preview = told_on_the_way_back_to(
    "migrations:batch_preview",
    otherwise="migrations:batches",
    gone=gettext_lazy("The batch has been discarded meanwhile."),
)
REPORT_COLUMNS = ("line", "source_email", "dest_email", "state", "note")


@sensitive_post_parameters("pasted")
@admin_required
@rate_limited("bulk")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def batch_new(request: Request) -> HttpResponse:
    is_sent = request.method == "POST"
    form = BatchForm(request.POST, request.FILES) if is_sent else BatchForm()
    if is_sent and form.is_valid():
        with errors_on(form):
            batch, is_guessed = services.preview_batch(**form.values())
            if is_guessed:
                messages.warning(
                    request,
                    _(
                        "The file is not in UTF-8 and was read as Windows-1252. Look at the "
                        "letters, and mind that passwords may hold such letters too."
                    ),
                )
            return go_to(request, _url("preview", batch))
    context = {
        "form": form,
        "columns": ",".join(COLUMNS),
        "most": services.MAX_LINES,
        "has_servers": Server.objects.exists(),
        "crumbs": _crumbs(),
    }
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/batches/new.html", context, status=status)


@viewer_required
@require_GET
def batch_template(request: Request) -> HttpResponseBase:
    return csv_response("migrations-template.csv", COLUMNS, EXAMPLES)


@viewer_required
@require_GET
@cache_control(no_store=True)
def batch_preview(request: Request, pk: int) -> HttpResponse:
    """What the lines come to, then how far their import is; the batch itself once it is made."""
    batch = batch_of(pk)
    if not (batch.is_preview or batch.is_importing):
        return go_to(request, reverse("migrations:batch", args=[pk]))
    is_poll = wants_fragment(request)
    if is_poll and batch.is_preview:
        return go_to(request, _url("preview", batch))
    numbers = lines.line_numbers(batch)
    context = {
        "batch": batch,
        "can_change": request.user.is_admin,
        "numbers": numbers,
        "is_left": batch.is_importing and _no_worker_is_there(),
    }
    if not is_poll:
        context |= _preview_context(request, batch, numbers)
    return render_page(request, "migrations_app/batches/preview.html", context, fragment="progress")


def _preview_context(request: Request, batch: Batch, numbers: lines.LineNumbers) -> dict[str, Any]:
    """What the page shows beside how far an import is."""
    state = request.GET.get("state", "")
    return {
        "is_complete": bool(batch.source_server and batch.destination_server),
        "page": lines.lines_page(batch, state=state, page=request.GET.get("page")),
        "states": _states(batch, numbers, chosen=state),
        "options": Options.from_json(batch.options),
        "erased_on": batch.created_at + services.KEPT,
        "crumbs": _crumbs(),
    }


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_lines(request: Request, pk: int) -> HttpResponseBase:
    """Every line and what it came to, or those of one state; passwords are never in it."""
    batch = batch_of(pk)
    note_export(batch, what="lines of the file", kind="CSV")
    state = request.GET.get("state", "")
    name = f"{slugify(batch.name) or 'batch'}-{state if state in LineState.values else 'lines'}.csv"
    return csv_response(name, REPORT_COLUMNS, lines.line_report(batch, state=state))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_preview
def batch_import(request: Request, pk: int) -> HttpResponse:
    batch = batch_of(pk)
    services.start_import(batch=batch, all_or_nothing=request.POST.get("mode") == "all")
    return go_to(request, _url("preview", batch))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_preview
def batch_import_stop(request: Request, pk: int) -> HttpResponse:
    batch = batch_of(pk)
    made = services.stop_import(batch=batch)
    words = ngettext(
        "The import is stopped. %(count)s job is made and stays.",
        "The import is stopped. %(count)s jobs are made and stay.",
        made,
    )
    messages.success(request, words % {"count": grouped(made)})
    return go_to(request, _url("preview", batch))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_preview
def batch_discard(request: Request, pk: int) -> HttpResponse:
    batch = batch_of(pk)
    services.discard(batch=batch)
    messages.success(request, _("Discarded, with the passwords in it."))
    has_jobs = batch.jobs.exists()
    return go_to(request, _url("", batch) if has_jobs else reverse("migrations:batch_new"))


def _no_worker_is_there() -> bool:
    silence = seconds_since_worker_seen()
    return silence is None or silence > LATE_SECONDS


def _states(
    batch: Batch, numbers: lines.LineNumbers, *, chosen: str
) -> list[tuple[str, str, bool, int]]:
    """Links to the lines of each state there is."""
    here = _url("preview", batch)
    links = [(_("All"), here, chosen not in LineState.values, numbers.total)]
    for state in LineState:
        number = getattr(numbers, state)
        if number or chosen == state:
            word = str(lines.LOOKS[state].word)
            links.append((word, f"{here}?state={state}", chosen == state, number))
    return links


def _url(name: str, batch: Batch) -> str:
    return reverse(f"migrations:batch_{name}" if name else "migrations:batch", args=[batch.pk])


def _crumbs() -> list[tuple[Any, str]]:
    return [
        (_("Migrations"), reverse("migrations:list")),
        (_("Batches"), reverse("migrations:batches")),
    ]
