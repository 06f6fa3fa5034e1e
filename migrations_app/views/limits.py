"""Settings: how many jobs run at once, and which engine runs them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from migrations_app import dispatch, selectors
from migrations_app.engines import choice
from migrations_app.forms.limits import LimitsForm
from migrations_app.services.limits import change_limits
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import RoleMissing, viewer_required
from purelymanage.core.roles import Role


@viewer_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def limits_edit(request: Request) -> HttpResponse:
    if request.method == "POST" and not request.user.is_admin:
        raise RoleMissing(Role.ADMIN)
    form = LimitsForm(request.POST if request.method == "POST" else None, limits=dispatch.limits())
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            change_limits(**form.cleaned_data)
            messages.success(request, _("Limits changed."))
            return go_to(request, reverse("migration_settings:limits"))
    context = {
        "form": form,
        "engine": choice.describe(),
        "running": selectors.running_jobs(),
        "can_change": request.user.is_admin,
    }
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/limits_edit.html", context, status=status)
