"""Ask before a domain is deleted with all that hangs on it."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from domains.dependants import impact_of
from domains.views.frame import crumbs, domain_or_404
from purelymanage.core.http import Request
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.deletions.impact import Impact
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.views import confirm_deletion


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def domain_delete(request: Request, pk: int) -> HttpResponse:
    domain = domain_or_404(pk)
    return confirm_deletion(
        request,
        kind=DeletionKind.DOMAIN,
        key=domain.name,
        impact=Impact(groups=impact_of(domain)),
        back=reverse("domains:list"),
        crumbs=crumbs(domain),
        must_type=domain.name,
    )
