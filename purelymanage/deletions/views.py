"""Take a pending deletion back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from purelymanage.core.http import Request, go_to, way_back
from purelymanage.core.permissions import admin_required
from purelymanage.deletions import services
from purelymanage.deletions.models import PendingDeletion


@admin_required
@require_POST
def deletion_cancel(request: Request, pk: int) -> HttpResponse:
    deletion = get_object_or_404(PendingDeletion, pk=pk)
    services.cancel_deletion(deletion=deletion)
    messages.success(request, _("%(label)s is kept.") % {"label": deletion.label})
    return go_to(request, way_back(request))
