"""Where people are signed in: one's own list, and ending what should not go on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Session, SessionQuerySet, User
from accounts.services import sessions as services
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.permissions import owner_required, viewer_required


@viewer_required
@require_GET
def sessions(request: Request) -> HttpResponse:
    """Every browser one is signed in with, this one first."""
    found = list(Session.objects.alive().filter(user=request.user))
    this_key = Session.stored_key(request.session.session_key)
    found.sort(key=lambda session: session.session_key != this_key)
    context = {"sessions": found, "this_key": this_key}
    return render_page(request, "accounts/sessions.html", context)


@viewer_required
@reauthentication_required
@require_POST
def session_end(request: Request, pk: int) -> HttpResponse:
    """End one of the others; this one ends by signing out."""
    session = get_object_or_404(_others(request), pk=pk)
    services.end_session(session=session)
    messages.success(request, _("%(device)s is signed out.") % {"device": session.device})
    return go_to(request, reverse("accounts:sessions"))


@viewer_required
@reauthentication_required
@require_POST
def sessions_end(request: Request) -> HttpResponse:
    """End all but this one."""
    ended = services.end_all_sessions(person=request.user, keep=request.session.session_key)
    messages.success(request, _ended_words(ended))
    return go_to(request, reverse("accounts:sessions"))


@owner_required
@reauthentication_required
@require_POST
def person_sessions_end(request: Request, pk: int) -> HttpResponse:
    """End a person's sessions; of one's own all but this one."""
    person = get_object_or_404(User, pk=pk)
    ended = services.end_all_sessions(person=person, keep=request.session.session_key)
    messages.success(request, _ended_words(ended))
    return go_to(request, reverse("accounts:person", args=[pk]))


def _others(request: Request) -> SessionQuerySet:
    mine = Session.objects.alive().filter(user=request.user).select_related("user")
    return mine.without(request.session.session_key)


def _ended_words(ended: int) -> str:
    if not ended:
        return _("There was no session to end.")
    words = ngettext("%(ended)d session was ended.", "%(ended)d sessions were ended.", ended)
    return words % {"ended": ended}
