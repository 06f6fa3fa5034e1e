"""What can be done to a job, or to many: asked first where something ends, plain POST otherwise."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from migrations_app.models import MigrationJob
from migrations_app.services import jobs as services
from migrations_app.services.bulk import ACTIONS, act_on_jobs
from migrations_app.views.parts import get_job, go_back, told_on_the_way_back
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required

ASKED_FIRST = ("cancel", "delete")
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
@require_http_methods(["GET", "POST"])
@told_on_the_way_back
def job_cancel(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    if request.method == "GET":
        return _ask(request, "cancel", [job], reverse("migrations:cancel", args=[pk]))
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
        return _ask(request, "delete", [job], reverse("migrations:delete", args=[pk]))
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
        return _ask(request, "erase", [job], reverse("migrations:erase", args=[pk]))
    services.erase_credentials(job=job)
    messages.success(request, _("The passwords of %(job)s are erased.") % {"job": job})
    return go_back(request, reverse("migrations:detail", args=[pk]))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back
def jobs_selected(request: Request) -> HttpResponse:
    """One action on the rows that were ticked."""
    action = request.POST.get("action", "")
    if action not in ACTIONS:
        return HttpResponseBadRequest(_("Unknown action."))
    pks = [int(pk) for pk in request.POST.getlist("selected") if pk.isdecimal() and len(pk) < 19]
    if not 0 < len(pks) <= MAX_SELECTED:
        words = _("Select one job at least and %(most)d at most.") % {"most": MAX_SELECTED}
        messages.warning(request, words)
        return go_back(request, reverse("migrations:list"))
    jobs = list(MigrationJob.objects.filter(pk__in=pks).order_by("pk"))
    if not jobs:
        raise RefusedError(_("The selected jobs have been deleted meanwhile."))
    if action in ASKED_FIRST and "confirmed" not in request.POST:
        return _ask(request, action, jobs, reverse("migrations:selected"))
    outcome = act_on_jobs(action=action, jobs=jobs)
    tell = messages.warning if outcome.refusals else messages.success
    tell(request, outcome.sentence)
    return go_back(request, reverse("migrations:list"))


CONSEQUENCES: dict[str, str | Promise] = {
    "cancel": gettext_lazy(
        "What has been copied stays at the destination. A later run goes on from there."
    ),
    "delete": gettext_lazy(
        "Log, folder counts and stored passwords go with it. No mail is touched."
    ),
    "erase": gettext_lazy("To run it again, both passwords have to be typed once more."),
}
BUTTONS: dict[str, str | Promise] = {
    "cancel": gettext_lazy("Cancel migration"),
    "delete": gettext_lazy("Delete"),
    "erase": gettext_lazy("Erase passwords"),
}


def question(action: str, jobs: list[MigrationJob]) -> str:
    """The question to ask before `action`."""
    count, name = len(jobs), jobs[0].name
    words = {"count": count, "job": name}
    if action == "cancel":
        return ngettext("Cancel “%(job)s”?", "Cancel %(count)d jobs?", count) % words
    if action == "delete":
        return ngettext("Delete “%(job)s”?", "Delete %(count)d jobs?", count) % words
    return _("Erase the passwords of “%(job)s”?") % words


def _ask(request: Request, action: str, jobs: list[MigrationJob], url: str) -> HttpResponse:
    context = {
        "action": action,
        "question": question(action, jobs),
        "consequence": CONSEQUENCES[action],
        "button": BUTTONS[action],
        "jobs": jobs,
        "url": url,
        "next": request.POST.get("next") or request.htmx.current_url_abs_path or "",
        "keep_url": reverse("migrations:list"),
        "crumbs": [(_("Migrations"), reverse("migrations:list"))],
    }
    return render_page(request, "migrations_app/job_question.html", context, fragment="question")
