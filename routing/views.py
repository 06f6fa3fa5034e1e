"""Routing rules, from the local copy."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from domains.filters import ListFilter, domain_choices, render_list
from domains.models import Kind
from domains.selectors import copy_state
from purelymanage.core.http import Request
from purelymanage.core.permissions import viewer_required
from routing import selectors


@viewer_required
@require_GET
def rule_list(request: Request) -> HttpResponse:
    wanted = ListFilter.of(request, orders=("domain", "source"))
    listed = selectors.rule_list(wanted)
    context = {
        "wanted": wanted,
        "page": listed.page,
        "total": listed.total,
        "domain_choices": domain_choices(listed.domains, chosen=wanted.domain),
        "copy": copy_state(Kind.RULES),
    }
    return render_list(request, "routing/rule_list.html", context)
