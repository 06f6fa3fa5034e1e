"""Temporary app passwords that could not be revoked, and what a person does about them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from migrations_app.models import TemporaryPassword
from migrations_app.selectors.temporary_passwords import left_behind
from migrations_app.services import temporary_passwords as services
from purelymanage.core.addresses import shown_address
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def temporary_passwords(request: Request) -> HttpResponse:
    context = {
        "rows": left_behind(),
        "can_change": request.user.is_admin,
        "crumbs": [(_("Migrations"), reverse("migrations:list"))],
    }
    return render_page(request, "migrations_app/temporary_passwords.html", context)


@admin_required
@rate_limited("write")
@require_POST
def temporary_password_settle(request: Request, pk: int) -> HttpResponse:
    password = get_object_or_404(TemporaryPassword.objects.defer("secret"), pk=pk)
    services.settle(password=password)
    words = {"address": shown_address(password.address)}
    messages.success(request, _("The app password of %(address)s is looked after.") % words)
    return go_to(request, reverse("migrations:temporary_passwords"))
