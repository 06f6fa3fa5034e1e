"""The password of a mailbox."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.sessions.reauthentication import reauthentication_required
from mailboxes import services
from mailboxes.forms import PasswordForm
from mailboxes.models import Mailbox
from mailboxes.passwords import generate_password
from mailboxes.views.frame import crumbs
from purelymanage.core.http import Request, errors_on, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required


@sensitive_post_parameters("password")
@admin_required
@reauthentication_required(keeps_form=False)
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_password_reset(request: Request, pk: int) -> HttpResponse:
    """`?allow=1` comes with the tick that lets its owner reset it from now on."""
    mailbox = get_object_or_404(Mailbox, pk=pk)
    template = "mailboxes/mailbox_password_reset.html"
    context: dict[str, Any] = {"crumbs": crumbs(mailbox), "mailbox": mailbox}
    if request.method == "GET":
        initial = {
            "password": generate_password(),
            "enable_password_reset": bool(request.GET.get("allow")),
        }
        return render_page(request, template, context | {"form": PasswordForm(initial=initial)})
    form = PasswordForm(request.POST)
    if form.is_valid():
        with errors_on(form):
            settings = services.reset_password(mailbox=mailbox, **form.cleaned_data)
            context |= {
                "form": None,
                "password": form.cleaned_data["password"],
                "asked_reset": form.cleaned_data["enable_password_reset"],
                "settings": settings,
            }
            return render_page(request, template, context)
    return render_page(request, template, context | {"form": form}, status=422)
