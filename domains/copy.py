"""The local copy of PurelyMail: one whole answer at a time, never wiped by an odd one.

Each kind has one function that reads it and one `SyncState` row that says how that went. Apps above
this one register theirs, so that one task and one command refresh everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DataError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.models import Kind, SyncState
from purelymanage.core.errors import PurelyManageError, UnavailableError
from purelymanage.jobs.locks import only_one

logger = logging.getLogger(__name__)
T = TypeVar("T")

EMPTY_BELIEVED_AFTER = timedelta(hours=1)
LOCK_SECONDS = 120
MAX_ERROR = 500


@dataclass(frozen=True)
class Changes:
    """What one refresh found different."""

    added: int = 0
    changed: int = 0
    removed: int = 0


class OddAnswerError(UnavailableError):
    """PurelyMail did answer, but not with what may replace the copy."""


Reader = Callable[[], Changes]
_readers: dict[Kind, Reader] = {}


def register_reader(kind: Kind, read: Reader) -> None:
    """Make `read` the function that refreshes `kind`; called in `AppConfig.ready`."""
    _readers[kind] = read


def refresh(kinds: Sequence[Kind]) -> dict[Kind, Changes | PurelyManageError]:
    """Refresh these parts one after the other, leaving out those another refresh is at.

    A part that fails is in the answer as its error and keeps its rows; the others go on.
    """
    results: dict[Kind, Changes | PurelyManageError] = {}
    for kind in kinds:
        with only_one(f"copy.{kind.value}", seconds=LOCK_SECONDS) as is_alone:
            if is_alone:
                results[kind] = _read(kind)
    return results


def _read(kind: Kind) -> Changes | PurelyManageError:
    try:
        return _readers[kind]()
    except PurelyManageError as error:
        logger.warning("Could not refresh the %s: %s", kind.value, error)
        return error


@contextmanager
def refreshing(kind: Kind) -> Iterator[SyncState]:
    """The `SyncState` of a refresh in progress; how it ends is noted there, errors go on."""
    state, _created = SyncState.objects.get_or_create(name=kind)
    try:
        yield state
    except PurelyManageError as error:
        _note_failure(state, error)
        raise
    except (DataError, OverflowError):
        odd = OddAnswerError(
            _(
                "PurelyMail lists %(kind)s with a value that no database takes. "
                "The copy is kept as it was."
            )
            % {"kind": state.get_name_display()}
        )
        _note_failure(state, odd)
        raise odd from None
    state.synced_at = state.tried_at = timezone.now()
    state.failed_since = state.doubted_since = None
    state.error = ""
    state.is_outage = False
    _save(state)


@contextmanager
def own_change(kind: Kind) -> Iterator[None]:
    """A change by the panel itself, at PurelyMail and then in our rows.

    What PurelyMail lists meanwhile may be older than the change, so it is not laid over it.
    """
    _note_change(kind)
    try:
        yield
    finally:
        _note_change(kind)


def _note_change(kind: Kind) -> None:
    SyncState.objects.update_or_create(name=kind, defaults={"changed_at": timezone.now()})


def _note_failure(state: SyncState, error: PurelyManageError) -> None:
    now = timezone.now()
    state.tried_at = now
    state.failed_since = state.failed_since or now
    state.error = error.message[:MAX_ERROR]
    state.is_outage = isinstance(error, UnavailableError) and not isinstance(error, OddAnswerError)
    _save(state)


def _save(state: SyncState) -> None:
    """All but `requested_at`, which somebody may have set meanwhile."""
    state.save(
        update_fields=[
            "synced_at",
            "tried_at",
            "failed_since",
            "error",
            "is_outage",
            "doubted_since",
            "may_be_truncated",
        ]
    )


def believed(state: SyncState, *, ask: Callable[[], T], size: Callable[[T], int], held: int) -> T:
    """An answer that may replace the copy of `held` rows.

    An empty one is asked for again, and believed once PurelyMail has said so for an hour.
    """
    answer = ask()
    if size(answer) or not held:
        return answer
    answer = ask()
    if size(answer):
        return answer
    now = timezone.now()
    state.doubted_since = state.doubted_since or now
    if now - state.doubted_since >= EMPTY_BELIEVED_AFTER:
        return answer
    raise OddAnswerError(
        _(
            "PurelyMail suddenly lists no %(kind)s. "
            "The copy is kept until it has said so for an hour."
        )
        % {"kind": state.get_name_display()}
    )


def update_rows(
    rows: models.QuerySet[Any],
    found: Mapping[Any, Mapping[str, Any]],
    *,
    key: str,
    state: SyncState,
    asked_at: datetime,
    watched: Collection[str] = (),
    keeps_missing: bool = False,
) -> Changes:
    """Make `rows` say what PurelyMail said at `asked_at`: `found` maps each key to its fields.

    Differences go on record as found outside the panel, except on the first fill and for fields
    not `watched`. A row made after we asked stays: the answer could not know it.
    """
    model = rows.model
    with transaction.atomic():
        known = {getattr(row, key): row for row in rows}
        added = [model(**{key: v}, **fields) for v, fields in found.items() if v not in known]
        changed = [
            (row, before)
            for value, row in known.items()
            if value in found and (before := _overwrite(row, found[value]))
        ]
        removed = [
            row
            for value, row in known.items()
            if value not in found and row.created_at < asked_at and not keeps_missing
        ]
        if state.synced_at is not None:
            _record_drift(state.name, added, changed, removed, watched)
        model.objects.bulk_create(added, ignore_conflicts=True, batch_size=500)
        if changed:
            fields = sorted({field for _row, before in changed for field in before})
            model.objects.bulk_update([row for row, _b in changed], fields, batch_size=200)
        model.objects.filter(pk__in=[row.pk for row in removed]).delete()
    return Changes(added=len(added), changed=len(changed), removed=len(removed))


def _overwrite(row: models.Model, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set what differs and return the old values."""
    before = {}
    for field, value in fields.items():
        old = getattr(row, field)
        if old != value:
            before[field] = old
            setattr(row, field, value)
    return before


def _record_drift(
    kind: str,
    added: Sequence[models.Model],
    changed: Sequence[tuple[models.Model, Mapping[str, Any]]],
    removed: Sequence[models.Model],
    watched: Collection[str],
) -> None:
    """Inside the transaction of the rows, so that a drift is found once or not at all."""

    def facts(row: models.Model) -> dict[str, Any]:
        return {field: getattr(row, field) for field in watched}

    for row in added:
        with audited(Action.DRIFT_APPEARED, target=row, after=facts(row) | {"kind": kind}):
            pass
    for row in removed:
        with audited(Action.DRIFT_VANISHED, target=row, before=facts(row) | {"kind": kind}):
            pass
    for row, before in changed:
        old = {field: value for field, value in before.items() if field in watched}
        new = {field: getattr(row, field) for field in old}
        if old:
            with audited(Action.DRIFT_FOUND, target=row, before=old, after=new | {"kind": kind}):
                pass
