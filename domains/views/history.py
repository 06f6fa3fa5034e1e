"""What changed in the DNS of a domain, and who saw it."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from domains import selectors
from domains.views.frame import domain_or_404, frame_of
from purelymanage.core.http import Request, render_page
from purelymanage.core.permissions import viewer_required


@viewer_required
@require_GET
def domain_history(request: Request, pk: int) -> HttpResponse:
    domain = domain_or_404(pk)
    page = selectors.history_page(domain, request.GET.get("page", ""))
    context = frame_of(domain, "history")
    context |= {"page": page, "changes": [change.view for change in page]}
    return render_page(request, "domains/domain_history.html", context)
