"""What the list and a job's page ask for every two seconds, and when they stop asking."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseStopPolling

from migrations_app import logs, selectors
from migrations_app.progress import JobView
from migrations_app.views.jobs import counts_token, detail_context, known, list_context
from migrations_app.views.parts import get_job
from purelymanage.core.http import Request, render_page
from purelymanage.core.permissions import viewer_required

STOP_POLLING = HttpResponseStopPolling.status_code
NO_NEWS = 204
GONE = "gone"


@viewer_required
@require_GET
def job_list_live(request: Request) -> HttpResponse:
    """The cells that changed; the rows as a whole once others stand on this page."""
    if not request.htmx:
        return redirect("migrations:list")
    wanted = selectors.JobFilter.of(request.GET)
    found = selectors.list_jobs(wanted, request.GET.get("page"))
    seen = _seen(request.GET.get("known", ""))
    rows = {row.job.pk: row for row in found.rows}
    moved = list(rows) != list(seen)
    if moved and "held" in request.GET:  # a menu is open: leave the rows where they are
        moved, rows = False, {row.job.pk: row for row in selectors.list_known(list(seen))}
    changed = [row for pk, row in rows.items() if row.token != seen.get(pk)]
    same_counts = request.GET.get("counts") == counts_token(found.counts)
    if found.is_active and not (moved or changed) and same_counts:
        return HttpResponse(status=NO_NEWS)
    stands = rows if moved else seen
    context = list_context(request, wanted, found) | {
        "moved": moved,
        "changed": changed,
        "known": known({pk: rows[pk].token if pk in rows else GONE for pk in stands}),
        "restated": [
            row for row in changed if _state_of(seen.get(row.job.pk, "")) != row.job.state
        ],
        "oob": True,
    }
    status = 200 if found.is_active else STOP_POLLING
    return render_page(request, "migrations_app/job_list_live.html", context, status=status)


def _seen(known: str) -> dict[int, str]:
    """What `known` said: row → token, in the order of the browser's rows."""
    pairs = (entry.partition(":") for entry in known.split(","))
    return {int(pk): token for pk, _colon, token in pairs if pk.isdecimal() and len(pk) < 19}


@viewer_required
@require_GET
def job_live(request: Request, pk: int) -> HttpResponse:
    """What is new about a job: its progress, its log, its folders, in the end its verdict."""
    if not request.htmx:
        return redirect("migrations:detail", pk)
    job = get_job(pk)
    tail = logs.tail(job, after_id=_number(request.GET.get("log")))
    seen = request.GET.get("seen", "")
    view = selectors.view_of(job)
    if view.token == seen and not tail.text and not job.is_finished:
        return HttpResponse(status=NO_NEWS)
    context = detail_context(request, job, tail) | {
        "new_state": _state_of(seen) != job.state,
        "news": _news(view, seen, request.GET.get("phase", "")),
        "oob": True,
    }
    status = STOP_POLLING if job.is_finished else 200
    return render_page(request, "migrations_app/job_live.html", context, status=status)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


def _state_of(token: str) -> str:
    return token.split(".")[1] if token.count(".") == 2 else ""


def _news(view: JobView, seen: str, phase: str) -> str:
    """What to read out: a new phase or the end, not every number."""
    if _state_of(seen) != view.job.state:
        return f"{view.job.get_state_display()}. {view.job.verdict}".strip()
    return view.doing if view.job.phase != phase else ""
