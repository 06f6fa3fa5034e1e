"""Ask before a deletion, show what waits and what became of it, and take a pending one back."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import push_url, reswap

from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import InvalidError, RefusedError
from purelymanage.core.http import (
    Request,
    errors_on,
    go_to,
    render_page,
    wants_fragment,
    way_back,
)
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.deletions import services
from purelymanage.deletions.forms import ConfirmForm
from purelymanage.deletions.impact import CONSEQUENCES, QUESTIONS, Impact
from purelymanage.deletions.lists import (
    HISTORY,
    LOOKS,
    Listing,
    Wanted,
    chosen,
    lines_of,
    listing,
)
from purelymanage.deletions.models import DELAY, DeletionKind, PendingDeletion
from purelymanage.deletions.registry import deletable, recreate_url, told
from purelymanage.deletions.selectors import pending_deletion
from purelymanage.ui.tags.atoms import shown

REFUSALS_TOLD = 3


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
    data = request.POST if request.method == "POST" else None
    form = ConfirmForm(data, key=key, must_type=must_type)
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
        "about": key,
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
    """What waits, or what became of the rest. Rows that are on show ask again by themselves."""
    wanted = Wanted.of(request)
    listed = listing(wanted)
    names = sorted({*(asker.name for asker in listed.people), wanted.who} - {""})
    context = {
        "wanted": wanted,
        "listed": listed,
        "page": listed.page,
        "tabs": _tabs(request, listed),
        "kind_choices": [("", _("All kinds")), *DeletionKind.choices],
        "state_choices": [("", _("Any end")), *((key, look.word) for key, look in LOOKS.items())],
        "people_choices": [("", _("Anybody")), *((name, name) for name in names)],
        "is_fragment": wants_fragment(request),
    }
    known = request.headers.get("Known-Rows")
    if known == listed.token:
        return reswap(render(request, "deletions/times_left.html", context), "none")
    response = render_page(request, "deletions/deletion_list.html", context, fragment="rows")
    if wants_fragment(request) and not known:
        push_url(response, wanted.url)
    return response


def _tabs(request: Request, listed: Listing) -> list[tuple[str, str, bool, int | None]]:
    url = reverse("deletions:list")
    return [
        (_("Pending"), url, not listed.is_history, listed.pending),
        (_("History"), f"{url}?tab={HISTORY}", listed.is_history, listed.ended),
    ]


@viewer_required
@require_GET
def deletion_detail(request: Request, pk: int) -> HttpResponse:
    """The dossier. While it is pending the page asks by itself how it stands."""
    deletion = get_object_or_404(PendingDeletion, pk=pk)
    known = request.headers.get("Known-State", deletion.state)
    if wants_fragment(request) and known != deletion.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return _dossier(request, deletion)


def _dossier(request: Request, deletion: PendingDeletion, *, problem: str = "") -> HttpResponse:
    """`problem` is what kept something from being done to it."""
    [line] = lines_of([deletion])
    label = shown(deletion.label)
    sections = [section.seen_by(request.user) for section in told(deletion)]
    context = {
        "crumbs": [(_("Deletions"), reverse("deletions:list"))],
        "deletion": deletion,
        "line": line,
        "label": label,
        "filled": [section for section in sections if section.is_filled],
        "hollow": [section for section in sections if not section.is_filled],
        "problem": problem,
        "can_recreate": line.is_lost and bool(recreate_url(deletion)),
        "audit_url": f"{reverse('audit:list')}?{urlencode({'target': label})}",
    }
    status = 409 if problem else 200
    template = "deletions/deletion_detail.html"
    return render_page(request, template, context, fragment="standing", status=status)


@admin_required
@require_POST
def deletion_cancel(request: Request, pk: int) -> HttpResponse:
    deletion = get_object_or_404(PendingDeletion, pk=pk)
    try:
        services.cancel_deletion(deletion=deletion)
    except RefusedError as error:
        if wants_fragment(request):
            raise  # told as a toast: no part of the dossier says it
        return _dossier(request, deletion, problem=error.message)
    words = {"label": shown(deletion.label)}
    if deletion.called_at:
        messages.warning(request, _may_be_gone() % words)
    else:
        messages.success(request, _("%(label)s is kept.") % words)
    return go_to(request, way_back(request, otherwise=reverse("deletions:list")))


def _may_be_gone() -> str:
    return _(
        "The deletion of %(label)s is cancelled, but PurelyMail was told of it before and did not "
        "say what it did: it may be gone. Refresh its list to see."
    )


@admin_required
@require_POST
def deletions_cancel(request: Request) -> HttpResponse:
    """Those that are ticked, or all that the filter in the query matches."""
    cancelled, refusals = services.cancel_deletions(deletions=chosen(request).defer("dossier"))
    number = len(cancelled)
    if number:
        words = ngettext(
            "%(number)s deletion is cancelled.", "%(number)s deletions are cancelled.", number
        )
        messages.success(request, words % {"number": f"{number:,}"})
    elif not refusals:
        raise InvalidError(_("Tick the deletions that are to be cancelled. Nothing was changed."))
    for deletion in [row for row in cancelled if row.called_at][:REFUSALS_TOLD]:
        messages.warning(request, _may_be_gone() % {"label": shown(deletion.label)})
    for refusal in refusals[:REFUSALS_TOLD]:
        messages.error(request, refusal)
    more = len(refusals) - REFUSALS_TOLD
    if more > 0:
        words = ngettext(
            "%(number)s more could not be cancelled.",
            "%(number)s more could not be cancelled.",
            more,
        )
        messages.error(request, words % {"number": f"{more:,}"})
    return go_to(request, reverse("deletions:list"))


@admin_required
@require_GET
def deletion_recreate(request: Request, pk: int) -> HttpResponse:
    """To the form that makes it again, filled in from the dossier."""
    deletion = get_object_or_404(PendingDeletion, pk=pk)
    [line] = lines_of([deletion])
    words = {"label": shown(deletion.label)}
    if deletion.is_pending:
        problem = _("%(label)s is still there: cancel its deletion, and it stays as it is.")
        return _dossier(request, deletion, problem=problem % words)
    url = recreate_url(deletion)
    if not (line.is_lost and url):
        problem = _("%(label)s was kept, so there is nothing to make again.")
        return _dossier(request, deletion, problem=problem % words)
    return go_to(request, url)
