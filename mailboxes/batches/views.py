"""Work on many mailboxes: upload, preview, progress, result."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.sessions.reauthentication import reauthentication_required
from mailboxes.batches import selectors, services
from mailboxes.batches.forms import UploadForm
from mailboxes.batches.models import BatchKind, MailboxBatch, RowState
from mailboxes.batches.preview import COLUMNS
from mailboxes.selectors import chosen_mailboxes
from purelymanage.core.errors import InvalidError
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.core.tables import csv_response

SELECTION_KINDS = {"delete": BatchKind.DELETE, "require_2fa": BatchKind.REQUIRE_2FA}
REPORT_COLUMNS = ("line", "local_part", "domain", "state", "message")
PASSWORD_COLUMNS = ("local_part", "domain", "address", "password", "result")
EXAMPLES = (("lea.brandt", "example.com", ""), ("info", "example.com", "a password of yours"))


@viewer_required
@require_GET
def batch_list(request: Request) -> HttpResponse:
    batches = selectors.recent_batches(request.GET.get("page"))
    context = {"crumbs": _crumbs(), "page": batches}
    return render_page(request, "mailboxes/batches/batch_list.html", context)


@sensitive_post_parameters("pasted")
@admin_required
@rate_limited("bulk")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def batch_upload(request: Request) -> HttpResponse:
    is_sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
    if is_sent and form.is_valid():
        with errors_on(form):
            batch, is_guessed = services.preview_table(content=form.content, name=form.source)
            if is_guessed:
                messages.warning(
                    request,
                    _(
                        "The file is not in UTF-8 and was read as Windows-1252. Look at the "
                        "letters, and mind that passwords may hold such letters too."
                    ),
                )
            return go_to(request, _url("detail", batch))
    context = {"crumbs": _crumbs(), "form": form, "columns": ",".join(COLUMNS)}
    status = 422 if form.errors else 200
    return render_page(request, "mailboxes/batches/batch_upload.html", context, status=status)


@viewer_required
@require_GET
def batch_template(request: Request) -> HttpResponseBase:
    return csv_response("mailboxes-template.csv", COLUMNS, EXAMPLES)


@admin_required
@rate_limited("bulk")
@require_POST
def batch_select(request: Request) -> HttpResponse:
    """An action on ticked rows, or on all that the filter in the query matches."""
    kind = SELECTION_KINDS.get(request.POST.get("do", ""))
    if kind is None:
        raise InvalidError(_("Choose what is to be done to the mailboxes."))
    batch = services.preview_selection(kind=kind, mailboxes=chosen_mailboxes(request))
    return go_to(request, _url("detail", batch))


@viewer_required
@require_GET
@cache_control(no_store=True)
def batch_detail(request: Request, pk: int) -> HttpResponse:
    """Preview, progress and result are one page: the batch, as far as it got."""
    batch = get_object_or_404(MailboxBatch, pk=pk)
    return render_page(request, "mailboxes/batches/batch_detail.html", _facts(request, batch))


@viewer_required
@require_GET
def batch_live(request: Request, pk: int) -> HttpResponse:
    """The progress; the whole page once the batch came to another state."""
    batch = get_object_or_404(MailboxBatch, pk=pk)
    if request.GET.get("known") != _token(batch):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {
        "batch": batch,
        "progress": selectors.progress_of(batch),
        "failures": selectors.failures_of(batch),
        "known": _token(batch),
    }
    return render_page(request, "mailboxes/batches/progress.html", context)


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_report(request: Request, pk: int) -> HttpResponseBase:
    """Every line and how it ended, or those of one state; passwords are never in it."""
    batch = get_object_or_404(MailboxBatch, pk=pk)
    rows = batch.rows.defer("password")
    state = request.GET.get("state", "")
    if state in RowState.values:
        rows = rows.filter(state=state)
    lines = (
        (
            row.line,
            row.local_part,
            row.domain_name,
            selectors.look_of(row.state, batch).word,
            row.message,
        )
        for row in rows.iterator(chunk_size=500)
    )
    return csv_response(_file_name(batch, state or "report"), REPORT_COLUMNS, lines)


@admin_required
@rate_limited("bulk")
@require_POST
def batch_start(request: Request, pk: int) -> HttpResponse:
    batch = get_object_or_404(MailboxBatch, pk=pk)
    services.start(batch=batch, all_or_nothing=request.POST.get("mode") == "all")
    return go_to(request, _url("detail", batch))


@admin_required
@rate_limited("bulk")
@require_POST
def batch_continue(request: Request, pk: int) -> HttpResponse:
    batch = get_object_or_404(MailboxBatch, pk=pk)
    services.go_on(batch=batch)
    return go_to(request, _url("detail", batch))


@admin_required
@require_POST
def batch_cancel(request: Request, pk: int) -> HttpResponse:
    """A preview is thrown away; a running batch ends after the row at work."""
    batch = get_object_or_404(MailboxBatch, pk=pk)
    if batch.is_preview:
        services.discard(batch=batch)
        messages.success(request, _("Discarded. Nothing was changed."))
        is_upload = batch.kind == BatchKind.CREATE
        return go_to(
            request, reverse("mailboxes:batches:upload" if is_upload else "mailboxes:list")
        )
    services.cancel(batch=batch)
    messages.success(request, _("Cancelled. What is done stays done."))
    return go_to(request, _url("detail", batch))


@admin_required
@reauthentication_required(keeps_form=False)
@rate_limited("export")
@require_POST
def batch_passwords(request: Request, pk: int) -> HttpResponseBase:
    """The one download of new passwords."""
    batch = get_object_or_404(MailboxBatch, pk=pk)
    rows = services.take_passwords(batch=batch)
    lines = selectors.password_lines(rows, batch)
    response = csv_response(_file_name(batch, "passwords"), PASSWORD_COLUMNS, lines, is_secret=True)
    response.streaming_content = services.erased_once_sent(
        response.streaming_content,  # type: ignore[arg-type]  # asynchronous only if we made it so
        batch=batch,
        rows=rows,
    )
    return response


def _facts(request: Request, batch: MailboxBatch) -> dict[str, Any]:
    progress = selectors.progress_of(batch)
    state = request.GET.get("state", "")
    asks = batch.is_preview and batch.kind != BatchKind.CREATE
    page = None
    if not batch.is_running or batch.is_stopped:  # else it would be old as soon as it is read
        page = selectors.rows_page(batch, state=state, page=request.GET.get("page"))
    return {
        "crumbs": [*_crumbs(), (_("Bulk work"), reverse("mailboxes:batches:list"))],
        "batch": batch,
        "title": _title(batch, progress),
        "progress": progress,
        "failures": selectors.failures_of(batch) if page is None else [],
        "known": _token(batch),
        "page": page,
        "states": _states(batch, progress, chosen=state),
        "state": state if state in RowState.values else "",
        "affected": selectors.affected_by(batch, progress) if asks else None,
        "new_passwords": selectors.with_passwords(batch).count(),
        "without_recovery": selectors.without_recovery(batch),
    }


def _states(
    batch: MailboxBatch, progress: selectors.Progress, *, chosen: str
) -> list[tuple[str, str, bool, int]]:
    """Links to the rows of each state there is."""
    here = _url("detail", batch)
    links = [(_("All"), here, chosen not in RowState.values, progress.lines)]
    for state in RowState:
        number = getattr(progress, state)
        if number or chosen == state:
            word = str(selectors.look_of(state, batch).word)
            links.append((word, f"{here}?state={state}", chosen == state, number))
    return links


def _title(batch: MailboxBatch, progress: selectors.Progress) -> str:
    number = progress.ready if batch.is_preview else progress.total
    words = {"name": batch.name, "n": f"{number:,}"}
    titles = {
        BatchKind.CREATE: _("New mailboxes from %(name)s"),
        BatchKind.REQUIRE_2FA: ngettext(
            "Require a second factor for %(n)s mailbox",
            "Require a second factor for %(n)s mailboxes",
            number,
        ),
        BatchKind.DELETE: ngettext("Delete %(n)s mailbox", "Delete %(n)s mailboxes", number),
    }
    return titles[BatchKind(batch.kind)] % words


def _token(batch: MailboxBatch) -> str:
    """What the head and the buttons of the page depend on."""
    parts = {"stopped": batch.is_stopped, "paused": batch.is_paused, "ending": batch.is_ending}
    return f"{batch.state}-{''.join(word for word, is_so in parts.items() if is_so)}"


def _file_name(batch: MailboxBatch, what: str) -> str:
    stem = slugify(batch.name.removesuffix(".csv")) or batch.kind
    return f"{stem}-{what}.csv"


def _url(name: str, batch: MailboxBatch) -> str:
    return reverse(f"mailboxes:batches:{name}", args=[batch.pk])


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Mailboxes"), reverse("mailboxes:list"))]
