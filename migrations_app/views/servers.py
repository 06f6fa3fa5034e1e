"""Servers: the list, the form with its presets, the live login test."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from migrations_app import selectors
from migrations_app.forms.servers import LoginForm, PresetForm, ServerForm
from migrations_app.imap.presets import PRESETS, hint_for
from migrations_app.imap.report import Target
from migrations_app.models import Security, Server
from migrations_app.services import servers as services
from migrations_app.services.logins import try_logins
from migrations_app.views.parts import report_rows, tabs
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def server_list(request: Request) -> HttpResponse:
    context = {"rows": selectors.list_servers(), "tabs": tabs("servers")}
    return render_page(request, "migrations_app/server_list.html", context)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def server_add(request: Request) -> HttpResponse:
    preset = PRESETS.get(request.GET.get("preset", ""))
    form = ServerForm(request.POST if request.method == "POST" else None, preset=preset)
    if form.is_valid():
        with errors_on(form):
            server = services.create_server(**form.cleaned_data)
            messages.success(request, _("%(server)s added.") % {"server": server})
            return go_to(request, reverse("migrations:servers"))
    context = {
        "preset_form": PresetForm(initial={"preset": preset.key if preset else ""}),
        "note": preset.note if preset else "",
        "preset": preset,
    }
    return _server_form(request, form, context)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def server_edit(request: Request, pk: int) -> HttpResponse:
    server = get_object_or_404(Server, pk=pk)
    name = server.name
    form = ServerForm(request.POST if request.method == "POST" else None, server=server)
    if form.is_valid():
        with errors_on(form):
            services.update_server(server=server, **form.cleaned_data)
            messages.success(request, _("%(server)s changed.") % {"server": server})
            return go_to(request, reverse("migrations:servers"))
    return _server_form(request, form, {"server": server, "name": name, "note": ""})


def _server_form(request: Request, form: ServerForm, more: dict[str, Any]) -> HttpResponse:
    context = {
        "form": form,
        "server": None,
        "preset_form": None,
        "preset": None,
        "is_unprotected": form["security"].value() == Security.NONE,
        "crumbs": _crumbs(),
        **more,
    }
    status = 422 if form.errors else 200
    return render_page(request, "migrations_app/server_form.html", context, status=status)


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def server_delete(request: Request, pk: int) -> HttpResponse:
    server = get_object_or_404(Server, pk=pk)
    if request.method == "POST":
        services.delete_server(server=server)
        messages.success(request, _("%(server)s deleted.") % {"server": server})
        return go_to(request, reverse("migrations:servers"))
    context = {
        "server": server,
        "jobs": selectors.jobs_of_server(server),
        "crumbs": _crumbs(),
    }
    return render_page(request, "migrations_app/server_delete.html", context, fragment="question")


@sensitive_post_parameters("password")
@admin_required
@rate_limited("connect")
@require_http_methods(["GET", "POST"])
def server_test(request: Request, pk: int) -> HttpResponse:
    server = get_object_or_404(Server, pk=pk)
    form = LoginForm(request.POST if request.method == "POST" else None)
    report = None
    if form.is_valid():
        login = form.cleaned_data
        target = Target(
            server.host, server.port, server.security, login["address"], login["password"]
        )
        with errors_on(form):
            (report,) = try_logins(targets={"": target})
    context = {
        "server": server,
        "form": form,
        "steps": report_rows(report) if report else [],
        "has_worked": bool(report and report.ok),
        "hint": hint_for(server.host),
        "crumbs": _crumbs(),
    }
    status = 422 if form.errors else 200
    return render_page(
        request, "migrations_app/server_test.html", context, fragment="test", status=status
    )


def _crumbs() -> list[tuple[str, str]]:
    return [
        (_("Migrations"), reverse("migrations:list")),
        (_("Servers"), reverse("migrations:servers")),
    ]
