"""What lists, batches and a job's page ask for every two seconds, and when they stop asking."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect, HttpResponseStopPolling

from migrations_app import selectors
from migrations_app.progress.jobs import JobView
from migrations_app.queueing.dispatch import QueueView
from migrations_app.running import logs
from migrations_app.views.jobs import detail_context
from migrations_app.views.lists import (
    batch_context,
    batch_list_news,
    list_news,
    standing_of,
    summary_context,
)
from migrations_app.views.parts import get_job, note_watching
from purelymanage.core.http import Request, render_page
from purelymanage.core.permissions import viewer_required

STOP_POLLING = HttpResponseStopPolling.status_code
NO_NEWS = 204


@viewer_required
@require_GET
def job_list_live(request: Request) -> HttpResponse:
    """The cells that changed; the rows as a whole once others stand on this page."""
    if not request.htmx:
        return redirect("migrations:list")
    wanted = selectors.JobFilter.of(request.GET)
    queue = QueueView()
    found = selectors.list_jobs(wanted, request.GET.get("page"), queue=queue)
    batches = selectors.unfinished_batches(queue)
    context = {
        **list_news(request, wanted, found, queue),
        **summary_context(batches, selectors.works_of(None), is_active=found.is_active),
    }
    return _news_of_list(request, "migrations_app/job_list_live.html", context)


@viewer_required
@require_GET
def batch_list_live(request: Request) -> HttpResponse:
    """The cells of batches that changed; the rows as a whole once others stand on this page."""
    if not request.htmx:
        return redirect("migrations:batches")
    context = batch_list_news(request, selectors.list_batches(request.GET.get("page")))
    if context["goes_on"] and not (context["moved"] or context["changed"]):
        return HttpResponse(status=NO_NEWS)
    status = 200 if context["goes_on"] else STOP_POLLING
    return render_page(request, "migrations_app/batches/list_live.html", context, status=status)


@viewer_required
@require_GET
def batch_live(request: Request, pk: int) -> HttpResponse:
    """The same for the jobs of a batch, and its numbers; its head once other things can be done."""
    if not request.htmx:
        return redirect("migrations:batch", pk)
    try:
        batch = selectors.batch_of(pk)
    except Http404:
        return HttpResponseClientRedirect(reverse("migrations:batches"))
    wanted, queue = selectors.JobFilter.of(request.GET, batch=pk), QueueView()
    found = selectors.batch_page(batch, wanted, request.GET.get("page"), queue)
    note_watching(request, batch)
    view = found.view
    context = {
        **list_news(request, wanted, found.jobs, queue),
        **batch_context(view),
        **summary_context([view], selectors.works_of(batch), is_active=view.is_active),
        "new_head": request.GET.get("head") != view.head_token,
    }
    return _news_of_list(request, "migrations_app/batches/live.html", context)


def _news_of_list(request: Request, template: str, context: dict[str, Any]) -> HttpResponse:
    """Nothing while nothing is new, and the last answer once nothing goes on."""
    context["has_other_news"] = any(
        request.GET.get(name, "") != context[f"{name}_token"] for name in ("summaries", "works")
    )
    is_news = context["has_news"] or context["has_other_news"] or context.get("new_head")
    if context["goes_on"] and not is_news:
        return HttpResponse(status=NO_NEWS)
    status = 200 if context["goes_on"] else STOP_POLLING
    return render_page(request, template, context, status=status)


@viewer_required
@require_GET
def job_live(request: Request, pk: int) -> HttpResponse:
    """What is new about a job: its progress, its log, its folders, in the end its verdict."""
    if not request.htmx:
        return redirect("migrations:detail", pk)
    job = get_job(pk)
    note_watching(request, job)
    tail = logs.tail(job, after_id=_number(request.GET.get("log")))
    seen = request.GET.get("seen", "")
    view = selectors.view_of(job)
    if view.token == seen and not tail.text and not job.is_finished:
        return HttpResponse(status=NO_NEWS)
    context = detail_context(request, job, tail) | {
        "new_state": standing_of(seen) != view.standing,
        "news": _news(view, seen, request.GET.get("phase", "")),
        "oob": True,
    }
    status = STOP_POLLING if job.is_finished else 200
    return render_page(request, "migrations_app/job_live.html", context, status=status)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


def _news(view: JobView, seen: str, phase: str) -> str:
    """What to read out: a new phase or the end, not every number."""
    if standing_of(seen) != view.standing:
        return f"{view.job.get_state_display()}. {view.job.verdict}".strip()
    return view.doing if view.job.phase != phase else ""
