"""A mailbox gets another address, or goes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mailboxes import deletable, selectors, services
from mailboxes.forms import AddressForm
from mailboxes.models import Mailbox
from mailboxes.views.frame import crumbs, outlook_of
from purelymanage.core.addresses import shown_address, split_address
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.views import confirm_deletion


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def mailbox_rename(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    old = mailbox.address
    local_part, domain = split_address(old)
    initial = {"local_part": local_part, "domain": domain}
    form = AddressForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        with errors_on(form):
            services.rename_mailbox(mailbox=mailbox, **form.cleaned_data)
            words = {"old": shown_address(old), "new": shown_address(mailbox.address)}
            messages.success(request, _("%(old)s is %(new)s now.") % words)
            return go_to(request, reverse("mailboxes:detail", args=[mailbox.pk]))
    context = {
        "crumbs": crumbs(mailbox),
        "mailbox": mailbox,
        "form": form,
        "around": selectors.surroundings(mailbox),
        "unfinished": selectors.unfinished_moves(mailbox),
        "outlook": outlook_of(request.POST) if form.is_bound else None,
    }
    status = 422 if form.errors else 200
    return render_page(request, "mailboxes/mailbox_rename.html", context, status=status)


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def mailbox_delete(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox, pk=pk)
    return confirm_deletion(
        request,
        kind=DeletionKind.MAILBOX,
        key=mailbox.address,
        impact=deletable.impact_of(mailbox),
        back=reverse("mailboxes:list"),
        crumbs=crumbs(mailbox),
    )
