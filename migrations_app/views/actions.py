"""What can be done to a job, or to many: asked first where something ends, plain POST otherwise."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from migrations_app.models import Batch, BulkWork, MigrationJob
from migrations_app.selectors import JobFilter, matching
from migrations_app.services import jobs as services
from migrations_app.services.bulk import (
    NOTHING_FITS,
    Outcome,
    act_on_all,
    act_on_jobs,
    in_turn,
    stop_work,
)
from migrations_app.views.parts import (
    get_job,
    go_back,
    moment_of,
    told_on_the_way_back,
    told_on_the_way_back_to,
)
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.ui.tags.words import grouped

ASKED_FIRST = ("cancel", "erase", "delete")
SELECTABLE = ("now", "real", "rerun", "cancel", "erase", "delete")
NAMED = 10
MAX_SELECTED = 100


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back
def job_real(request: Request, pk: int) -> HttpResponse:
    real = services.run_job_for_real(job=get_job(pk))
    messages.success(request, _("%(job)s is queued for real.") % {"job": real})
    return go_back(request, reverse("migrations:detail", args=[real.pk]))


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back
def job_rerun(request: Request, pk: int) -> HttpResponse:
    job = services.rerun_job(job=get_job(pk))
    messages.success(request, _("%(job)s is queued again.") % {"job": job})
    return go_back(request, reverse("migrations:detail", args=[pk]))


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back
def job_now(request: Request, pk: int) -> HttpResponse:
    """Start what waits for its time as soon as there is a place."""
    job = services.run_job_now(job=get_job(pk))
    messages.success(request, _("%(job)s starts as soon as there is a place.") % {"job": job})
    return go_back(request, reverse("migrations:detail", args=[pk]))


@admin_required
@require_http_methods(["GET", "POST"])
@told_on_the_way_back
def job_cancel(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    if request.method == "GET":
        return ask(request, "cancel", [job], reverse("migrations:cancel", args=[pk]))
    job = services.cancel_job(job=job)
    messages.success(request, _("%(job)s is being cancelled.") % {"job": job})
    return go_back(request, reverse("migrations:detail", args=[pk]))


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back
def job_delete(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    if request.method == "GET":
        return ask(request, "delete", [job], reverse("migrations:delete", args=[pk]))
    services.delete_job(job=job)
    messages.success(request, _("%(job)s deleted.") % {"job": job})
    return go_back(request, reverse("migrations:list"))


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
@told_on_the_way_back
def job_erase(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    if request.method == "GET":
        return ask(request, "erase", [job], reverse("migrations:erase", args=[pk]))
    services.erase_credentials(job=job)
    messages.success(request, _("The passwords of %(job)s are erased.") % {"job": job})
    return go_back(request, reverse("migrations:detail", args=[pk]))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back
def jobs_selected(request: Request) -> HttpResponse:
    """One action on the rows that were ticked, or on all that the filter in the query matches."""
    action = request.POST.get("action", "")
    if action not in SELECTABLE:
        return HttpResponseBadRequest(_("Unknown action."))
    if request.POST.get("everything"):
        return _act_on_all(request, action)
    pks = [int(pk) for pk in request.POST.getlist("selected") if _is_number(pk)]
    if not 0 < len(pks) <= MAX_SELECTED:
        words = _("Select one job at least and %(most)d at most.") % {"most": MAX_SELECTED}
        messages.warning(request, words)
        return go_back(request, reverse("migrations:list"))
    jobs = list(MigrationJob.objects.filter(pk__in=pks).order_by("pk"))
    if not jobs:
        raise RefusedError(_("The selected jobs have been deleted meanwhile."))
    if action in ASKED_FIRST and "confirmed" not in request.POST:
        return ask(request, action, jobs, reverse("migrations:selected"))
    tell_outcome(request, act_on_jobs(action=action, jobs=jobs))
    return go_back(request, reverse("migrations:list"))


def _act_on_all(request: Request, action: str) -> HttpResponse:
    number = request.GET.get("batch", "")
    batch_pk = int(number) if _is_number(number) else 0  # of no batch
    wanted = JobFilter.of(request.GET, batch=batch_pk if number else None)
    if action in ASKED_FIRST and "confirmed" not in request.POST:
        return ask_about_all(request, action, wanted, request.get_full_path())
    batch = Batch.objects.filter(pk=wanted.batch).first() if wanted.batch else None
    as_of = moment_of(request.POST.get("asked_at", ""))
    outcome = act_on_all(action=action, wanted=wanted, target=batch or "", as_of=as_of)
    tell_outcome(request, outcome)
    return go_back(request, reverse("migrations:list"))


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def tell_outcome(request: Request, outcome: Outcome | BulkWork) -> None:
    """How it ended, or that a worker does it."""
    if isinstance(outcome, BulkWork):
        return  # its progress stands on the page the browser goes to
    tell = messages.warning if outcome.refusals else messages.success
    tell(request, outcome.sentence)


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to("", otherwise="migrations:list", gone=gettext_lazy("It is gone."))
def work_stop(request: Request, pk: int) -> HttpResponse:
    """Stop an action on many jobs; what is done stays done."""
    work = get_object_or_404(BulkWork.objects.select_related("batch"), pk=pk)
    stop_work(work=work)
    messages.success(request, _("Stopped. What is done stays done."))
    url = reverse("migrations:batch", args=[work.batch_id]) if work.batch_id else ""
    return go_back(request, url or reverse("migrations:list"))


CONSEQUENCES: dict[str, str | Promise] = {
    "cancel": gettext_lazy(
        "What has been copied stays at the destination. A later run goes on from there."
    ),
    "delete": gettext_lazy(
        "Log, folder counts and stored passwords go with it. No mail is touched."
    ),
    "erase": gettext_lazy("To run it again, both passwords have to be typed once more."),
    "delete_batch": gettext_lazy(
        "Its jobs go with it: their logs, folder counts and stored passwords. No mail is touched."
    ),
}
BUTTONS: dict[str, str | Promise] = {
    "cancel": gettext_lazy("Cancel migration"),
    "delete": gettext_lazy("Delete"),
    "erase": gettext_lazy("Erase passwords"),
    "delete_batch": gettext_lazy("Delete batch"),
}


def question(action: str, count: int, name: str) -> str:
    """The question to ask before `action`."""
    words = {"count": grouped(count), "job": name}
    if action == "cancel":
        return ngettext("Cancel “%(job)s”?", "Cancel %(count)s jobs?", count) % words
    if action == "delete":
        return ngettext("Delete “%(job)s”?", "Delete %(count)s jobs?", count) % words
    erase = ngettext(
        "Erase the passwords of “%(job)s”?", "Erase the passwords of %(count)s jobs?", count
    )
    return erase % words


def ask(request: Request, action: str, jobs: list[MigrationJob], url: str) -> HttpResponse:
    """The question before something ends for these jobs."""
    words = question(action, len(jobs), jobs[0].name)
    return render_question(request, action, words, url, jobs=jobs, count=len(jobs), selected=jobs)


def ask_about_all(request: Request, action: str, wanted: JobFilter, url: str) -> HttpResponse:
    """The question about all jobs that match and that the action is for."""
    found = matching(wanted, action=action)
    count, jobs = found.count(), list(in_turn(found)[:NAMED])
    if not jobs:
        raise RefusedError(str(NOTHING_FITS[action]))
    words = question(action, count, jobs[0].name)
    facts = {"jobs": jobs, "count": count, "asked_at": timezone.now().isoformat()}
    return render_question(request, action, words, url, **facts)


def render_question(
    request: Request, action: str, words: str, url: str, **facts: Any
) -> HttpResponse:
    """A page, or a dialog where htmx asks."""
    context = {
        "action": action,
        "question": words,
        "consequence": CONSEQUENCES[action],
        "button": BUTTONS[action],
        "url": url,
        "next": request.POST.get("next") or request.htmx.current_url_abs_path or "",
        "keep_url": reverse("migrations:list"),
        "crumbs": [(_("Migrations"), reverse("migrations:list"))],
        **facts,
    }
    return render_page(request, "migrations_app/job_question.html", context, fragment="question")
