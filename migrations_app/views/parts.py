"""What several pages about migrations share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from migrations_app.imap.report import Report
from migrations_app.models import Batch, MigrationJob
from migrations_app.selectors.checks import can_check, check_of
from migrations_app.services import watching
from purelymanage.core.errors import MissingError, PurelyManageError
from purelymanage.core.http import Request, go_to, wants_fragment, way_back

Words = str | Promise
STEP_LOOKS = {True: ("ok", "circle-check"), False: ("bad", "circle-x"), None: ("idle", "minus")}


def get_job(pk: int) -> MigrationJob:
    """The job of the address, with its servers, or 404."""
    jobs = MigrationJob.objects.select_related(
        "source_server", "destination_server", "created_by", "batch", "superseded_by"
    )
    return get_object_or_404(jobs, pk=pk)


def tabs(current: str) -> list[tuple[Words, str, bool, int | None]]:
    """Jobs, Batches and Servers, the current one marked."""
    return [
        (_("Jobs"), reverse("migrations:list"), current == "jobs", None),
        (_("Batches"), reverse("migrations:batches"), current == "batches", None),
        (_("Servers"), reverse("migrations:servers"), current == "servers", None),
    ]


def go_back(request: Request, otherwise: str) -> HttpResponse:
    """To the page of ours that the form names in `next`, or to `otherwise`."""
    return go_to(request, way_back(request, otherwise=otherwise))


def moment_of(text: str) -> datetime | None:
    """When a page was made, as its form says; nothing that a clock with a zone would not say."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def note_watching(request: Request, watched: MigrationJob | Batch) -> None:
    """Who may have started it has its page before their eyes: no mail has to tell of its end."""
    if isinstance(watched, MigrationJob):
        would_be_told = watched.starter_id == request.user.pk
    else:
        would_be_told = request.user.is_admin
    if would_be_told and "hidden" not in request.GET:
        watching.note_watching(request.user.pk, watched)


def check_context(job: MigrationJob) -> dict[str, Any]:
    """What `migrations_app/job_check.html` shows, with `can_change` and `job` beside it."""
    return {"check": check_of(job), "can_check": can_check(job), "check_news": ""}


View = Callable[..., HttpResponse]


def told_on_the_way_back_to(page: str, *, otherwise: str, gone: Words) -> Callable[[View], View]:
    """Wrap an action that has no form to show a refusal on: the page it came from shows it.

    Without that page it is `page`, which takes the action's `pk`, or `otherwise` if that is gone.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: Request, *args: Any, **address: Any) -> HttpResponse:
            try:
                return view(request, *args, **address)
            except (PurelyManageError, Http404) as error:
                is_missing = isinstance(error, Http404)
                if wants_fragment(request) or (request.method == "GET" and is_missing):
                    raise
                is_gone = is_missing or isinstance(error, MissingError)
                messages.error(request, str(gone) if is_gone else str(error))
                if is_gone or not page or "pk" not in address:
                    return go_back(request, reverse(otherwise))
                return go_back(request, reverse(page, args=[address["pk"]]))

        return wrapped

    return decorate


told_on_the_way_back = told_on_the_way_back_to(
    "migrations:detail",
    otherwise="migrations:list",
    gone=_("The job has been deleted meanwhile."),
)
told_on_the_way_back_to_the_batch = told_on_the_way_back_to(
    "migrations:batch",
    otherwise="migrations:batches",
    gone=_("The batch has been deleted meanwhile."),
)


def report_rows(report: Report) -> list[dict[str, Any]]:
    """The steps of a login test, as the template shows them."""
    return [
        {
            "tone": STEP_LOOKS[result.ok][0],
            "icon": STEP_LOOKS[result.ok][1],
            "label": result.step.label,
            "sentence": result.sentence,
        }
        for result in report.steps
    ]
