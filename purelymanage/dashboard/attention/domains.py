"""Domains whose DNS fails, or whose routing is half changed."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.addresses import shown_domain
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.selectors import Failing, Home, PerDomain

DOMAINS_SHOWN = 4


def unfinished_edit(domain: PerDomain) -> Item:
    return Item(
        key=f"edit-{domain.pk}",
        tone="bad",
        icon="split",
        title=_("A changed routing rule of %(domain)s is not at its end")
        % {"domain": shown_domain(domain.name)},
        text=domain.edit_problem
        or _("It goes on by itself; until then its mail may go the old way."),
        url=f"{reverse('routing:list')}?{urlencode({'domain': domain.name})}",
        action=_("See the rules"),
    )


def failing(home: Home) -> list[Item]:
    shown = [entry for entry in home.failing if entry.names][:DOMAINS_SHOWN]
    items = [_domain(entry) for entry in shown]
    more = home.failing_count - len(shown)
    if shown and more > 0:
        title = ngettext(
            "%(count)d more domain fails a DNS check",
            "%(count)d more domains fail a DNS check",
            more,
        )
        items.append(
            Item(
                key="domains",
                tone=items[-1].tone,
                icon="circle-x",
                title=title % {"count": more},
                text=_("As PurelyMail and we last saw their records."),
                url=f"{reverse('domains:list')}?state=failing",
                action=_("See all"),
            )
        )
    return items


def _domain(entry: Failing) -> Item:
    names = entry.names
    is_mild = names == ["DMARC"]
    if is_mild:
        text = _("Nobody is told what to do with mail that only claims to come from it.")
    elif "MX" in names:
        text = _("Mail sent to it may not arrive at PurelyMail.")
    else:
        text = _("Mail you send from it may be marked as spam.")
    return Item(
        key=f"domain-{entry.domain.pk}",
        tone="warn" if is_mild else "bad",
        icon="triangle-alert" if is_mild else "circle-x",
        title=_("%(domain)s fails %(checks)s")
        % {
            "domain": shown_domain(entry.domain.name),
            "checks": get_text_list(names, _("and")),
        },
        text=text,
        url=reverse("domains:detail", args=[entry.domain.pk]),
        action=_("See records"),
    )


def unchecked(home: Home) -> list[Item]:
    number = home.unchecked_count
    if not number:
        return []
    title = ngettext(
        "%(count)d domain has never been checked",
        "%(count)d domains have never been checked",
        number,
    )
    return [
        Item(
            key="unchecked",
            tone="info",
            icon="clock",
            title=title % {"count": number},
            text=_("Their turn comes by itself, 20 at a time, every 5 minutes."),
            url=f"{reverse('domains:list')}?state=unchecked",
            action=_("See them"),
        )
    ]
