"""Migrations that did not end well, and bulk work that waits for a person."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailboxes.batches.selectors import Waiting
from migrations_app.engines.causes import Cause
from migrations_app.models import State
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.selectors import Alike


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
