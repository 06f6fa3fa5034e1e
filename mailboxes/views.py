"""Mailboxes: list, create, look at, reset the password."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods

from domains.lists import render_list
from domains.models import Kind
from domains.selectors import copy_state
from mailboxes import selectors, services
from mailboxes.forms import MailboxForm, PasswordForm
from mailboxes.models import Mailbox
from mailboxes.passwords import generate_password
from purelymanage.core.http import Request, errors_on, render_page
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def mailbox_list(request: Request) -> HttpResponse:
    wanted = selectors.mailbox_filter(request)
    listed = selectors.mailbox_list(wanted)
    template = "mailboxes/mailbox_list.html"
    return render_list(request, template, wanted=wanted, listed=listed, kind=Kind.MAILBOXES)


@admin_required
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_add(request: Request) -> HttpResponse:
    """The password is shown in the answer to the POST and is stored nowhere, so: no redirect."""
    template = "mailboxes/mailbox_add.html"
    context: dict[str, Any] = {"crumbs": _crumbs()}
    if request.method == "GET":
        domain = request.GET.get("domain") or selectors.busiest_domain()
        initial = {"password": generate_password(), "domain": domain}
        return render_page(request, template, context | {"form": MailboxForm(initial=initial)})
    form = MailboxForm(request.POST)
    if form.is_valid():
        with errors_on(form):
            mailbox = services.create_mailbox(**form.cleaned_data)
            context |= {
                "mailbox": mailbox,
                "password": form.cleaned_data["password"],
                "taking": selectors.rule_taking_all(mailbox),
            }
            return render_page(request, "mailboxes/mailbox_added.html", context)
    return render_page(request, template, context | {"form": form}, status=422)


@viewer_required
@require_GET
def mailbox_detail(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    context = {
        "crumbs": _crumbs(),
        "mailbox": mailbox,
        "rules": selectors.mailbox_rules(mailbox),
        "copy": copy_state(Kind.MAILBOXES),
    }
    return render_page(request, "mailboxes/mailbox_detail.html", context)


@admin_required
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_password_reset(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox, pk=pk)
    template = "mailboxes/mailbox_password_reset.html"
    context: dict[str, Any] = {"crumbs": _crumbs(mailbox), "mailbox": mailbox}
    if request.method == "GET":
        form = PasswordForm(initial={"password": generate_password()})
        return render_page(request, template, context | {"form": form})
    form = PasswordForm(request.POST)
    if form.is_valid():
        with errors_on(form):
            password = form.cleaned_data["password"]
            services.reset_password(mailbox=mailbox, password=password)
            return render_page(request, template, context | {"form": None, "password": password})
    return render_page(request, template, context | {"form": form}, status=422)


def _crumbs(mailbox: Mailbox | None = None) -> list[tuple[str, str]]:
    crumbs = [(_("Mailboxes"), reverse("mailboxes:list"))]
    if mailbox:
        crumbs.append((mailbox.address, reverse("mailboxes:detail", args=[mailbox.pk])))
    return crumbs
