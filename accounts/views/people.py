"""The people of the panel: who may sign in, as what."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.factors.policy import with_factor
from accounts.forms import InvitationForm, RoleForm
from accounts.models import User
from accounts.selectors import invitation_of, open_invitations
from accounts.services import invitations
from accounts.services import people as services
from accounts.sessions.reauthentication import reauthentication_required
from accounts.views.invitations import invited_page
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.mail import is_mail_set_up
from purelymanage.core.permissions import owner_required, viewer_required


@viewer_required
@require_GET
def people(request: Request) -> HttpResponse:
    """Everybody who can sign in, below them those who no longer can; for owners, the invited."""
    context = {
        "people": with_factor(User.objects.order_by("-is_active", "name", "pk")),
        "invitations": open_invitations() if request.user.is_owner else [],
    }
    return render_page(request, "accounts/people.html", context)


@owner_required
@reauthentication_required
@rate_limited("invite")
@never_cache
@require_http_methods(["GET", "POST"])
def person_invite(request: Request) -> HttpResponse:
    """Invite somebody: a worker mails them a link with which they choose their password."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with errors_on(form):
            link = invitations.invite(inviter=request.user, **form.cleaned_data)
            return invited_page(request, form.cleaned_data["email"], link)
    context = {"form": form, "days": settings.INVITATION_DAYS, "is_mailed": is_mail_set_up()}
    status = 422 if form.errors else 200
    return render_page(request, "accounts/person_invite.html", context, status=status)


@owner_required
@reauthentication_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def person(request: Request, pk: int) -> HttpResponse:
    """One person's role, and whether they may sign in."""
    shown = get_object_or_404(with_factor(User.objects.all()), pk=pk)
    form = RoleForm(
        request.POST if request.method == "POST" else None, initial={"role": shown.role}
    )
    if form.is_valid():
        with errors_on(form):
            services.change_role(person=shown, role=form.cleaned_data["role"])
            if shown == request.user and form.has_changed():
                return _signed_out(request)
            words = {"name": shown.name, "role": shown.get_role_display()}
            messages.success(request, _("%(name)s has the role %(role)s now.") % words)
            return go_to(request, reverse("accounts:people"))
    context = {"person": shown, "form": form, "invitation": invitation_of(shown)}
    return render_page(request, "accounts/person.html", context, status=422 if form.errors else 200)


@owner_required
@reauthentication_required
@require_POST
def person_remove(request: Request, pk: int) -> HttpResponse:
    leaver = get_object_or_404(User, pk=pk)
    services.remove_person(person=leaver)
    if leaver == request.user:
        return _signed_out(request)
    messages.success(request, _("%(name)s can no longer sign in.") % {"name": leaver.name})
    return go_to(request, reverse("accounts:people"))


@owner_required
@reauthentication_required
@rate_limited("write")
@require_POST
def person_restore(request: Request, pk: int) -> HttpResponse:
    returner = get_object_or_404(User, pk=pk)
    services.restore_person(person=returner)
    messages.success(request, _("%(name)s can sign in again.") % {"name": returner.name})
    return go_to(request, reverse("accounts:people"))


def _signed_out(request: Request) -> HttpResponse:
    """Their own session ended with the others."""
    logout(request)
    return go_to(request, reverse("account_login"))
