"""What the audit page needs to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry, EntryQuerySet, Outcome

LOOKS = {
    Outcome.Result.OK: ("ok", "circle-check"),
    Outcome.Result.REFUSED: ("warn", "ban"),
    Outcome.Result.FAILED: ("bad", "circle-x"),
}


@dataclass(frozen=True)
class Filters:
    """What the toolbar asks for; an empty one does not narrow."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: date | None = None
    until: date | None = None


def entries(filters: Filters) -> EntryQuerySet:
    """The matching entries, newest first, each with its outcome."""
    found = Entry.objects.newest_first()
    if filters.actor:
        found = found.filter(actor_name__icontains=filters.actor)
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.target:
        found = found.filter(target__icontains=filters.target)
    if filters.since:
        found = found.filter(at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(at__lt=_midnight(filters.until + timedelta(days=1)))
    return found


@dataclass(frozen=True)
class Fact:
    """One thing before and after; an empty text where it was not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Row:
    """One entry with its verdict and its facts."""

    entry: Entry
    tone: str
    icon: str
    word: str
    reason: str
    facts: list[Fact]


def rows(found: Iterable[Entry]) -> list[Row]:
    """The entries of a page as the table shows them."""
    return [_row(entry) for entry in found]


def _row(entry: Entry) -> Row:
    outcome: Outcome | None = getattr(entry, "outcome", None)
    if outcome is not None:
        tone, icon = LOOKS[Outcome.Result(outcome.result)]
        word, reason = outcome.get_result_display(), outcome.reason
    elif entry.is_interrupted:
        tone, icon, word = "warn", "unplug", _("Interrupted")
        reason = _("The end is not on record. Look at the target to see what became of it.")
    else:
        tone, icon, word, reason = "info", "loader", _("In progress"), ""
    return Row(entry, tone, icon, str(word), str(reason), _facts(entry, outcome))


def _facts(entry: Entry, outcome: Outcome | None) -> list[Fact]:
    """Before and after side by side; what was found at the end wins over what was intended."""
    after = {**entry.after, **(outcome.after if outcome else {})}
    return [
        Fact(name.replace("_", " "), _words(entry.before.get(name)), _words(after.get(name)))
        for name in dict.fromkeys([*entry.before, *after])
    ]


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return str(value)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
