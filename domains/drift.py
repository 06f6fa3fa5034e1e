"""What changed at PurelyMail behind the panel's back goes on record, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models

from audit.actions import DRIFT, Action
from audit.models import PATIENCE, Entry, Outcome
from audit.services import Happened
from purelymanage.core.addresses import shown_text

Changed = tuple[models.Model, Mapping[str, Any]]


def found_drift(
    kind: str,
    *,
    since: datetime,
    added: Sequence[models.Model],
    changed: Sequence[Changed],
    removed: Sequence[models.Model],
    watched: Collection[str],
    hanging: Callable[[models.Model], Mapping[str, Any]],
) -> list[Happened]:
    """What differs from the copy as it was `since`, field by field if `watched`, for the record.

    Ask before the rows change, and record it last in their transaction: so a drift is found once
    or not at all, and nobody waits for the rows to be written before they can record anything.
    """
    changed = [(row, before) for row, before in changed if not before.keys().isdisjoint(watched)]
    if not (added or changed or removed):
        return []
    ours = _unfinished_targets(since=since)

    def facts(row: models.Model, fields: Collection[str] = watched) -> dict[str, Any]:
        return {field: getattr(row, field) for field in fields}

    def is_ours(row: models.Model) -> bool:
        return shown_text(str(row)) in ours

    appeared = [
        Happened(Action.DRIFT_APPEARED, str(row), after=facts(row) | {"kind": kind})
        for row in added
        if not is_ours(row)
    ]
    vanished = [
        Happened(
            Action.DRIFT_VANISHED,
            str(row),
            before={**facts(row), **hanging(row), "kind": kind},
        )
        for row in removed
        if not is_ours(row)
    ]
    differing = []
    for row, before in changed:
        if not is_ours(row):
            old = {field: value for field, value in before.items() if field in watched}
            after = facts(row, old) | {"kind": kind}
            differing.append(Happened(Action.DRIFT_FOUND, str(row), before=old, after=after))
    return [*appeared, *vanished, *differing]


def _unfinished_targets(*, since: datetime) -> set[str]:
    """What the panel began to change itself, where the end is not on record or not known.

    Such a change may have been made at PurelyMail without our row. One that went well stands in
    our rows already, and one that was refused was not made: what differs is somebody else's work.
    """
    entries = (
        Entry.objects.filter(at__gte=since - PATIENCE)
        .exclude(action__in=DRIFT)
        .exclude(outcome__result__in=[Outcome.Result.OK, Outcome.Result.REFUSED])
    )
    targets = set()
    for target, after in entries.values_list("target", "after"):
        targets |= {target, *(value for value in after.values() if isinstance(value, str))}
    return set(map(shown_text, targets))
