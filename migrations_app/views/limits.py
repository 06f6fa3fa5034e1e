"""Settings: how many jobs run at once, how gently hosts are treated, and who runs the jobs."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from migrations_app import selectors
from migrations_app.engines import choice
from migrations_app.forms.limits import HostLimitsForm, LimitsForm
from migrations_app.imap.presets import PRESETS, Preset
from migrations_app.models import HostLimits
from migrations_app.queueing import dispatch
from migrations_app.selectors import hosts
from migrations_app.selectors.storage import storage
from migrations_app.services import limits as services
from migrations_app.services import workers
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import RoleMissing, admin_required, viewer_required
from purelymanage.core.roles import Role
from purelymanage.jobs.models import WorkerHost


@viewer_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def limits_edit(request: Request) -> HttpResponse:
    if request.method == "POST" and not request.user.is_admin:
        raise RoleMissing(Role.ADMIN)
    limits = dispatch.limits()
    form = LimitsForm(request.POST if request.method == "POST" else None, limits=limits)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            services.change_limits(**form.cleaned_data)
            messages.success(request, _("Limits changed."))
            return _back(request)
    rows = hosts.limited_hosts(limits)
    context = {
        "form": form,
        "hosts": rows,
        "unlimited": hosts.unlimited_provider(rows),
        "workers": hosts.worker_hosts(),
        "running": selectors.running_jobs().count(),
        "engine": choice.describe(),
        "storage": storage(),
        "can_change": request.user.is_admin,
    }
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/limits_edit.html", context, status=status)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def host_add(request: Request) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = HostLimitsForm(data, preset=_preset(request))
    if form.is_valid():
        with errors_on(form):
            limits = services.limit_host(host=form.cleaned_data["host"], **form.limits())
            messages.success(request, _("%(host)s is treated like this now.") % {"host": limits})
            return _back(request)
    return _host_form(request, form, None)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def host_edit(request: Request, pk: int) -> HttpResponse:
    limits = get_object_or_404(HostLimits, pk=pk)
    data = request.POST if request.method == "POST" else None
    form = HostLimitsForm(data, limits=limits, preset=_preset(request))
    if form.is_valid():
        with errors_on(form):
            services.change_host(limits=limits, **form.limits())
            messages.success(request, _("%(host)s is treated like this now.") % {"host": limits})
            return _back(request)
    return _host_form(request, form, limits)


def _preset(request: Request) -> Preset | None:
    """The provider whose usual limits fill in the form."""
    return PRESETS.get(request.GET.get("preset", ""))


def _host_form(request: Request, form: HostLimitsForm, limits: HostLimits | None) -> HttpResponse:
    context = {"form": form, "limits": limits, "zone": settings.TIME_ZONE}
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/host_form.html", context, status=status)


@admin_required
@rate_limited("write")
@require_POST
def host_free(request: Request, pk: int) -> HttpResponse:
    limits = get_object_or_404(HostLimits, pk=pk)
    services.free_host(limits=limits)
    messages.success(request, _("%(host)s is treated like any other host.") % {"host": limits})
    return _back(request)


@admin_required
@rate_limited("write")
@require_POST
def host_open(request: Request, pk: int) -> HttpResponse:
    limits = get_object_or_404(HostLimits, pk=pk)
    services.open_host(limits=limits)
    messages.success(request, _("%(host)s is open again.") % {"host": limits})
    return _back(request)


@admin_required
@rate_limited("write")
@require_POST
def worker_drain(request: Request, pk: int) -> HttpResponse:
    host = get_object_or_404(WorkerHost, pk=pk)
    workers.drain(host=host)
    messages.success(request, _("%(host)s takes no more jobs.") % {"host": host})
    return _back(request)


@admin_required
@rate_limited("write")
@require_POST
def worker_resume(request: Request, pk: int) -> HttpResponse:
    host = get_object_or_404(WorkerHost, pk=pk)
    workers.resume(host=host)
    messages.success(request, _("%(host)s takes jobs again.") % {"host": host})
    return _back(request)


def _back(request: Request) -> HttpResponse:
    return go_to(request, reverse("migration_settings:limits"))
