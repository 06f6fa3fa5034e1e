"""What changed at PurelyMail behind the panel's back goes on record, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models

from audit.actions import DRIFT, Action
from audit.models import PATIENCE, Entry, Outcome
from audit.services import audited

Changed = tuple[models.Model, Mapping[str, Any]]


def record_drift(
    kind: str,
    *,
    since: datetime,
    added: Sequence[models.Model],
    changed: Sequence[Changed],
    removed: Sequence[models.Model],
    watched: Collection[str],
    hanging: Callable[[models.Model], Mapping[str, Any]],
) -> None:
    """Put on record what differs from the copy as it was `since`, field by field if `watched`.

    Inside the transaction of the rows, so that a drift is found once or not at all.
    """
    changed = [(row, before) for row, before in changed if not before.keys().isdisjoint(watched)]
    if not (added or changed or removed):
        return
    ours = _unfinished_targets(since=since)

    def facts(row: models.Model, fields: Collection[str] = watched) -> dict[str, Any]:
        return {field: getattr(row, field) for field in fields}

    for row in added:
        if str(row) not in ours:
            _record(Action.DRIFT_APPEARED, row, after=facts(row) | {"kind": kind})
    for row in removed:
        if str(row) not in ours:
            _record(Action.DRIFT_VANISHED, row, before={**facts(row), **hanging(row), "kind": kind})
    for row, before in changed:
        if str(row) not in ours:
            old = {field: value for field, value in before.items() if field in watched}
            _record(Action.DRIFT_FOUND, row, before=old, after=facts(row, old) | {"kind": kind})


def _record(action: Action, row: models.Model, **facts: Mapping[str, Any]) -> None:
    with audited(action, target=row, **facts):
        pass


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
    return targets
