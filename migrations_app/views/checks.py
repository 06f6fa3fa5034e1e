"""Checks: what a look at both mailboxes found, and having one taken."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from migrations_app.models import Batch, CheckState, MigrationJob
from migrations_app.selectors import JobFilter, matching
from migrations_app.selectors.checks import CheckSums, first_problems, list_checks, sum_checks
from migrations_app.services import checks as services
from migrations_app.views.parts import (
    check_context,
    get_job,
    told_on_the_way_back,
    told_on_the_way_back_to_the_batch,
)
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

FILTERS: dict[str, tuple[str | Promise, str]] = {
    "": (gettext_lazy("All"), "total"),
    CheckState.PROBLEM: (gettext_lazy("Problems"), "problems"),
    CheckState.READY: (gettext_lazy("Ready"), "ready"),
    CheckState.WAITING: (gettext_lazy("Waiting"), "waiting"),
}
MAX_SELECTED = 100


def checks_context(batch: Batch, sums: CheckSums) -> dict[str, Any]:
    """What `migrations_app/batches/checks.html` shows, with `can_change` and `batch` beside it."""
    return {"checks": sums, "check_problems": first_problems(batch) if sums.problems else []}


@viewer_required
@require_GET
def batch_checks_live(request: Request, pk: int) -> HttpResponse:
    """The part of the batch's page, for itself; it asks for it while there is work."""
    batch = get_object_or_404(Batch, pk=pk)
    context = {
        "batch": batch,
        "can_change": request.user.is_admin,
        **checks_context(batch, sum_checks(batch)),
    }
    return render_page(request, "migrations_app/batches/checks.html", context)


@viewer_required
@require_GET
def check_list(request: Request) -> HttpResponse:
    """Row by row: of a batch, or of all jobs."""
    number = request.GET.get("batch", "")
    batch = get_object_or_404(Batch, pk=int(number)) if _is_number(number) else None
    state = request.GET.get("state", "")
    state = state if state in FILTERS else ""
    sums = sum_checks(batch)
    crumbs = [(_("Migrations"), reverse("migrations:list"))]
    if batch:
        crumbs.append((batch.name, reverse("migrations:batch", args=[batch.pk])))
    page = list_checks(batch, state=state, number=request.GET.get("page"))
    context = {
        "batch": batch,
        "checks": sums,
        "page": page,
        "filters": _filters(batch, state, sums),
        "address": _address(batch, state, page.number),
        "crumbs": crumbs,
    }
    return render_page(request, "migrations_app/check_list.html", context, fragment="rows")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _filters(
    batch: Batch | None, current: str, sums: CheckSums
) -> list[tuple[str | Promise, str, bool, int]]:
    return [
        (label, _address(batch, state), state == current, getattr(sums, count))
        for state, (label, count) in FILTERS.items()
    ]


def _address(batch: Batch | None, state: str, number: int = 1) -> str:
    query = {
        "batch": batch.pk if batch else "",
        "state": state,
        "page": number if number > 1 else "",
    }
    words = urlencode({name: value for name, value in query.items() if value})
    address = reverse("migrations:checks")
    return f"{address}?{words}" if words else address


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_check(request: Request, pk: int) -> HttpResponse:
    """Have all of a batch looked at that may still run."""
    batch = get_object_or_404(Batch, pk=pk)
    _tell(request, services.check_batch(batch=batch))
    return go_to(request, reverse("migrations:batch", args=[pk]))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_check_stop(request: Request, pk: int) -> HttpResponse:
    """Leave out what has not been looked at yet."""
    batch = get_object_or_404(Batch, pk=pk)
    services.stop_checks(batch=batch)
    messages.success(request, _("No further mailbox of %(batch)s is looked at.") % {"batch": batch})
    return go_to(request, reverse("migrations:batch", args=[pk]))


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back
def job_check(request: Request, pk: int) -> HttpResponse:
    """Have both mailboxes of a job looked at; its page shows what comes of it."""
    services.check_job(job=get_job(pk))
    _tell(request, 1)
    return go_to(request, reverse("migrations:detail", args=[pk]))


@viewer_required
@require_GET
def job_check_live(request: Request, pk: int) -> HttpResponse:
    """The part of the job's page, for itself; it asks for it while there is work."""
    job = get_job(pk)
    context = {"job": job, "can_change": request.user.is_admin, **check_context(job)}
    check = context["check"]
    if check and check.is_settled:
        context["check_news"] = check.problem or check.get_state_display()
    return render_page(request, "migrations_app/job_check.html", context)


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back
def check_selected(request: Request) -> HttpResponse:
    """Have the jobs looked at that were ticked, or all that the filter in the query matches."""
    if request.POST.get("everything"):
        number = request.GET.get("batch", "")
        jobs = matching(
            JobFilter.of(request.GET, batch=int(number) if _is_number(number) else None)
        )
    else:
        jobs = _ticked(request)
    _tell(request, services.check_jobs(jobs=jobs))
    return go_to(request, reverse("migrations:checks"))


def _ticked(request: Request) -> QuerySet[MigrationJob]:
    pks = [int(pk) for pk in request.POST.getlist("selected") if _is_number(pk)]
    if not 0 < len(pks) <= MAX_SELECTED:
        words = _("Select one job at least and %(most)d at most.") % {"most": MAX_SELECTED}
        raise RefusedError(words)
    return MigrationJob.objects.filter(pk__in=pks)


def _tell(request: Request, count: int) -> None:
    words = ngettext(
        "%(count)d migration is looked at. Nothing is copied.",
        "%(count)d migrations are looked at. Nothing is copied.",
        count,
    )
    messages.success(request, words % {"count": count})
