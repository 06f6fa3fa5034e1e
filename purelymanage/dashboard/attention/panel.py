"""What is wrong with the panel itself, its copy of PurelyMail and the account's credit."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Verification
from domains.models import Kind, SyncState
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.credit import Credit
from purelymanage.dashboard.selectors import Home
from purelymanage.jobs.health import LATE_SECONDS
from purelymanage.jobs.models import WorkerHost
from purelymanage.ui.tags.words import clock_time, duration

TOP_UP = "https://purelymail.com/manage"
LISTS = {
    Kind.DOMAINS: "domains:list",
    Kind.MAILBOXES: "mailboxes:list",
    Kind.RULES: "routing:list",
}


def audit_log(checked: Verification | None) -> list[Item]:
    if checked is None or checked.verdict == Verification.Verdict.GOOD:
        return []
    is_tampered = checked.verdict == Verification.Verdict.TAMPERED
    return [
        Item(
            key="audit-log",
            tone="bad" if is_tampered else "warn",
            icon="shield-alert",
            title=_("The audit log was tampered with")
            if is_tampered
            else _("The audit log cannot be checked"),
            text=checked.sentence,
            url=reverse("audit:list"),
            action=_("See the log"),
        )
    ]


def workers(silence: float | None) -> list[Item]:
    if silence is not None and silence <= LATE_SECONDS:
        return []
    title = (
        _("No worker has ever run")
        if silence is None
        else _("No worker has been seen for %(time)s") % {"time": duration(silence)}
    )
    return [
        Item(
            key="workers",
            tone="bad",
            icon="unplug",
            title=title,
            text=_("Nothing is refreshed, checked or migrated until the workers run again."),
            url=reverse("accounts:about"),
            action=_("See the workers"),
        )
    ]


def withdrawn_worker(host: WorkerHost) -> Item:
    """Others do its jobs, until a person resumes it."""
    return Item(
        key=f"worker-{host.pk}",
        tone="warn",
        icon="server",
        title=_("The worker host %(host)s takes no migrations") % {"host": host},
        text=host.drained_because,
        url=reverse("migration_settings:limits"),
        action=_("See the worker hosts"),
    )


def outage(states: list[SyncState]) -> list[Item]:
    """An outage is one thing however many parts it hits; other failures are told apart."""
    since = sorted((state.failed_since, state.pk, state) for state in states if state.failed_since)
    failing = [state for _since, _pk, state in since]
    outages = [state for state in failing if state.is_outage]
    others = [state for state in failing if not state.is_outage]
    return [_not_current(state) for state in outages[:1] + others]


def _not_current(state: SyncState) -> Item:
    words = {"time": clock_time(state.failed_since), "kind": state}
    title = (
        _("PurelyMail has not answered since %(time)s") % words
        if state.is_outage
        else _("The copy of the %(kind)s is not current since %(time)s") % words
    )
    return Item(
        key="outage" if state.is_outage else f"copy-{state.pk}",
        tone="bad",
        icon="cloud-off",
        title=title,
        text=_("%(error)s All lists show the last copy.") % {"error": state.error},
        url=reverse("accounts:purelymail"),
        action=_("Check the connection"),
    )


def truncated(states: list[SyncState]) -> list[Item]:
    return [
        Item(
            key=f"truncated-{state.pk}",
            tone="warn",
            icon="triangle-alert",
            title=_("PurelyMail cuts its list of %(kind)s") % {"kind": state},
            text=_("It returns 1,000 at most, so there may be more than the panel knows."),
            url=reverse(LISTS[Kind(state.pk)]),
            action=_("See the list"),
        )
        for state in states
        if state.may_be_truncated and state.pk in LISTS
    ]


def resolver(home: Home) -> list[Item]:
    since = home.resolver_silent_since
    if since is None:
        return []
    return [
        Item(
            key="resolver",
            tone="warn",
            icon="cloud-off",
            title=_("Our DNS resolver has answered nothing since %(time)s")
            % {"time": clock_time(since)},
            text=_(
                "You see what was found before. Check DNS_RESOLVERS and this machine's network."
            ),
            url=reverse("domains:list"),
            action=_("See the domains"),
        )
    ]


def credit_low(credit: Credit) -> list[Item]:
    if credit.tone == "ok":
        return []
    left = credit.days_left
    if credit.amount <= 0:
        title = _("The account credit is used up")
    elif left is None:
        title = _("The account credit is low")
    else:
        title = ngettext(
            "Credit lasts about %(count)d more day", "Credit lasts about %(count)d more days", left
        ) % {"count": left}
    words = {"amount": credit.shown, "pace": credit.pace}
    text = (
        _("%(amount)s left at %(pace)s. Topping up happens at PurelyMail.")
        if credit.per_day
        else _("%(amount)s left. Topping up happens at PurelyMail.")
    )
    return [
        Item(
            key="credit",
            tone=credit.tone,
            icon="wallet",
            title=title,
            text=text % words,
            url=TOP_UP,
            action=_("Top up"),
        )
    ]
