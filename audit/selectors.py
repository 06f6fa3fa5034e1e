"""What the pages and files of the audit log need to know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.actions import LASTING
from audit.filters import Ending, Filters
from audit.models import PATIENCE, PATIENCE_WITH_LASTING, Entry, EntryQuerySet, Outcome
from audit.personal import reason_without_personal, without_personal
from purelymanage.core.addresses import shown_text
from purelymanage.core.paging import CappedPage, capped_page_of
from purelymanage.core.roles import Role, has_role

Reader = AbstractBaseUser
"""Whoever is shown the log: it depends on their role."""

LOOKS = {
    Ending.DONE: ("ok", "circle-check"),
    Ending.REFUSED: ("warn", "ban"),
    Ending.FAILED: ("bad", "circle-x"),
    Ending.INTERRUPTED: ("warn", "unplug"),
    Ending.IN_PROGRESS: ("info", "loader"),
}
ENDINGS = {
    Outcome.Result.OK: Ending.DONE,
    Outcome.Result.REFUSED: Ending.REFUSED,
    Outcome.Result.FAILED: Ending.FAILED,
}
KINDS = {
    "system": Entry.ActorKind.SYSTEM,
    "campaign": Entry.ActorKind.CAMPAIGN,
    "campaign link": Entry.ActorKind.CAMPAIGN,
}
"""Actors that are no people, as filters name them."""
EXPORT_CHUNK = 1000
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""A moment as it stands in the facts of an entry."""
NOT_IN_ROWS = [
    f"{table}{column}" for table in ("", "outcome__") for column in ("link", "mac", "key_id")
]
"""Columns the list does not show and that take time to read."""


def entries(filters: Filters) -> EntryQuerySet:
    """The matching entries, newest first, each with its outcome."""
    found = Entry.objects.newest_first().filter(_by(filters.actor), _on(filters.target))
    for word in filters.words:
        found = found.filter(_holds("actor_name", word) | _on(word))
    if filters.action:
        found = found.filter(action=filters.action)
    if filters.result:
        found = found.filter(_ended(Ending(filters.result)))
    if filters.since:
        found = found.filter(at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(at__lt=_midnight(filters.until + timedelta(days=1)))
    return found


def entry_page(filters: Filters, number: str | None) -> CappedPage:
    """One page of the matching entries."""
    return capped_page_of(entries(filters).defer(*NOT_IN_ROWS), number)


@dataclass(frozen=True)
class Extent:
    """How much a filter matches at one moment; what comes later is not part of it."""

    entries: EntryQuerySet
    number: int


def extent(filters: Filters) -> Extent:
    """All that matches now, for a file that says how much is in it."""
    found = entries(filters)
    newest = found.order_by().aggregate(newest=Max("pk"))["newest"] or 0
    found = found.filter(pk__lte=newest)
    return Extent(found, found.count())


def in_chunks(found: EntryQuerySet) -> Iterator[Entry]:
    """Entries by the thousand, so that any number of them takes the same memory.

    Each chunk begins where the last one ended, by a query of its own: no transaction and no cursor
    stays open while somebody downloads slowly.
    """
    chunk = list(found[:EXPORT_CHUNK])
    while chunk:
        yield from chunk
        chunk = list(found.filter(pk__lt=chunk[-1].pk)[:EXPORT_CHUNK])


def ending(entry: Entry) -> Ending:
    """How it ended, as far as that is on record."""
    outcome = outcome_of(entry)
    if outcome is not None:
        return ENDINGS[Outcome.Result(outcome.result)]
    return Ending.INTERRUPTED if entry.is_interrupted else Ending.IN_PROGRESS


def outcome_of(entry: Entry) -> Outcome | None:
    """The end of the entry, if it is on record."""
    return getattr(entry, "outcome", None)


def after(entry: Entry) -> dict[str, Any]:
    """What it came to; what was found at the end wins over what was intended."""
    outcome = outcome_of(entry)
    return {**entry.after, **(outcome.after if outcome else {})}


@dataclass(frozen=True)
class Told:
    """What an entry says of its target, as somebody may read it."""

    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


def told(entry: Entry, *, reader: Reader) -> Told:
    """All of it for those who may change things; nothing personal for those who only look."""
    outcome = outcome_of(entry)
    reason = outcome.reason if outcome else ""
    if has_role(reader, Role.ADMIN):
        return Told(entry.before, after(entry), reason)
    return Told(
        without_personal(entry.action, entry.before),
        without_personal(entry.action, after(entry)),
        reason_without_personal(entry.action, reason, target=entry.target),
    )


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

    @property
    def texts(self) -> dict[str, object]:
        """What its templates are filled in with."""
        entry = self.entry
        address = entry.address or ""
        return {
            "time": date_format(timezone.localtime(entry.at), "j F Y, H:i:s T"),
            "actor": entry.actor_name,
            "is_by_system": entry.actor_kind == Entry.ActorKind.SYSTEM,
            "is_by_campaign": entry.actor_kind == Entry.ActorKind.CAMPAIGN,
            "sentence": entry.sentence,
            "address": address,
            "has_address": bool(address),
            "target": entry.target,
            "has_target": bool(entry.target),
            "reason": self.reason,
            "has_reason": bool(self.reason),
        }


def rows(found: Iterable[Entry], *, reader: Reader) -> list[Row]:
    """The entries of a page as the table shows them to `reader`."""
    return [row_of(entry, reader=reader) for entry in found]


def row_of(entry: Entry, *, reader: Reader) -> Row:
    """One entry as the table shows it to `reader`."""
    how = ending(entry)
    tone, icon = LOOKS[how]
    said = told(entry, reader=reader)
    reason = said.reason
    if how == Ending.INTERRUPTED:
        reason = _("The end is not on record. Look at the target to see what became of it.")
    return Row(entry, tone, icon, str(how.label), reason, _facts(said.before, said.after))


def _facts(before: dict[str, Any], after: dict[str, Any]) -> list[Fact]:
    """Before and after side by side."""
    return [
        Fact(_name(name), _words(before.get(name)), _words(after.get(name)))
        for name in dict.fromkeys([*before, *after])
    ]


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{_name(name)}: {_words(item)}" for name, item in value.items())
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "j F Y, H:i:s T")
    return str(value)


def _name(key: str) -> str:
    """`allow_account_reset` → `allow account reset`."""
    return key.replace("_", " ")


def _by(name: str) -> Q:
    if kind := KINDS.get(name.lower()):
        return Q(actor_kind=kind)
    return _holds("actor_name", name)


def _on(target: str) -> Q:
    """The log has domains as people write them; DNS's form finds them as well."""
    return _holds("target", shown_text(target))


def _holds(column: str, text: str) -> Q:
    """SQLite knows no case beyond ASCII, but addresses and domains are always lower."""
    if not text:
        return Q()
    spellings = {text, text if text.isascii() else text.lower()}
    return Q(*[(f"{column}__icontains", spelling) for spelling in spellings], _connector=Q.OR)


def _ended(how: Ending) -> Q:
    for result, same in ENDINGS.items():
        if same == how:
            return Q(outcome__result=result)
    now = timezone.now()
    is_late = Q(at__lt=now - PATIENCE) & ~Q(action__in=LASTING)
    is_late |= Q(at__lt=now - PATIENCE_WITH_LASTING)
    return Q(outcome=None) & (is_late if how == Ending.INTERRUPTED else ~is_late)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
