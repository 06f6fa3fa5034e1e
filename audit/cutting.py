"""The one way by which rows leave the log: the oldest ones, once they are older than is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from audit import chain
from audit.actions import Action
from audit.models import HEAD, LAST, PATIENCE_WITH_LASTING, Chain, Cut, Entry, Outcome
from audit.rows import stored_rows
from audit.services import record


def cut_old_entries() -> Cut | None:
    """Cut what is older than AUDIT_RETENTION_DAYS; with 0 everything is kept for ever."""
    if not settings.AUDIT_RETENTION_DAYS:
        return None
    before = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    position = _last_to_go(before)
    return cut(before=before, upto=position) if _are_as_written(position, before) else None


def _are_as_written(position: int, before: datetime) -> bool:
    """Whether the rows up to there are what was written, and written so long ago.

    Whoever can make the database change rows once the check has passed could have us remove recent
    ones, by giving them an older date. So their dates are looked at here, together with the links,
    and these rows it is that go, whatever becomes of the dates after that.
    """
    cut_before = Cut.objects.order_by("-position").first()
    previous = cut_before.last_removed if cut_before else chain.START
    for row in stored_rows(upto=position + 1):
        is_next = row.position == previous.position + 1 and row.follows(previous)
        if not is_next or (row.position <= position and row.values["at"] >= before):
            return False
        previous = row.seal
    return previous.position > position or chain.is_ours(previous)


def cut(*, before: datetime, upto: int = LAST) -> Cut | None:
    """Remove the oldest entries, all that began and ended before a moment, with their outcomes.

    The rest begins where nothing older is still wanted: an entry that has to stay, or that is in
    progress, keeps everything behind it. None where nothing is old enough. Nothing beyond `upto`
    goes.
    """
    with transaction.atomic():
        Chain.objects.take_head()
        position = min(_last_to_go(before), upto)
        last = Chain.objects.newest(upto=position)
        previous = Cut.objects.order_by("-position").first()
        if last.position <= (previous.position if previous else 0):
            return None
        rows = _remove(last.position)
        made = _seal(Cut(position=last.position, link=last.link, row_mac=last.mac, rows=rows))
        facts = {"rows": rows, "position": made.position, "link": made.link}
        record(Action.AUDIT_CUT, after={**facts, "before": before})
    return made


def _last_to_go(before: datetime) -> int:
    """The highest position below which no row has to stay and no entry loses its outcome."""
    in_progress = Entry.objects.filter(outcome=None, at__gte=timezone.now() - PATIENCE_WITH_LASTING)
    firsts = [
        _first(Entry.objects.filter(at__gte=before)),
        _first(Outcome.objects.filter(at__gte=before)),
        _first(in_progress),
    ]
    stays = min((first for first in firsts if first is not None), default=None)
    if stays is None:
        return Chain.objects.newest().position
    while parted := _first(Entry.objects.filter(position__lt=stays, outcome__position__gte=stays)):
        stays = parted
    return stays - 1


def _first(rows: QuerySet[Entry] | QuerySet[Outcome]) -> int | None:
    found: int | None = rows.aggregate(first=Min("position"))["first"]
    return found


def _remove(position: int) -> int:
    """Delete rows up to a position; the database lets us while the head's row says so."""
    chain_row = Chain.objects.filter(pk=HEAD)
    chain_row.update(is_cutting=True)
    removed = 0
    for model in (Outcome, Entry):
        rows: QuerySet[Any] = QuerySet(model)
        old = rows.filter(position__lte=position)
        removed += old._raw_delete(old.db)  # noqa: SLF001  outcomes go first by ourselves; Django's way reads all of them
    chain_row.update(is_cutting=False)
    return removed


def _seal(made: Cut) -> Cut:
    made.key_id = chain.sealing_key_id()
    made.mac = chain.code_of_note(made.key_id, made.facts) or ""
    made.save(force_insert=True)
    return made
