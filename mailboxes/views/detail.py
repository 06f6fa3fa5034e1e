"""One mailbox: what the copy knows, and on demand what PurelyMail says of it now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from mailboxes import services
from mailboxes.models import Mailbox
from mailboxes.services.settings import NAMES, NoRecoveryError, NotTakenError
from mailboxes.views.frame import detail_page
from purelymanage.core.errors import InvalidError, PurelyManageError
from purelymanage.core.http import Request
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required


@viewer_required
@require_GET
def mailbox_detail(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    return detail_page(request, mailbox)


@admin_required
@rate_limited("ask")
@require_POST
@cache_control(no_store=True)
def settings_read(request: Request, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    try:
        settings = services.read_settings(mailbox=mailbox)
    except PurelyManageError as error:
        return detail_page(request, mailbox, error=error.message)
    return detail_page(request, mailbox, settings=settings)


@admin_required
@rate_limited("ask")
@require_POST
@cache_control(no_store=True)
def setting_change(request: Request, pk: int) -> HttpResponse:
    """One switch: the answer shows what PurelyMail says afterwards, also when it did not obey."""
    mailbox = get_object_or_404(Mailbox.objects.select_related("domain"), pk=pk)
    name, value = request.POST.get("setting", ""), bool(request.POST.get("value"))
    if name not in NAMES:
        raise InvalidError(_("There is no such setting. Load the page again."))
    try:
        settings = services.change_settings(
            mailbox=mailbox,
            accepts_lockout=bool(request.POST.get("accepts_lockout")),
            **{name: value},
        )
    except NoRecoveryError as error:
        return detail_page(request, mailbox, settings=error.settings, asks_lockout=True)
    except NotTakenError as error:
        return detail_page(
            request, mailbox, settings=error.settings, error=error.message, cure=error.setting
        )
    except PurelyManageError as error:
        return detail_page(request, mailbox, error=error.message)
    words = _("%(setting)s is on.") if value else _("%(setting)s is off.")
    label = str(NAMES[name])
    messages.success(request, words % {"setting": label[0].upper() + label[1:]})
    return detail_page(request, mailbox, settings=settings)
