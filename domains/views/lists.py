"""The list of domains."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from domains import selectors
from domains.filters import ListFilter
from domains.lists import render_list
from domains.models import Kind
from purelymanage.core.http import Request
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def domain_list(request: Request) -> HttpResponse:
    wanted = ListFilter.of(request, orders=("health", "name", "mailboxes"))
    listed = selectors.domain_list(wanted)
    template = "domains/domain_list.html"
    return render_list(request, template, wanted=wanted, listed=listed, kind=Kind.DOMAINS)
