"""The people of the panel: who may sign in, as what."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms import NewPersonForm, RoleForm
from accounts.models import User
from accounts.services import people as services
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.permissions import owner_required, viewer_required


@viewer_required
@require_GET
def people(request: Request) -> HttpResponse:
    """Everybody who can sign in, and below them those who no longer can."""
    context = {"people": User.objects.order_by("-is_active", "name", "pk")}
    return render_page(request, "accounts/people.html", context)


@owner_required
@require_http_methods(["GET", "POST"])
def person_add(request: Request) -> HttpResponse:
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with errors_on(form):
            newcomer = services.add_person(**form.cleaned_data)
            messages.success(request, _("%(name)s can sign in now.") % {"name": newcomer.name})
            return go_to(request, reverse("accounts:people"))
    return render_page(
        request, "accounts/person_add.html", {"form": form}, status=422 if form.errors else 200
    )


@owner_required
@require_http_methods(["GET", "POST"])
def person(request: Request, pk: int) -> HttpResponse:
    """One person's role, and whether they may sign in."""
    shown = get_object_or_404(User, pk=pk)
    form = RoleForm(
        request.POST if request.method == "POST" else None, initial={"role": shown.role}
    )
    if form.is_valid():
        with errors_on(form):
            services.change_role(person=shown, role=form.cleaned_data["role"])
            words = {"name": shown.name, "role": shown.get_role_display()}
            messages.success(request, _("%(name)s has the role %(role)s now.") % words)
            return go_to(request, reverse("accounts:people"))
    context = {"person": shown, "form": form}
    return render_page(request, "accounts/person.html", context, status=422 if form.errors else 200)


@owner_required
@require_POST
def person_remove(request: Request, pk: int) -> HttpResponse:
    leaver = get_object_or_404(User, pk=pk)
    services.remove_person(person=leaver)
    if leaver == request.user:
        logout(request)
        return go_to(request, reverse("account_login"))
    messages.success(request, _("%(name)s can no longer sign in.") % {"name": leaver.name})
    return go_to(request, reverse("accounts:people"))


@owner_required
@require_POST
def person_restore(request: Request, pk: int) -> HttpResponse:
    returner = get_object_or_404(User, pk=pk)
    services.restore_person(person=returner)
    messages.success(request, _("%(name)s can sign in again.") % {"name": returner.name})
    return go_to(request, reverse("accounts:people"))
