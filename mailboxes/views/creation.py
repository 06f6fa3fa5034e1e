"""New mailboxes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from domains.models import Domain
from mailboxes import selectors, services
from mailboxes.dossiers import settings_of
from mailboxes.forms import MailboxForm
from mailboxes.models import Mailbox
from mailboxes.passwords import generate_password
from mailboxes.views.frame import crumbs, outlook_of
from purelymanage.core.addresses import split_address
from purelymanage.core.http import Request, errors_on, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.selectors import ended_deletion


@sensitive_post_parameters("password")
@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def mailbox_add(request: Request) -> HttpResponse:
    """The password is shown in the answer to the POST and is stored nowhere, so: no redirect.

    With a `deletion` in its address it makes a deleted mailbox again, with the settings it had.
    """
    template = "mailboxes/mailbox_add.html"
    deletion = _dossier_of(request)
    context: dict[str, Any] = {"crumbs": crumbs(), "outlook": None, "deletion": deletion}
    if request.method == "GET":
        initial = {"password": generate_password(), **_begun(request, deletion)}
        context["lost_domain"] = _lost_domain(deletion)
        return render_page(request, template, context | {"form": MailboxForm(initial=initial)})
    form = MailboxForm(request.POST)
    if form.is_valid():
        with errors_on(form):
            mailbox = services.create_mailbox(**form.cleaned_data)
            context |= {
                "mailbox": mailbox,
                "password": form.cleaned_data["password"],
                "taking": selectors.rule_taking_all(mailbox),
                "restored": _restored(mailbox, deletion),
            }
            return render_page(request, "mailboxes/mailbox_added.html", context)
    context |= {"form": form, "outlook": outlook_of(request.POST), "lost_domain": ""}
    return render_page(request, template, context, status=422)


def _dossier_of(request: Request) -> PendingDeletion | None:
    number = request.GET.get("deletion")
    return None if number is None else ended_deletion(DeletionKind.MAILBOX, number)


def _begun(request: Request, deletion: PendingDeletion | None) -> dict[str, Any]:
    """What the form begins with. The reset of passwords can be allowed with a password alone."""
    if deletion is None:
        return {"domain": request.GET.get("domain") or selectors.busiest_domain()}
    local_part, domain = split_address(deletion.key)
    allowed = settings_of(deletion.dossier).get("enable_password_reset", False)
    return {"local_part": local_part, "domain": domain, "enable_password_reset": allowed}


def _lost_domain(deletion: PendingDeletion | None) -> str:
    """The domain that has to be added before the mailbox can be made again."""
    domain = split_address(deletion.key)[1] if deletion else ""
    return "" if Domain.objects.ours().filter(name=domain).exists() else domain


def _restored(mailbox: Mailbox, deletion: PendingDeletion | None) -> services.Restored | None:
    """Another address than that of the dossier is another mailbox."""
    if deletion is None or deletion.key != mailbox.address:
        return None
    return services.restore_settings(mailbox=mailbox, facts=deletion.dossier)


@admin_required
@require_GET
def address_outlook(request: Request) -> HttpResponse:
    """What the copy knows of the address that is being typed; nothing until it is one."""
    return render(request, "mailboxes/outlook.html", {"outlook": outlook_of(request.GET)})
