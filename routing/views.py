"""Routing rules, from the local copy."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from domains.filters import ListFilter
from domains.lists import render_list
from domains.models import Kind
from purelymanage.core.http import Request
from purelymanage.core.permissions import viewer_required
from routing import selectors


@viewer_required
@require_GET
def rule_list(request: Request) -> HttpResponse:
    wanted = ListFilter.of(request, orders=("domain", "source"))
    listed = selectors.rule_list(wanted)
    template = "routing/rule_list.html"
    return render_list(request, template, wanted=wanted, listed=listed, kind=Kind.RULES)
