"""App passwords: made, shown once, ended by themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.sessions.reauthentication import reauthentication_required
from mailboxes import services
from mailboxes.forms import AppPasswordForm, RevokeForm
from mailboxes.models import Mailbox
from mailboxes.views.frame import crumbs
from purelymanage.core.addresses import shown_address
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required


@admin_required
@reauthentication_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def app_password_add(request: Request, pk: int) -> HttpResponse:
    """It is shown in the answer to the POST and is stored nowhere, so: no redirect."""
    mailbox = get_object_or_404(Mailbox, pk=pk)
    form = AppPasswordForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"crumbs": crumbs(mailbox), "mailbox": mailbox, "app_password": ""}
    if form.is_valid():
        with errors_on(form):
            name = form.cleaned_data["name"]
            app_password = services.create_app_password(mailbox=mailbox, name=name)
            context |= {"app_password": app_password, "name": name}
    context["form"] = form
    status = 422 if form.errors else 200
    return render_page(request, "mailboxes/app_password_add.html", context, status=status)


@sensitive_post_parameters("app_password")
@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def app_password_revoke(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox, pk=pk)
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with errors_on(form):
            services.revoke_app_password(mailbox=mailbox, **form.cleaned_data)
            words = {"address": shown_address(mailbox.address)}
            messages.success(request, _("The app password of %(address)s is revoked.") % words)
            return go_to(request, reverse("mailboxes:detail", args=[mailbox.pk]))
    context = {"crumbs": crumbs(mailbox), "mailbox": mailbox, "form": form}
    status = 422 if form.errors else 200
    return render_page(request, "mailboxes/app_password_revoke.html", context, status=status)
