"""Deletions: an alarm about many, those that fail, those that are due."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.selectors import Deletions
from purelymanage.deletions.models import Alarm, PendingDeletion
from purelymanage.ui.tags.atoms import shown
from purelymanage.ui.tags.words import duration


def alarm(raised: Alarm, user: User | None) -> Item:
    may_freeze = user is not None and user.is_owner and user.pk != raised.person_id
    return Item(
        key=f"alarm-{raised.person_id}",
        tone="bad",
        icon="siren",
        title=_("%(name)s has scheduled many deletions") % {"name": raised.person_name},
        text=_(
            "Nothing is touched before its time. An owner can freeze them, which cancels all of it "
            "and ends their sessions."
        ),
        url=reverse("deletions:freeze", args=[raised.person_id])
        if may_freeze
        else reverse("deletions:list"),
        action=_("Freeze…") if may_freeze else _("See them"),
    )


def pending(deletions: Deletions) -> list[Item]:
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
