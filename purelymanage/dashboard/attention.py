"""What a person should look at, worst first, each with its one action."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from audit.models import Verification
from domains.models import Kind, SyncState
from mailboxes.batches.selectors import Waiting
from migrations_app.engines.causes import Cause
from migrations_app.models import State
from purelymanage.core.addresses import shown_domain
from purelymanage.dashboard.credit import Credit
from purelymanage.dashboard.selectors import Alike, Deletions, Failing, Home, PerDomain
from purelymanage.deletions.models import Alarm, PendingDeletion
from purelymanage.jobs.health import LATE_SECONDS
from purelymanage.ui.tags.atoms import shown
from purelymanage.ui.tags.words import clock_time, duration

TOP_UP = "https://purelymail.com/manage"
DOMAINS_SHOWN = 4
SEVERITY = {"bad": 0, "warn": 1, "info": 2}
LISTS = {
    Kind.DOMAINS: "domains:list",
    Kind.MAILBOXES: "mailboxes:list",
    Kind.RULES: "routing:list",
}


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


def needs_attention(home: Home, *, user: User | None = None) -> list[Item]:
    """Everything wrong, the worst first, with what `user` can do about it."""
    items = [
        *_audit_log(home.log_checked),
        *(_alarm(alarm, user) for alarm in home.alarms),
        *_workers(home.worker_silence),
        *_outage(list(home.copy.values())),
        *(_edit(domain) for domain in home.unfinished_edits),
        *_domains(home),
        *(_jobs(group) for group in home.migrations.failed_alike),
        *_resolver(home),
        *(_batch(waiting) for waiting in home.batches),
        *_truncated(list(home.copy.values())),
        *(_credit(home.credit) if home.credit else []),
        *_deletions(home.deletions),
        *_unchecked(home),
    ]
    return sorted(items, key=lambda item: SEVERITY[item.tone])


def _audit_log(checked: Verification | None) -> list[Item]:
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


def _alarm(alarm: Alarm, user: User | None) -> Item:
    may_freeze = user is not None and user.is_owner and user.pk != alarm.person_id
    return Item(
        key=f"alarm-{alarm.person_id}",
        tone="bad",
        icon="siren",
        title=_("%(name)s has scheduled many deletions") % {"name": alarm.person_name},
        text=_(
            "Nothing is touched before its time. An owner can freeze them, which cancels all of it "
            "and ends their sessions."
        ),
        url=reverse("deletions:freeze", args=[alarm.person_id])
        if may_freeze
        else reverse("deletions:list"),
        action=_("Freeze…") if may_freeze else _("See them"),
    )


def _workers(silence: float | None) -> list[Item]:
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


def _outage(states: list[SyncState]) -> list[Item]:
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


def _truncated(states: list[SyncState]) -> list[Item]:
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


def _edit(domain: PerDomain) -> Item:
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


def _resolver(home: Home) -> list[Item]:
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


def _domains(home: Home) -> list[Item]:
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


def _unchecked(home: Home) -> list[Item]:
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


def _batch(waiting: Waiting) -> Item:
    return Item(
        key=f"batch-{waiting.batch.pk}",
        tone="warn",
        icon="mail",
        title=waiting.title,
        text=waiting.text,
        url=reverse("mailboxes:batches:detail", args=[waiting.batch.pk]),
        action=_("Decide") if waiting.batch.is_running else _("Download"),
    )


def _deletions(deletions: Deletions) -> list[Item]:
    items = []
    if deletions.last_failed:
        items.append(_failed_deletions(deletions.last_failed, deletions.failed))
    if failing := [row for row in deletions.shown if row.problem]:
        items.append(_failing_deletion(failing[0]))
    if deletions.shown:
        items.append(_due_deletions(deletions.shown[0], deletions.total))
    return items


def _failed_deletions(last: PendingDeletion, number: int) -> Item:
    title = ngettext("%(count)d deletion was given up", "%(count)d deletions were given up", number)
    return Item(
        key="deletions-failed",
        tone="bad",
        icon="circle-x",
        title=title % {"count": number},
        text=f"{shown(last.label)}: {last.note}",
        url=f"{reverse('deletions:list')}?tab=history&state=failed",
        action=_("See why"),
    )


def _failing_deletion(row: PendingDeletion) -> Item:
    return Item(
        key="deletions-failing",
        tone="warn",
        icon="triangle-alert",
        title=_("The deletion of %(label)s has not worked yet") % {"label": shown(row.label)},
        text=_("%(problem)s It is tried again by itself.") % {"problem": row.problem},
        url=reverse("deletions:detail", args=[row.pk]),
        action=_("See it"),
    )


def _due_deletions(first: PendingDeletion, number: int) -> Item:
    left = (first.due_at - timezone.now()).total_seconds()
    title = ngettext(
        "%(count)d deletion is due within 24 hours",
        "%(count)d deletions are due within 24 hours",
        number,
    )
    when = _("in %(time)s") % {"time": duration(left)} if left > 0 else _("now")
    words = {"label": shown(first.label), "when": when}
    return Item(
        key="deletions",
        tone="warn",
        icon="clock",
        title=title % {"count": number},
        text=_("The next one, %(label)s, %(when)s.") % words,
        url=reverse("deletions:list"),
        action=_("Review"),
    )


def _jobs(group: Alike) -> Item:
    """Jobs that ended alike: one by its name and verdict, several by their number and names."""
    first, is_one = group.jobs[0], group.total == 1
    reason = Cause(first.cause).label if first.cause in Cause else _("no reason recorded")
    words = {"count": group.total, "reason": reason, "name": first.name}
    is_partial = first.state == State.DONE_WITH_ERRORS
    names = [job.name for job in group.jobs]
    more = group.total - len(names)
    if more:
        names.append(_("%(count)d more") % {"count": more})
    query = urlencode({"state": first.state})
    return Item(
        key=f"jobs-{first.state}-{first.cause or 'unknown'}",
        tone="warn" if is_partial else "bad",
        icon="triangle-alert" if is_partial else "circle-x",
        title=_how_they_ended(group.total, is_partial=is_partial) % words,
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
