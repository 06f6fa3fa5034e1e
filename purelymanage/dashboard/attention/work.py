"""Migrations that did not end well, and bulk work that waits for a person."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailboxes.batches.selectors import Waiting
from migrations_app.engines.causes import Cause
from migrations_app.models import Batch, HostLimits, State, TemporaryPassword
from purelymanage.core.addresses import shown_address
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.selectors import Alike
from purelymanage.ui.tags.words import clock_time


def batch(waiting: Waiting) -> Item:
    return Item(
        key=f"batch-{waiting.batch.pk}",
        tone="warn",
        icon="mail",
        title=waiting.title,
        text=waiting.text,
        url=reverse("mailboxes:batches:detail", args=[waiting.batch.pk]),
        action=_("Decide") if waiting.batch.is_running else _("Download"),
    )


def closed_host(limits: HostLimits) -> Item:
    """No migration with it starts, until its time is up or a person opens it."""
    words = {"host": limits.host, "time": clock_time(limits.closed_until)}
    return Item(
        key=f"host-{limits.pk}",
        tone="warn",
        icon="ban",
        title=_("Migrations with %(host)s wait until %(time)s") % words,
        text=limits.closed_because,
        url=reverse("migration_settings:limits"),
        action=_("See the host"),
    )


def held_batch(held: Batch) -> Item:
    """It does not go on with one host until its time is up or a person resumes it."""
    words = {"batch": held, "host": held.held_host, "time": clock_time(held.held_until)}
    return Item(
        key=f"held-{held.pk}",
        tone="warn",
        icon="pause",
        title=_("“%(batch)s” with %(host)s waits until %(time)s") % words,
        text=held.held_because,
        url=reverse("migrations:batch", args=[held.pk]),
        action=_("See the batch"),
    )


def app_passwords(left: list[TemporaryPassword]) -> list[Item]:
    """Those that nobody knows, and those that a day of tries did not revoke."""
    lost = [row for row in left if row.made_at is None]
    unrevoked = [row for row in left if row.made_at is not None]
    return [*_lost_app_passwords(lost), *_unrevoked_app_passwords(unrevoked)]


def _lost_app_passwords(lost: list[TemporaryPassword]) -> list[Item]:
    if not lost:
        return []
    title = ngettext(
        "An app password that nobody knows may exist for %(address)s",
        "App passwords that nobody knows may exist for %(count)d mailboxes",
        len(lost),
    )
    return [
        Item(
            key="app-passwords-lost",
            tone="warn",
            icon="key-round",
            title=title % {"address": shown_address(lost[0].address), "count": len(lost)},
            text=_("PurelyMail's answer was lost. Remove it on PurelyMail's web page."),
            url=reverse("migrations:temporary_passwords"),
            action=_("See which"),
        )
    ]


def _unrevoked_app_passwords(unrevoked: list[TemporaryPassword]) -> list[Item]:
    if not unrevoked:
        return []
    first = unrevoked[0]
    title = ngettext(
        "A temporary app password of %(address)s could not be revoked for a day",
        "%(count)d temporary app passwords could not be revoked for a day",
        len(unrevoked),
    )
    return [
        Item(
            key="app-passwords-unrevoked",
            tone="bad",
            icon="key-round",
            title=title % {"address": shown_address(first.address), "count": len(unrevoked)},
            text=_("%(problem)s It is tried again by itself.") % {"problem": first.problem},
            url=reverse("migrations:temporary_passwords"),
            action=_("See why"),
        )
    ]


def failed_jobs(group: Alike) -> Item:
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
