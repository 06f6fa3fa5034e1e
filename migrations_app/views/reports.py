"""What a run or a batch brought over: to read, to print, and to take along as a file."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from migrations_app import selectors
from migrations_app.reports import files as report_files
from migrations_app.selectors import reports
from migrations_app.selectors.losses import has_losses, losses_in, losses_of
from migrations_app.services.exports import note_export
from migrations_app.views.parts import get_job
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def job_report(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    context = {
        "report": reports.report_of_job(job),
        "job": job,
        "has_dry": job.dry_run,
        "has_real": not job.dry_run,
        "now": timezone.now(),
        "crumbs": [
            (_("Migrations"), reverse("migrations:list")),
            (job.name, reverse("migrations:detail", args=[pk])),
        ],
    }
    return render_page(request, "migrations_app/reports/job.html", context)


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def job_report_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """A line per folder, for spreadsheets."""
    job = get_job(pk)
    note_export(job, what="report", kind="CSV")
    return report_files.job_csv(reports.report_of_job(job))


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def job_report_json(request: Request, pk: int) -> StreamingHttpResponse:
    """The whole report, for programs."""
    job = get_job(pk)
    note_export(job, what="report", kind="JSON")
    return report_files.job_json(reports.report_of_job(job))


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def job_losses_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """A line per message that did not arrive, for spreadsheets."""
    job = get_job(pk)
    note_export(job, what="did not arrive", kind="CSV")
    return report_files.job_losses_csv(job, losses_of(job, everything=True))


@viewer_required
@require_GET
def batch_report(request: Request, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)
    report = reports.report_of_batch(batch, request.GET.get("page"))
    tally = report.summary.view.tally
    context = {
        "report": report,
        "summary": report.summary,
        "batch": batch,
        "has_dry": tally.dry > 0,
        "has_real": tally.dry < tally.total,
        "has_losses": has_losses(batch),
        "unfinished": tally.total - tally.ended,
        "now": timezone.now(),
        "crumbs": [
            (_("Migrations"), reverse("migrations:list")),
            (_("Batches"), reverse("migrations:batches")),
            (batch.name, reverse("migrations:batch", args=[pk])),
        ],
    }
    return render_page(request, "migrations_app/reports/batch.html", context)


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_report_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """A line per mailbox, for spreadsheets."""
    batch = selectors.batch_of(pk)
    note_export(batch, what="report", kind="CSV")
    return report_files.batch_csv(batch, reports.mailboxes_of(batch))


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_report_json(request: Request, pk: int) -> StreamingHttpResponse:
    """All mailboxes and their sum, for programs."""
    batch = selectors.batch_of(pk)
    note_export(batch, what="report", kind="JSON")
    return report_files.batch_json(
        batch, reports.summary_of_batch(batch), reports.mailboxes_of(batch)
    )


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def batch_losses_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """A line per message of its mailboxes that did not arrive, for spreadsheets."""
    batch = selectors.batch_of(pk)
    note_export(batch, what="did not arrive", kind="CSV")
    return report_files.batch_losses_csv(batch, losses_in(batch))
