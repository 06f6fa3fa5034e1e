"""What a person should look at, worst first, each with its one action."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from domains.models import Domain, SyncState
from migrations_app.engines.causes import Cause
from migrations_app.models import MigrationJob, State
from purelymanage.dashboard.credit import Credit
from purelymanage.dashboard.selectors import Home

TOP_UP = "https://purelymail.com/manage"
DOMAINS_SHOWN = 4
NAMES_SHOWN = 3
SEVERITY = {"bad": 0, "warn": 1}


@dataclass(frozen=True)
class Item:
    """One line of the list; `key` keeps the focus when the list refreshes."""

    key: str
    tone: str
    icon: str
    title: str
    text: str
    url: str = ""
    action: str = ""


def needs_attention(home: Home) -> list[Item]:
    """Everything wrong, the worst first."""
    items = [
        *_outage(list(home.copy.values())),
        *_domains(home.failing_domains),
        *_migrations(home),
        *(_credit(home.credit) if home.credit else []),
    ]
    return sorted(items, key=lambda item: SEVERITY[item.tone])


def _outage(states: list[SyncState]) -> list[Item]:
    failing = [(state.failed_since, state) for state in states if state.failed_since]
    if not failing:
        return []
    _since, state = min(failing, key=lambda pair: pair[0])
    words = {"time": state.failed_clock, "kind": state}
    title = (
        _("PurelyMail has not answered since %(time)s") % words
        if state.is_outage
        else _("The copy of the %(kind)s is not current since %(time)s") % words
    )
    return [
        Item(
            key="outage",
            tone="bad",
            icon="cloud-off",
            title=title,
            text=_("%(error)s All lists show the last copy.") % {"error": state.error},
            url=reverse("accounts:purelymail"),
            action=_("Check the connection"),
        )
    ]


def _domains(failing: list[Domain]) -> list[Item]:
    items = [_domain(domain) for domain in failing[:DOMAINS_SHOWN]]
    more = len(failing) - DOMAINS_SHOWN
    if more > 0:
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
                text=_("As PurelyMail last saw their records."),
                url=reverse("domains:list"),
                action=_("See all"),
            )
        )
    return items


def _domain(domain: Domain) -> Item:
    failing = domain.failing
    if failing == ["DMARC"]:
        text = _(
            "Either its record is missing, or the domain has a policy of its own, which works."
        )
    elif "MX" in failing:
        text = _("Mail sent to it may not arrive at PurelyMail.")
    else:
        text = _("Mail you send from it may be marked as spam.")
    return Item(
        key=f"domain-{domain.pk}",
        tone="warn" if failing == ["DMARC"] else "bad",
        icon="triangle-alert" if failing == ["DMARC"] else "circle-x",
        title=_("%(domain)s fails %(checks)s")
        % {"domain": domain.name, "checks": get_text_list(failing, _("and"))},
        text=text,
        url=f"{reverse('domains:list')}?{urlencode({'q': domain.name})}",
        action=_("See verdicts"),
    )


def _migrations(home: Home) -> list[Item]:
    return [_jobs(jobs) for jobs in home.migrations.failed_alike]


def _jobs(jobs: list[MigrationJob]) -> Item:
    """Jobs that ended alike: one by its name and verdict, several by their number and names."""
    first, is_one = jobs[0], len(jobs) == 1
    reason = Cause(first.cause).label if first.cause in Cause else _("no reason recorded")
    words = {"count": len(jobs), "reason": reason, "name": first.name}
    is_partial = first.state == State.DONE_WITH_ERRORS
    names = [job.name for job in jobs[:NAMES_SHOWN]]
    more = len(jobs) - len(names)
    if more:
        names.append(_("%(count)d more") % {"count": more})
    query = urlencode({"state": first.state})
    return Item(
        key=f"jobs-{first.state}-{first.cause or 'unknown'}",
        tone="warn" if is_partial else "bad",
        icon="triangle-alert" if is_partial else "circle-x",
        title=_how_they_ended(len(jobs), is_partial=is_partial) % words,
        text=first.verdict if is_one else get_text_list(names, _("and")),
        url=reverse("migrations:detail", args=[first.pk])
        if is_one
        else f"{reverse('migrations:list')}?{query}",
        action=_("See why"),
    )


def _how_they_ended(count: int, *, is_partial: bool) -> str:
    if is_partial:
        return ngettext(
            "%(name)s finished with errors: %(reason)s",
            "%(count)d migrations finished with errors: %(reason)s",
            count,
        )
    return ngettext(
        "%(name)s did not finish: %(reason)s",
        "%(count)d migrations did not finish: %(reason)s",
        count,
    )


def _credit(credit: Credit) -> list[Item]:
    if credit.tone == "ok":
        return []
    left = credit.days_left
    title = (
        _("The account credit is low")
        if left is None
        else ngettext(
            "Credit lasts about %(count)d more day", "Credit lasts about %(count)d more days", left
        )
        % {"count": left}
    )
    return [
        Item(
            key="credit",
            tone=credit.tone,
            icon="wallet",
            title=title,
            text=_("%(amount)s USD left. Topping up happens at PurelyMail.")
            % {"amount": f"{credit.amount:.2f}"},
            url=TOP_UP,
            action=_("Top up"),
        )
    ]
