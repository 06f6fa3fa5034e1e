"""Freeze a person, see what that did, and undo it: owners alone may."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.paging import page_of
from purelymanage.core.permissions import owner_required, viewer_required
from purelymanage.deletions import freezing
from purelymanage.deletions.models import Freeze


@owner_required
@reauthentication_required
@require_http_methods(["GET", "POST"])
def freeze(request: Request, pk: int) -> HttpResponse:
    """Asks, showing all that would happen, and does it."""
    person = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        done = freezing.freeze_person(person=person, after=request.POST.get("after", ""))
        return go_to(request, reverse("deletions:frozen", args=[done.pk]))
    context = {"prospect": freezing.prospect(person=person), "crumbs": _crumbs()}
    return render_page(request, "deletions/freeze.html", context)


@viewer_required
@require_GET
def freeze_list(request: Request) -> HttpResponse:
    """Every freeze, the latest first."""
    page = page_of(Freeze.objects.all(), request.GET.get("page"))
    context = {"page": page, "crumbs": _crumbs()}
    return render_page(request, "deletions/freeze_list.html", context)


@viewer_required
@require_GET
def freeze_detail(request: Request, pk: int) -> HttpResponse:
    """What a freeze did, and the way to undo it."""
    done = get_object_or_404(Freeze.objects.select_related("person"), pk=pk)
    context = {
        "freeze": done,
        "page": page_of(freezing.cancelled_by(done), request.GET.get("page")),
        "crumbs": [*_crumbs(), (_("Freezes"), reverse("deletions:freezes"))],
    }
    return render_page(request, "deletions/freeze_detail.html", context)


@owner_required
@reauthentication_required
@rate_limited("write")
@require_POST
def freeze_undo(request: Request, pk: int) -> HttpResponse:
    done = get_object_or_404(Freeze.objects.select_related("person"), pk=pk)
    restored = freezing.undo_freeze(freeze=done)
    words = ngettext(
        "The freeze of %(name)s is undone. %(count)d deletion waits again, for 24 hours from now.",
        "The freeze of %(name)s is undone. %(count)d deletions wait again, for 24 hours from now.",
        restored,
    )
    messages.success(request, words % {"name": done.person_name, "count": restored})
    return go_to(request, reverse("deletions:frozen", args=[done.pk]))


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Deletions"), reverse("deletions:list"))]
