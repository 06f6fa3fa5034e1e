"""How fresh the local copy is, on every list that shows a part of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh, trigger_client_event

from domains import selectors, services
from domains.models import Kind
from purelymanage.core.http import Request, go_to, render_page, wants_fragment, way_back
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

COPY_ANSWER = "domains/copy_answer.html"


@viewer_required
@require_GET
def copy_note(request: Request, kind: str) -> HttpResponse:
    """ "Synced 3 min ago" and the banner, asked for again while a refresh is under way."""
    if kind not in Kind:
        raise Http404
    state = selectors.copy_state(Kind(kind))
    if "first" in request.GET and state.synced_at and not state.is_expected:
        return HttpResponseClientRefresh()  # the filters have nothing to choose from yet
    response = render_page(request, COPY_ANSWER, {"copy": state})
    if not state.is_expected:
        trigger_client_event(response, "copy-refreshed")
        if state.failed_since:
            messages.error(request, state.error)
        elif state.is_overdue:
            messages.warning(
                request, _("The refresh has not begun. The background workers may not be running.")
            )
    return response


@admin_required
@rate_limited("ask")
@require_POST
def copy_refresh(request: Request, kind: str) -> HttpResponse:
    """Ask PurelyMail for the lists now; the workers do it."""
    if kind not in Kind:
        raise Http404
    services.request_refresh()
    if wants_fragment(request):
        return render_page(request, COPY_ANSWER, {"copy": selectors.copy_state(Kind(kind))})
    messages.info(request, _("The lists are being refreshed. Reload this page in a moment."))
    return go_to(request, way_back(request))
