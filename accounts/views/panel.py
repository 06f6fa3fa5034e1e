"""The settings pages about the panel itself: its connection and its parts."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import about
from accounts.services.connection import check_connection
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def purelymail(request: Request) -> HttpResponse:
    """Where the panel connects to. Opening it asks PurelyMail nothing."""
    return _purelymail_page(request)


@admin_required
@reauthentication_required
@rate_limited("ask_much")
@require_POST
def purelymail_test(request: Request) -> HttpResponse:
    """One question to PurelyMail, and its answer."""
    try:
        credit = check_connection()
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
