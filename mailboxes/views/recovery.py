"""Recovery methods. Their targets are personal, so they travel in POSTs and stand in no URL.

Whoever names one can set a new password at PurelyMail, so it asks again who they are, as that does.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST

from accounts.sessions.reauthentication import reauthentication_required
from mailboxes import services
from mailboxes.forms import RecoveryForm
from mailboxes.models import Mailbox
from mailboxes.services.settings import NotTakenError
from mailboxes.views.frame import crumbs, detail_page
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.http import Request, errors_on, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.purelymail.errors import UnknownOutcomeError


@admin_required
@reauthentication_required(keeps_form=False)
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
@cache_control(no_store=True)
def recovery_add(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    if request.method == "GET":
        return _form_page(request, mailbox, RecoveryForm())
    return _save(request, mailbox)


@admin_required
@reauthentication_required(keeps_form=False)
@rate_limited("ask")
@require_POST
@cache_control(no_store=True)
def recovery_edit(request: Request, pk: int) -> HttpResponse:
    """With `open` the form, filled with what the page knows of the method; else it is saved."""
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    if "open" in request.POST:
        return _form_page(request, mailbox, RecoveryForm(initial=request.POST.dict()))
    return _save(request, mailbox)


@admin_required
@rate_limited("ask")
@require_POST
@cache_control(no_store=True)
def recovery_remove(request: Request, pk: int) -> HttpResponse:
    """First the question, then with `confirmed` the removal of this one target."""
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    target = request.POST.get("target", "")
    if "confirmed" not in request.POST:
        context = {"crumbs": crumbs(mailbox), "mailbox": mailbox, "target": target}
        template = "mailboxes/recovery_remove.html"
        return render_page(request, template, context, fragment="question")
    try:
        settings = services.remove_recovery_method(mailbox=mailbox, target=target)
    except NotTakenError as error:
        return detail_page(request, mailbox, settings=error.settings, error=error.message)
    except PurelyManageError as error:
        return detail_page(request, mailbox, error=error.message)
    messages.success(request, _("%(target)s is no recovery method any more.") % {"target": target})
    return detail_page(request, mailbox, settings=settings)


def _save(request: Request, mailbox: Mailbox) -> HttpResponse:
    form = RecoveryForm(request.POST)
    if form.is_valid():
        method = form.method
        existing = form.cleaned_data["existing_target"]
        with errors_on(form):
            try:
                settings = services.save_recovery_method(
                    mailbox=mailbox, method=method, existing_target=existing
                )
            except NotTakenError as error:
                return detail_page(request, mailbox, settings=error.settings, error=error.message)
            except UnknownOutcomeError as error:
                return detail_page(request, mailbox, error=error.message)
            messages.success(request, _("%(target)s is saved.") % {"target": method.target})
            return detail_page(request, mailbox, settings=settings)
    return _form_page(request, mailbox, form)


def _form_page(request: Request, mailbox: Mailbox, form: RecoveryForm) -> HttpResponse:
    context = {
        "crumbs": crumbs(mailbox),
        "mailbox": mailbox,
        "form": form,
        "existing": form["existing_target"].value() or "",
        "is_part": wants_fragment(request),  # a page of its own has no live part to swap
    }
    status = 422 if form.errors else 200
    template = "mailboxes/recovery_form.html"
    return render_page(request, template, context, fragment="form", status=status)
