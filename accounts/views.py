"""The set-up page and the settings pages that are about people and the panel itself."""

from __future__ import annotations

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import about, services
from accounts.forms import AccountForm, NewPersonForm, RoleForm, SetupForm
from accounts.models import User
from accounts.setup_code import needs_code
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.permissions import admin_required, owner_required, viewer_required

WAIT_SECONDS = 15 * 60


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponseBase:
    """Makes the owner. Gone once there is anybody."""
    if User.objects.exists():
        raise Http404
    asks_code = needs_code(request)
    if asks_code and not ratelimit.consume(request, action="setup_code", dry_run=True):
        return _too_many(request)
    form = SetupForm(request.POST if request.method == "POST" else None, asks_code=asks_code)
    if form.is_valid():
        data = form.cleaned_data
        owner = services.create_first_owner(
            email=data["email"], name=data["name"], password=data["password"]
        )
        return perform_login(request, owner, redirect_url=reverse("dashboard:home"))  # type: ignore[no-any-return]  # allauth ships no types
    if form.code_is_wrong:
        ratelimit.consume(request, action="setup_code")
    return render_page(
        request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200
    )


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(WAIT_SECONDS)
    return response


@viewer_required
@require_http_methods(["GET", "POST"])
def account(request: Request) -> HttpResponse:
    """One's own name; e-mail and role are an owner's to change."""
    data = request.POST if request.method == "POST" else {"name": request.user.name}
    form = AccountForm(data)
    if request.method == "POST" and form.is_valid():
        services.change_name(person=request.user, name=form.cleaned_data["name"])
        messages.success(request, _("Name saved."))
        return go_to(request, reverse("accounts:settings"))
    return render_page(
        request, "accounts/account.html", {"form": form}, status=422 if form.errors else 200
    )


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


@viewer_required
@require_GET
def purelymail(request: Request) -> HttpResponse:
    """Where the panel connects to. Opening it asks PurelyMail nothing."""
    return _purelymail_page(request)


@admin_required
@require_POST
def purelymail_test(request: Request) -> HttpResponse:
    """One question to PurelyMail, and its answer."""
    try:
        credit = services.check_connection()
    except PurelyManageError as error:
        return _purelymail_page(request, error=error.message)
    return _purelymail_page(
        request, answer=_("Connected. Credit: %(credit).2f USD.") % {"credit": credit}
    )


def _purelymail_page(request: Request, *, answer: str = "", error: str = "") -> HttpResponse:
    context = {
        "is_demo": settings.DEMO,
        "api_url": settings.PURELYMAIL_API_URL,
        "answer": answer,
        "error": error,
    }
    return render_page(request, "accounts/purelymail.html", context, fragment="answer")


@viewer_required
@require_GET
def about_panel(request: Request) -> HttpResponse:
    """Versions, database, workers and queue."""
    return render_page(request, "accounts/about.html", {"facts": about.facts()})
