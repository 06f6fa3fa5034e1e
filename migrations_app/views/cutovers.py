"""The cut-over of a domain: its list, its page, and each step by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from migrations_app.forms.repeats import CutOverForm
from migrations_app.models import CutOver, CutOverStep
from migrations_app.selectors import cutovers as selectors
from migrations_app.selectors import view_of_batch
from migrations_app.services import cutovers as services
from migrations_app.views.parts import told_on_the_way_back_to
from purelymanage.core.addresses import shown_domain
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

BY_HAND = {
    CutOverStep.COPY: (
        gettext_lazy("Copy again every so often"),
        gettext_lazy("What still runs goes on to its end."),
    ),
    CutOverStep.DELTA: (
        gettext_lazy("Final sync now"),
        gettext_lazy("If MX moves only later, another one starts by itself then."),
    ),
    CutOverStep.FINAL: (
        gettext_lazy("Look into the old inboxes now"),
        gettext_lazy("It is the last look: after it the passwords are erased."),
    ),
    CutOverStep.CATCH_UP: (
        gettext_lazy("Erase the passwords now"),
        gettext_lazy("What does not end well keeps them for a week."),
    ),
    CutOverStep.PURGE: (
        gettext_lazy("Erase all passwords and end"),
        gettext_lazy("To run a job again, its passwords are then to be typed once more."),
    ),
}
"""What begins the step after this one, and what that means."""

told_on_the_way_back_to_the_cut_over = told_on_the_way_back_to(
    "migrations:cut_over",
    otherwise="migrations:cut_overs",
    gone=gettext_lazy("The cut-over has been deleted meanwhile, with its batch."),
)


@viewer_required
@require_GET
def cut_over_list(request: Request) -> HttpResponse:
    context = {
        "page": selectors.list_cut_overs(request.GET.get("page")),
        "crumbs": _crumbs()[:-1],
        "can_change": request.user.is_admin,
    }
    return render_page(request, "migrations_app/cutovers/list.html", context)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def cut_over_begin(request: Request) -> HttpResponse:
    chosen = request.GET.get("batch", "")
    form = CutOverForm(request.POST if request.method == "POST" else None, batch=chosen)
    if form.is_valid():
        with errors_on(form):
            cut_over = services.begin_cut_over(**form.cleaned_data)
            return _back(request, cut_over)
    context = {"form": form, "crumbs": _crumbs()}
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/cutovers/new.html", context, status=status)


@viewer_required
@require_GET
def cut_over_detail(request: Request, pk: int) -> HttpResponse:
    cut_over = selectors.cut_over_of(pk)
    context = {
        "cut_over": cut_over,
        "steps": selectors.steps_of(cut_over),
        "by_hand": BY_HAND.get(CutOverStep(cut_over.step)) if cut_over.is_open else None,
        "view": view_of_batch(cut_over.batch),
        "catch_up": view_of_batch(cut_over.catch_up) if cut_over.catch_up else None,
        "points_here": not selectors.mx_problem(cut_over.domain),
        "crumbs": _crumbs(),
        "can_change": request.user.is_admin,
    }
    return render_page(request, "migrations_app/cutovers/detail.html", context, fragment="steps")


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to_the_cut_over
def cut_over_advance(request: Request, pk: int) -> HttpResponse:
    """Begin the step after the one that the page showed."""
    cut_over = selectors.cut_over_of(pk)
    services.advance_by_hand(cut_over=cut_over, step=request.POST.get("step", ""))
    return _back(request, cut_over)


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to_the_cut_over
def cut_over_stop(request: Request, pk: int) -> HttpResponse:
    cut_over = selectors.cut_over_of(pk)
    services.stop_cut_over(cut_over=cut_over)
    messages.success(request, _("Stopped. What runs goes on to its end."))
    return _back(request, cut_over)


@admin_required
@rate_limited("write")
@require_POST
@told_on_the_way_back_to_the_cut_over
def cut_over_resume(request: Request, pk: int) -> HttpResponse:
    cut_over = selectors.cut_over_of(pk)
    services.resume_cut_over(cut_over=cut_over)
    words = {"domain": shown_domain(cut_over.domain)}
    messages.success(request, _("The cut-over of %(domain)s goes on.") % words)
    return _back(request, cut_over)


def _back(request: Request, cut_over: CutOver) -> HttpResponse:
    return go_to(request, reverse("migrations:cut_over", args=[cut_over.pk]))


def _crumbs() -> list[tuple[str, str]]:
    return [
        (_("Migrations"), reverse("migrations:list")),
        (_("Batches"), reverse("migrations:batches")),
        (_("Cut-overs"), reverse("migrations:cut_overs")),
    ]
