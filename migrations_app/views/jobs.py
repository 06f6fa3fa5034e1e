"""Jobs: the list, the form, one job's page and its log."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from migrations_app import selectors
from migrations_app.engines import choice
from migrations_app.forms.jobs import JobForm
from migrations_app.imap.report import Target
from migrations_app.models import MigrationJob, Server
from migrations_app.queueing.dispatch import QueueView
from migrations_app.running import credentials, logs
from migrations_app.services import jobs as services
from migrations_app.services.logins import try_logins
from migrations_app.views.lists import list_context, summary_context
from migrations_app.views.parts import (
    check_context,
    get_job,
    note_watching,
    report_rows,
    tabs,
    told_on_the_way_back,
)
from purelymanage.core.downloads import attachment
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, errors_on, go_to, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

PASSWORDS = ("source_password", "destination_password")


@viewer_required
@require_GET
def job_list(request: Request) -> HttpResponse:
    wanted = selectors.JobFilter.of(request.GET)
    queue = QueueView()
    found = selectors.list_jobs(wanted, request.GET.get("page"), queue=queue)
    batches = selectors.unfinished_batches(queue)
    context = {
        **list_context(request, wanted, found),
        **summary_context(batches, selectors.works_of(None), is_active=found.is_active),
        "tabs": tabs("jobs"),
        "limits": queue.limits,
        "engine": choice.describe(),
        "has_servers": found.counts[""] > 0 or Server.objects.exists(),
        "is_empty": not (found.counts[""] or wanted.is_set),
    }
    return render_page(request, "migrations_app/job_list.html", context, fragment="jobs")


@sensitive_post_parameters(*PASSWORDS)
@admin_required
@rate_limited("connect")
@require_http_methods(["GET", "POST"])
def job_add(request: Request) -> HttpResponse:
    form = JobForm(request.POST if request.method == "POST" else None)
    if "test" in request.POST:
        return _tested(request, form)
    if form.is_valid():
        with errors_on(form):
            job = services.create_job(**form.values())
            return go_to(request, reverse("migrations:detail", args=[job.pk]))
    return _job_form(request, form)


@sensitive_post_parameters(*PASSWORDS)
@admin_required
@rate_limited("connect")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back
def job_edit(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    if not job.is_finished:
        raise RefusedError(
            _("“%(job)s” is %(state)s. Cancel it before you edit it.")
            % {"job": job, "state": job.get_state_display().lower()}
        )
    form = JobForm(request.POST if request.method == "POST" else None, job=job)
    if "test" in request.POST:
        return _tested(request, form)
    if form.is_valid():
        with errors_on(form):
            services.update_job(job=job, **form.values())
            return go_to(request, reverse("migrations:detail", args=[pk]))
    return _job_form(request, form)


def _job_form(
    request: Request, form: JobForm, tests: list[dict[str, Any]] | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "job": form.job,
        "tests": tests or [],
        "has_typed": request.method == "POST",
        "has_servers": bool(form.job) or Server.objects.exists(),
        "is_fragment": wants_fragment(request),
        "crumbs": [(_("Migrations"), reverse("migrations:list"))],
    }
    status = 422 if form.errors else 200
    return render_page(
        request, "migrations_app/job_form.html", context, fragment="logins", status=status
    )


def _tested(request: Request, form: JobForm) -> HttpResponse:
    """Try both logins side by side, with what was typed or, on edit, what is stored."""
    tests: list[dict[str, Any]] = []
    if form.is_valid():
        with errors_on(form):
            targets = {side: _target(form, side) for side in form.sides_with_password}
            labels = {"source": _("Source"), "destination": _("Destination")}
            for side, report in zip(targets, try_logins(targets=targets), strict=True):
                tests.append({"label": labels[side], "steps": report_rows(report)})
    return _job_form(request, form, tests)


def _target(form: JobForm, side: str) -> Target:
    end, job = form.end(side), form.job
    if end.server:
        host, port, security = end.server.host, end.server.port, end.server.security
    else:
        host, port, security = (
            getattr(job, f"{side}_{name}") for name in ("host", "port", "security")
        )
    password = end.password
    if job and not password:
        with credentials.opening(job):
            password = getattr(job, f"{side}_password").reveal()
    return Target(host, port, security, end.address, password)


@viewer_required
@require_GET
def job_detail(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    note_watching(request, job)
    context = detail_context(request, job, logs.tail(job))
    return render_page(request, "migrations_app/job_detail.html", context)


def detail_context(request: Request, job: MigrationJob, tail: logs.Tail) -> dict[str, Any]:
    """What the page of a job shows, and its polling."""
    everything = request.GET.get("folders") == "all"
    all_losses = request.GET.get("losses") == "all"
    lines = selectors.log_lines(tail.text)
    return {
        "job": job,
        "view": selectors.view_of(job),
        "lines": lines[-selectors.LINES_SHOWN :],
        "starts_anew": len(lines) > selectors.LINES_SHOWN,
        "cursor": tail.last_id,
        "folders": selectors.folders_of(job, everything=everything),
        "shows_everything": everything,
        "losses": selectors.losses_of(job, everything=all_losses),
        "all_losses": all_losses,
        **check_context(job),
        "can_change": request.user.is_admin,
        "crumbs": [(_("Migrations"), reverse("migrations:list"))],
        "oob": False,
    }


@viewer_required
@require_GET
def job_log(request: Request, pk: int) -> StreamingHttpResponse:
    job = get_job(pk)
    return StreamingHttpResponse(
        logs.stream(job),
        content_type="text/plain; charset=utf-8",
        headers=attachment(job.log_name),
    )
