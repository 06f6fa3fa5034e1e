"""Batches: their list, the page of one, and what can be done to it as a whole."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from migrations_app import selectors
from migrations_app.engines import choice
from migrations_app.forms.batch_start import StartForm
from migrations_app.models import Batch, BulkWork
from migrations_app.queueing.dispatch import QueueView
from migrations_app.selectors import JobFilter
from migrations_app.services import batch_control as services
from migrations_app.services.bulk import act_on_all
from migrations_app.views.actions import ask_about_all, render_question, tell_outcome
from migrations_app.views.checks import checks_context
from migrations_app.views.lists import (
    batch_context,
    batch_list_context,
    list_context,
    summary_context,
)
from migrations_app.views.parts import (
    note_watching,
    tabs,
    told_on_the_way_back_to_the_batch,
)
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def batch_list(request: Request) -> HttpResponse:
    page = selectors.list_batches(request.GET.get("page"))
    context = {
        **batch_list_context(page),
        "tabs": tabs("batches"),
        "can_change": request.user.is_admin,
    }
    return render_page(request, "migrations_app/batches/list.html", context)


@viewer_required
@require_GET
def batch_detail(request: Request, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)
    if batch.is_importing or (batch.is_preview and not batch.jobs.exists()):
        return go_to(request, reverse("migrations:batch_preview", args=[pk]))
    note_watching(request, batch)
    wanted, queue = JobFilter.of(request.GET, batch=pk), QueueView()
    found = selectors.batch_page(batch, wanted, request.GET.get("page"), queue)
    view = found.view
    context: dict[str, Any] = {
        **list_context(request, wanted, found.jobs),
        **summary_context([view], selectors.works_of(batch), is_active=view.is_active),
        **batch_context(view),
        **checks_context(batch, found.checks),
        "limits": queue.limits,
        "engine": choice.describe(),
        "is_empty": not view.tally.total,
    }
    return render_page(request, "migrations_app/batches/detail.html", context, fragment="jobs")


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_real(request: Request, pk: int) -> HttpResponse:
    """Run all its finished dry runs for real."""
    return _act(request, "real", pk)


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_retry(request: Request, pk: int) -> HttpResponse:
    """Queue all that failed once more."""
    return _act(request, "retry", pk)


@admin_required
@rate_limited("bulk")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back_to_the_batch
def batch_cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel all that wait or run."""
    if request.method == "GET":
        wanted = JobFilter(batch=selectors.batch_of(pk).pk)
        return ask_about_all(request, "cancel", wanted, _url("batch_cancel", pk))
    return _act(request, "cancel", pk)


@admin_required
@rate_limited("bulk")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back_to_the_batch
def batch_erase(request: Request, pk: int) -> HttpResponse:
    """Forget the passwords of all that have ended."""
    if request.method == "GET":
        wanted = JobFilter(batch=selectors.batch_of(pk).pk)
        return ask_about_all(request, "erase", wanted, _url("batch_erase", pk))
    tell_outcome(request, services.erase_batch(batch=selectors.batch_of(pk)))
    return go_to(request, _url("batch", pk))


def _act(request: Request, action: str, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)
    tell_outcome(request, act_on_all(action=action, wanted=JobFilter(batch=pk), target=batch))
    return go_to(request, _url("batch", pk))


@admin_required
@rate_limited("bulk")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back_to_the_batch
def batch_delete(request: Request, pk: int) -> HttpResponse:
    """Delete it with its jobs, once none of them waits or runs."""
    batch = selectors.batch_of(pk)
    if request.method == "GET":
        words = _("Delete the batch “%(batch)s”?") % {"batch": batch}
        return render_question(request, "delete_batch", words, _url("batch_delete", pk))
    if isinstance(services.delete_batch(batch=batch), BulkWork):
        return go_to(request, _url("batch", pk))
    messages.success(request, _("%(batch)s deleted.") % {"batch": batch})
    return go_to(request, reverse("migrations:batches"))


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_pause(request: Request, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)
    services.pause_batch(batch=batch)
    words = _("%(batch)s is paused. What runs goes on to its end.") % {"batch": batch}
    messages.success(request, words)
    return go_to(request, _url("batch", pk))


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_resume(request: Request, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)
    services.resume_batch(batch=batch)
    messages.success(request, _("%(batch)s goes on.") % {"batch": batch})
    return go_to(request, _url("batch", pk))


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def batch_start(request: Request, pk: int) -> HttpResponse:
    """When its jobs start."""
    batch = selectors.batch_of(pk)
    form = StartForm(request.POST if request.method == "POST" else None, batch=batch)
    if form.is_valid():
        with errors_on(form):
            services.schedule_batch(batch=batch, start_at=form.cleaned_data["start_at"])
            return go_to(request, _url("batch", pk))
    context = {"form": form, "batch": batch, "crumbs": _crumbs(batch)}
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/batches/start.html", context, status=status)


def _url(name: str, pk: int) -> str:
    return reverse(f"migrations:{name}", args=[pk])


def _crumbs(batch: Batch) -> list[tuple[str, str]]:
    return [
        (_("Migrations"), reverse("migrations:list")),
        (_("Batches"), reverse("migrations:batches")),
        (batch.name, _url("batch", batch.pk)),
    ]
