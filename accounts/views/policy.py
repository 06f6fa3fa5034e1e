"""An owner's say over second factors: demanded of everybody, and taken off who lost theirs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.services.lost_factors import reset_factors
from accounts.services.policy import demand_factor, leave_factor_open
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, go_to
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import owner_required


@owner_required
@reauthentication_required
@rate_limited("write")
@require_POST
def factor_policy(request: Request) -> HttpResponse:
    """Demands a second factor of everybody, or no longer."""
    try:
        if request.POST.get("demand") == "on":
            demand_factor(by=request.user)
            messages.success(request, _("A second factor is demanded of everybody."))
        else:
            leave_factor_open()
            messages.success(request, _("A second factor is everybody's own choice."))
    except RefusedError as error:
        messages.error(request, error.message)
    return go_to(request, reverse("mfa_index"))


@owner_required
@reauthentication_required
@rate_limited("write")
@require_POST
def factor_reset(request: Request, pk: int) -> HttpResponse:
    """For somebody who lost it."""
    person = get_object_or_404(User, pk=pk)
    reset_factors(person=person)
    words = _("%(name)s signs in with the password alone now, and was signed out everywhere.")
    messages.success(request, words % {"name": person.name})
    return go_to(request, reverse("accounts:person", args=[person.pk]))
