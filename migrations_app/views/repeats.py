"""How often a job or a batch runs again by itself, and its last run."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from migrations_app import selectors
from migrations_app.forms.repeats import RepeatForm
from migrations_app.models import Batch
from migrations_app.selectors.repeats import LEFT_OUT, hours_of, jobs_of
from migrations_app.services import repeats as services
from migrations_app.views.parts import (
    get_job,
    told_on_the_way_back,
    told_on_the_way_back_to_the_batch,
)
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.ui.tags.words import grouped


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def job_repeat(request: Request, pk: int) -> HttpResponse:
    job = get_job(pk)
    return _ask_hours(
        request,
        name=job.name,
        hours=job.repeat_hours,
        repeat=lambda hours: services.repeat_job(job=job, hours=hours),
        back=reverse("migrations:detail", args=[pk]),
    )


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def batch_repeat(request: Request, pk: int) -> HttpResponse:
    batch = selectors.batch_of(pk)

    def repeat(hours: int | None) -> None:
        services.repeat_batch(batch=batch, hours=hours)
        if hours:
            _tell_left_out(request, batch)

    return _ask_hours(
        request,
        name=batch.name,
        hours=hours_of(batch),
        repeat=repeat,
        back=reverse("migrations:batch", args=[pk]),
    )


def _ask_hours(
    request: Request,
    *,
    name: str,
    hours: int | None,
    repeat: Callable[[int | None], None],
    back: str,
) -> HttpResponse:
    is_sent = request.method == "POST"
    form = RepeatForm(request.POST if is_sent else None, initial={"hours": hours})
    if form.is_valid():
        with errors_on(form):
            repeat(form.cleaned_data["hours"])
            return go_to(request, back)
    crumbs = [(_("Migrations"), reverse("migrations:list")), (name, back)]
    context = {"form": form, "name": name, "back": back, "crumbs": crumbs}
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/repeat.html", context, status=status)


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back
def job_final(request: Request, pk: int) -> HttpResponse:
    """Once more, and never again by itself."""
    job = get_job(pk)
    services.sync_job_finally(job=job)
    messages.success(request, _("%(job)s runs for the last time.") % {"job": job})
    return go_to(request, reverse("migrations:detail", args=[pk]))


@admin_required
@rate_limited("bulk")
@require_POST
@told_on_the_way_back_to_the_batch
def batch_final(request: Request, pk: int) -> HttpResponse:
    """The same for all its real jobs."""
    batch = selectors.batch_of(pk)
    services.sync_batch_finally(batch=batch)
    messages.success(request, _("%(batch)s is copied for the last time.") % {"batch": batch})
    _tell_left_out(request, batch)
    return go_to(request, reverse("migrations:batch", args=[pk]))


def _tell_left_out(request: Request, batch: Batch) -> None:
    if count := jobs_of(batch).filter(LEFT_OUT).count():
        words = ngettext(
            "%(count)s mailbox is left out: its passwords were erased.",
            "%(count)s mailboxes are left out: their passwords were erased.",
            count,
        )
        messages.warning(request, words % {"count": grouped(count)})
