"""The list, and its export."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from domains.lists import render_list
from domains.models import Kind
from mailboxes import selectors, services
from mailboxes.batches.selectors import unfinished_batches
from mailboxes.models import MailboxQuerySet
from purelymanage.core.http import Request
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.core.tables import csv_response


@viewer_required
@require_GET
def mailbox_list(request: Request) -> HttpResponse:
    wanted = selectors.mailbox_filter(request)
    listed = selectors.mailbox_list(wanted)
    template = "mailboxes/mailbox_list.html"
    states = [("", _("Any state")), ("active", _("Active")), ("pending", _("Deletion pending"))]
    return render_list(
        request,
        template,
        wanted=wanted,
        listed=listed,
        kind=Kind.MAILBOXES,
        state_choices=states if listed.total else [],
        unfinished=unfinished_batches(),
    )


@viewer_required
@rate_limited("export", also_get=True)
@require_GET
def mailbox_export(request: Request) -> StreamingHttpResponse:
    """All that the filter matches. Whoever may read the list may take it along."""
    wanted = selectors.mailbox_filter(request)
    return _csv(selectors.matching_mailboxes(wanted), filter=wanted.query)


@admin_required
@rate_limited("export")
@require_POST
def mailbox_export_selected(request: Request) -> StreamingHttpResponse:
    """What is ticked, or all that the filter matches. Only admins see boxes to tick."""
    everything = selectors.mailbox_filter(request).query if request.POST.get("everything") else ""
    return _csv(selectors.chosen_mailboxes(request), filter=everything)


def _csv(mailboxes: MailboxQuerySet, *, filter: str) -> StreamingHttpResponse:  # noqa: A002  what it is
    services.note_export(mailboxes.count(), filter=filter)
    name = f"mailboxes-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(name, selectors.EXPORT_COLUMNS, selectors.export_rows(mailboxes))
