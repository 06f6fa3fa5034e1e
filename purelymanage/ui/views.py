"""The command palette, looks that people choose, password strength, and the style guide."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from purelymanage.core.addresses import CONTROL
from purelymanage.core.http import Request, render_page, wants_fragment, way_back
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import viewer_required
from purelymanage.ui.context_processors import SCHEMES
from purelymanage.ui.palette import find
from purelymanage.ui.strength import judge
from purelymanage.ui.styleguide import samples

A_YEAR = 365 * 86400


@viewer_required
@require_GET
def palette(request: Request) -> HttpResponse:
    """What the palette finds: a page of its own without script, a fragment with it."""
    query = CONTROL.sub("", request.GET.get("q", "")).strip()[:100]
    context = {
        "query": query,
        "groups": find(query, user=request.user),
        "in_dialog": wants_fragment(request),
    }
    return render_page(request, "ui/palette.html", context, fragment="results")


@viewer_required
@rate_limited("write")
@require_POST
def theme_set(request: Request) -> HttpResponse:
    """Keep the chosen scheme; "system" forgets the choice."""
    theme = request.POST.get("theme", "")
    return _choice_kept(request, "theme", theme if theme in SCHEMES else "")


@viewer_required
@rate_limited("write")
@require_POST
def keys_set(request: Request) -> HttpResponse:
    """Turn the single keys off, or on again."""
    return _choice_kept(request, "keys", "" if request.POST.get("keys") else "off")


def _choice_kept(request: HttpRequest, name: str, value: str) -> HttpResponse:
    """Back to where the person was, with a cookie for what they chose or none for the default."""
    if wants_fragment(request):
        response = HttpResponse(status=204)
    else:
        response = HttpResponse(status=303, headers={"Location": way_back(request)})
    if not value:
        response.delete_cookie(name, samesite="Lax")
        return response
    response.set_cookie(
        name,
        value,
        max_age=A_YEAR,
        samesite="Lax",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@never_cache
@rate_limited("password_strength")
@require_POST
def password_strength(request: HttpRequest) -> HttpResponse:
    """Bar and word for a password being typed. Open to all: set-up needs it. Kept nowhere."""
    field = request.GET.get("field", "password")
    password = request.POST.get(field, "")
    context = {"strength": judge(password)}
    return render_page(request, "components/strength.html", context)


@viewer_required
@require_GET
def styleguide(request: Request) -> HttpResponse:
    """Every component once, in every state it has."""
    return render_page(request, "ui/styleguide.html", samples(reverse("ui:styleguide")))
