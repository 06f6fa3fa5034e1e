"""New mailboxes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from mailboxes import selectors, services
from mailboxes.forms import MailboxForm
from mailboxes.passwords import generate_password
from mailboxes.views.frame import crumbs, outlook_of
from purelymanage.core.http import Request, errors_on, render_page
from purelymanage.core.permissions import admin_required


@sensitive_post_parameters("password")
@admin_required
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_add(request: Request) -> HttpResponse:
    """The password is shown in the answer to the POST and is stored nowhere, so: no redirect."""
    template = "mailboxes/mailbox_add.html"
    context: dict[str, Any] = {"crumbs": crumbs(), "outlook": None}
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
    context |= {"form": form, "outlook": outlook_of(request.POST)}
    return render_page(request, template, context, status=422)


@admin_required
@require_GET
def address_outlook(request: Request) -> HttpResponse:
    """What the copy knows of the address that is being typed; nothing until it is one."""
    return render(request, "mailboxes/outlook.html", {"outlook": outlook_of(request.GET)})
