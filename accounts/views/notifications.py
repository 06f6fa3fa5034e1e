"""The settings page about notifications: where they go, how the last ones went, and a test."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.mail import is_mail_set_up
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.notifications.services import send_test
from purelymanage.notifications.targets import targets_of


@viewer_required
@require_GET
def notifications(request: Request) -> HttpResponse:
    """Opening it sends nothing; it asks for its table while something is on its way."""
    targets = targets_of(request.user.pk, request.user.email)
    context = {
        "targets": targets,
        "goes_on": any(target.is_due for target in targets),
        "is_mail_set_up": is_mail_set_up(),
        "can_change": request.user.is_admin,
    }
    return render_page(request, "accounts/notifications.html", context, fragment="targets")


@admin_required
@rate_limited("notify")
@require_POST
def notifications_test(request: Request) -> HttpResponse:
    """Have a worker send a test; the page shows how that goes."""
    send_test(person=request.user.pk)
    messages.success(request, _("A test is on its way. This page says how it went."))
    return go_to(request, reverse("accounts:notifications"))
