"""Ask before a deletion, and take a pending one back."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from purelymanage.core.addresses import shown_domain
from purelymanage.core.http import Request, errors_on, go_to, render_page, way_back
from purelymanage.core.paging import page_of
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.deletions import services
from purelymanage.deletions.forms import ConfirmForm
from purelymanage.deletions.impact import CONSEQUENCES, QUESTIONS, Impact
from purelymanage.deletions.models import DELAY, DeletionKind, PendingDeletion
from purelymanage.deletions.registry import deletable
from purelymanage.deletions.selectors import pending_deletion


def confirm_deletion(
    request: Request,
    *,
    kind: DeletionKind,
    key: str,
    impact: Impact,
    back: str,
    crumbs: Sequence[tuple[str, str]],
    must_type: str = "",
) -> HttpResponse:
    """What the view behind `<pk>/delete/` answers, for GET and POST; it wears the decorators.

    `back`: the list, where it leads once the deletion is pending; *Keep it* leads to the last of
    `crumbs`. `must_type`: the A-label of a domain that has to be typed. A page of its own; for
    htmx a dialog: `hx_get=delete_url hx_target="#question"`.

        @admin_required
        @require_http_methods(["GET", "POST"])
        def rule_delete(request: Request, pk: int) -> HttpResponse:
            rule = get_object_or_404(RoutingRule, pk=pk)
            return confirm_deletion(request, kind=DeletionKind.RULE, key=str(rule.purelymail_id), …)
    """
    label = deletable(kind).label(key)
    form = ConfirmForm(request.POST if request.method == "POST" else None, must_type=must_type)
    if form.is_valid():
        with errors_on(form):
            deletion = services.schedule_deletion(kind=kind, key=key)
            messages.success(request, _scheduled(deletion))
            return go_to(request, back)
    context = {
        "question": QUESTIONS[kind] % {"label": label},
        "consequence": CONSEQUENCES[kind],
        "impact": impact,
        "form": form,
        "must_type": shown_domain(must_type),
        "due_at": timezone.now() + DELAY,
        "keep_url": crumbs[-1][1] if crumbs else back,
        "crumbs": crumbs,
        "deletion": pending_deletion(kind, key),
    }
    status = 422 if form.errors else 200
    template = "deletions/confirm.html"
    return render_page(request, template, context, fragment="question", status=status)


def _scheduled(deletion: PendingDeletion) -> str:
    due = date_format(timezone.localtime(deletion.due_at), "j F, H:i")
    return _("%(label)s will be deleted on %(due)s. Any admin can cancel until then.") % {
        "label": deletion.label,
        "due": due,
    }


@viewer_required
@require_GET
def deletion_list(request: Request) -> HttpResponse:
    rows = PendingDeletion.objects.pending().defer("dossier")
    context = {"page": page_of(rows, request.GET.get("page"))}
    return render_page(request, "deletions/deletion_list.html", context)


@admin_required
@require_POST
def deletion_cancel(request: Request, pk: int) -> HttpResponse:
    deletion = get_object_or_404(PendingDeletion, pk=pk)
    services.cancel_deletion(deletion=deletion)
    messages.success(request, _("%(label)s is kept.") % {"label": deletion.label})
    return go_to(request, way_back(request))
