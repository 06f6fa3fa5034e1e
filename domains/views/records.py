"""One domain: what DNS says of its records."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from domains.views.frame import domain_or_404, frame_of
from purelymanage.core.http import Request, render_page
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def domain_detail(request: Request, pk: int) -> HttpResponse:
    context = frame_of(domain_or_404(pk), "detail")
    return render_page(request, "domains/domain_detail.html", context)
