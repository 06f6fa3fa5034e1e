"""Invitations: the public page behind the link, and what owners do with those they sent."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import AcceptForm
from accounts.models import Invitation, User
from accounts.selectors import invitation_by
from accounts.services import invitations as services
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.errors import MissingError
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import owner_required

HIDDEN = {"Referrer-Policy": "strict-origin", "X-Robots-Tag": "noindex, nofollow"}
"""The address holds the token. With no-referrer, browsers would send forms without an origin."""


@never_cache
@rate_limited("invitation", also_get=True)
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Who invites to what, and the form that makes the account. Nobody has to be signed in."""
    response = _invitation(request, token)
    for name, value in HIDDEN.items():
        response.headers[name] = value
    return response


def _invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    found = invitation_by(token)
    if found is None:
        return _gone(request)
    form = AcceptForm(
        request.POST if request.method == "POST" else None,
        address=found.email,
        initial={"name": found.name},
    )
    if form.is_valid():
        try:
            with errors_on(form):
                return _sign_in(request, services.accept(invitation=found, **form.cleaned_data))
        except MissingError:
            return _gone(request)
    context = {"form": form, "invitation": found, "token": token}
    status = 422 if form.errors else 200
    return render_page(request, "accounts/invitation.html", context, status=status)


def _sign_in(request: HttpRequest, person: User) -> HttpResponseBase:
    """In a new session, whoever was signed in before."""
    logout(request)
    answer: HttpResponseBase = perform_login(
        request, person, redirect_url=reverse("dashboard:home")
    )
    return answer


def _gone(request: HttpRequest) -> HttpResponse:
    """The same for a link that was used, revoked or has run out, and for one that never was."""
    return render(request, "accounts/invitation_gone.html", status=410)


@owner_required
@reauthentication_required
@rate_limited("invite")
@never_cache
@require_POST
def invitation_send(request: Request, pk: int) -> HttpResponse:
    """A new link for somebody who was invited."""
    invited = get_object_or_404(Invitation, pk=pk)
    link = services.send_again(invitation=invited, inviter=request.user)
    return invited_page(request, invited.email, link)


@owner_required
@reauthentication_required
@require_POST
def invitation_revoke(request: Request, pk: int) -> HttpResponse:
    invited = get_object_or_404(Invitation, pk=pk)
    services.revoke(invitation=invited)
    messages.success(
        request, _("The invitation of %(email)s is revoked.") % {"email": invited.email}
    )
    return go_to(request, reverse("accounts:people"))


def invited_page(request: Request, email: str, link: str) -> HttpResponse:
    """Back to the list; where there is no mail server, the link to hand over comes first."""
    if link:
        context = {"email": email, "link": link}
        return render_page(request, "accounts/invitation_link.html", context)
    messages.success(request, _("%(email)s gets an invitation by mail.") % {"email": email})
    return go_to(request, reverse("accounts:people"))
