"""What stands around every page of one domain: its head, its tabs, a deletion that waits."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from domains import selectors
from domains.checks import with_health
from domains.freshness import viewed
from domains.models import Domain, Kind
from purelymanage.core.addresses import shown_domain
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletion

Tab = tuple[str, str, bool, int | None]


def domain_or_404(pk: int, *, with_dns: bool = False) -> Domain:
    """The domain, with how many mailboxes and rules hang on it; or with what DNS says, too."""
    rows = selectors.counted(Domain.objects.all())
    return get_object_or_404(with_health(rows) if with_dns else rows, pk=pk)


def frame_of(domain: Domain, tab: str) -> dict[str, Any]:
    """The context that `domains/domain_base.html` needs; `tab` is the current one."""
    return {
        "domain": domain,
        "crumbs": crumbs(),
        "now": timezone.now(),
        "tab_items": _tabs(domain, tab),
        "copy": viewed(Kind.DOMAINS),
        "deletion": pending_deletion(DeletionKind.DOMAIN, domain.name),
    }


def crumbs(domain: Domain | None = None) -> list[tuple[str, str]]:
    """The parents of a page: the list, and for a page about a domain that one."""
    links = [(_("Domains"), reverse("domains:list"))]
    if domain:
        links.append((shown_domain(domain.name), reverse("domains:detail", args=[domain.pk])))
    return links


def _tabs(domain: Domain, current: str) -> list[Tab]:
    def own(name: str, label: str) -> Tab:
        return (label, reverse(f"domains:{name}", args=[domain.pk]), name == current, None)

    def filtered(name: str, label: str, number: int) -> Tab:
        return (label, f"{reverse(name)}?{urlencode({'domain': domain.name})}", False, number)

    mailboxes: int = domain.mailbox_count  # type: ignore[attr-defined]  # annotated by `counted`
    rules: int = domain.rule_count  # type: ignore[attr-defined]
    hanging = [
        filtered("mailboxes:list", _("Mailboxes"), mailboxes),
        filtered("routing:list", _("Routing"), rules),
    ]
    if domain.is_shared:
        return [own("detail", _("Domain")), *hanging]
    return [
        own("detail", _("DNS records")),
        own("settings", _("Settings")),
        *hanging,
        own("history", _("History")),
    ]
