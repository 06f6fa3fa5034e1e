"""The home page, and the answer to a form from elsewhere."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from purelymanage.core.http import Request, render_page, wants_fragment
from purelymanage.core.permissions import viewer_required
from purelymanage.dashboard import selectors
from purelymanage.dashboard.attention import needs_attention


@viewer_required
@require_GET
def home(request: Request) -> HttpResponse:
    facts = selectors.home()
    context = {
        "home": facts,
        "attention": needs_attention(facts, user=request.user),
        "now": timezone.now(),
        "is_fragment": wants_fragment(request),
    }
    return render_page(request, "dashboard/home.html", context, fragment="live")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without our cookie, from another site, or from before a new sign-in."""
    if wants_fragment(request):
        messages.error(
            request,
            _(
                "Nothing was changed: somebody signed in or out since this page was opened. Copy "
                "what you typed, load the page again and send it once more."
            ),
        )
        return HttpResponse(status=403, headers={"HX-Reswap": "none"})
    return render(request, "403_csrf.html", status=403)
