"""What the pages of mailboxes share: crumbs, and the page of one with its live part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import reswap, retarget

from domains.freshness import viewed
from domains.models import Domain, Kind
from mailboxes import selectors
from mailboxes.models import Mailbox
from purelymanage.core.addresses import clean_local_part, shown_address
from purelymanage.core.http import Request, render_page, wants_fragment
from purelymanage.purelymail.types import RemoteUser

DETAIL = "mailboxes/mailbox_detail.html"


def crumbs(mailbox: Mailbox | None = None) -> list[tuple[str, str]]:
    """The parents of a page: the list, and the mailbox where it is about one."""
    parents = [(_("Mailboxes"), reverse("mailboxes:list"))]
    if mailbox:
        url = reverse("mailboxes:detail", args=[mailbox.pk])
        parents.append((shown_address(mailbox.address), url))
    return parents


def outlook_of(typed: Mapping[str, str]) -> selectors.Outlook | None:
    """What the copy knows of an address that is being typed; None until it is one of ours."""
    try:
        local_part = clean_local_part(typed.get("local_part", ""))
    except ValidationError:
        return None
    name = typed.get("domain", "").replace("\0", "")
    domain = Domain.objects.ours().filter(name=name).first()
    return selectors.outlook(local_part, domain) if domain else None


def detail_page(
    request: Request,
    mailbox: Mailbox,
    *,
    settings: RemoteUser | None = None,
    error: str = "",
    cure: str = "",
    asks_lockout: bool = False,
) -> HttpResponse:
    """The page of a mailbox, or for htmx its live part: `settings` as just read from PurelyMail.

    `error` is what kept a change from being made, `cure` the setting it was about;
    `asks_lockout` puts the question before a second factor without a recovery method.
    """
    context: dict[str, Any] = {
        "mailbox": mailbox,
        "settings": settings,
        "error": error,
        "cure": cure,
        "asks_lockout": asks_lockout,
    }
    is_part = wants_fragment(request)
    if not is_part:
        context |= {
            "crumbs": crumbs(),
            "around": selectors.surroundings(mailbox),
            "copy": viewed(Kind.MAILBOXES),
        }
    status = 422 if error or asks_lockout else 200
    response = render_page(request, DETAIL, context, fragment="live", status=status)
    if is_part:
        retarget(response, "#live")
        reswap(response, "outerHTML")
    return response
