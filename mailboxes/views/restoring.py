"""A mailbox that is there again gets back the settings that a dossier tells of."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from mailboxes import services
from mailboxes.dossiers import settings_told
from mailboxes.models import Mailbox
from mailboxes.views.frame import crumbs
from purelymanage.core.http import Request, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import ended_deletion


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_restore(request: Request, pk: int) -> HttpResponse:
    """The answer to the POST says what was set, and what was not. Sent twice it changes nothing."""
    mailbox = get_object_or_404(Mailbox, pk=pk)
    deletion = ended_deletion(DeletionKind.MAILBOX, request.GET.get("deletion", ""))
    if deletion.key != mailbox.address:
        raise Http404
    context: dict[str, Any] = {
        "crumbs": crumbs(mailbox),
        "mailbox": mailbox,
        "deletion": deletion,
        "sections": settings_told(deletion.dossier),
        "restored": None,
    }
    if request.method == "POST":
        restored = services.restore_settings(mailbox=mailbox, facts=deletion.dossier)
        context["restored"] = restored
    return render_page(request, "mailboxes/mailbox_restore.html", context)
