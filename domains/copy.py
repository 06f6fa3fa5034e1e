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

from audit.services import Happened, record_all
from domains.drift import found_drift
from domains.models import Kind, SyncState
from purelymanage.core.errors import PurelyManageError, UnavailableError
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue

logger = logging.getLogger(__name__)
T = TypeVar("T")

BELIEVED_AFTER = timedelta(hours=1)
LARGE = 10
FEW = 5
LOCK_SECONDS = 120
ASKED_AT_MOST = 3
MAX_ERROR = 500


@dataclass(frozen=True)
class Changes:
    """What one refresh found different."""

    added: int = 0
    changed: int = 0
    removed: int = 0


class OddAnswerError(UnavailableError):
    """PurelyMail did answer, but not with what may replace the copy."""


class OvertakenError(UnavailableError):
    """While PurelyMail was answering, the panel itself changed what it was asked about."""


Reader = Callable[[], Changes]
_readers: dict[Kind, Reader] = {}


def register_reader(kind: Kind, read: Reader) -> None:
    """Make `read` the function that refreshes `kind`; called in `AppConfig.ready`."""
    _readers[kind] = read


def refresh(kinds: Sequence[Kind]) -> dict[Kind, Changes | PurelyManageError]:
    """Refresh these parts one after the other.

    A part that fails is in the answer as its error and keeps its rows; the others go on. One that
    is not in the answer was left to the next refresh: another one is at it, or our own changes are.
    New domains are looked after at once, by then with the ownership code, and so are those that
    waited for PurelyMail to be back.
    """
    results: dict[Kind, Changes | PurelyManageError] = {}
    had_failed = SyncState.objects.filter(pk=Kind.DOMAINS, failed_since__isnull=False).exists()
    for kind in kinds:
        with only_one(f"copy.{kind.value}", seconds=LOCK_SECONDS) as is_alone:
            result = _read(kind) if is_alone else None
            if result is not None:
                results[kind] = result
    found = results.get(Kind.DOMAINS)
    if isinstance(found, Changes) and (found.added or had_failed):
        enqueue("domains.tasks.recheck_due")
        enqueue("domains.tasks.look_up_due")
    return results


def _read(kind: Kind) -> Changes | PurelyManageError | None:
    for _attempt in range(ASKED_AT_MOST):
        try:
            return _readers[kind]()
        except OvertakenError as error:
            logger.info("%s", error)
        except PurelyManageError as error:
            logger.warning("Could not refresh the %s: %s", kind.label, error)
            return error
    SyncState.objects.filter(pk=kind).update(tried_at=timezone.now())
    return None


@contextmanager
def refreshing(kind: Kind) -> Iterator[SyncState]:
    """The `SyncState` of a refresh in progress; how it ends is noted there, errors go on."""
    state, _created = SyncState.objects.get_or_create(name=kind)
    try:
        yield state
    except OvertakenError:
        raise
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
    state.failed_since = state.doubted_since = state.doubted_size = None
    state.error = ""
    state.is_outage = False
    _save(state)


@contextmanager
def own_change(kind: Kind) -> Iterator[None]:
    """A change by the panel itself, at PurelyMail and then in our rows.

    What PurelyMail was asked before may be older than the change, so it is not laid over it.
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
    """All but what others set meanwhile: `requested_at`, `viewed_at` and `changed_at`."""
    state.save(
        update_fields=[
            "synced_at",
            "tried_at",
            "failed_since",
            "error",
            "is_outage",
            "doubted_since",
            "doubted_size",
            "may_be_truncated",
        ]
    )


def believed(state: SyncState, *, ask: Callable[[], T], size: Callable[[T], int], held: int) -> T:
    """An answer that may replace the copy of `held` rows.

    One that loses a large part is asked for again at once, and believed when the next refresh
    finds the same; one that loses all of it once PurelyMail has said so for an hour.
    """
    answer = ask()
    first = size(answer)
    if not _is_loss(first, held):
        return answer
    answer = ask()
    listed = size(answer)
    if not _is_loss(listed, held) or (_alike(first, listed) and _was_said_before(state, listed)):
        return answer
    state.doubted_since = state.doubted_since or timezone.now()
    state.doubted_size = listed
    words = {"kind": state.get_name_display(), "listed": listed, "held": held}
    raise OddAnswerError(
        _(
            "PurelyMail suddenly lists %(listed)d of %(held)d %(kind)s. "
            "The copy is kept until the next refresh finds the same."
        )
        % words
        if listed
        else _(
            "PurelyMail suddenly lists no %(kind)s. "
            "The copy is kept until it has said so for an hour."
        )
        % words
    )


def _is_loss(listed: int, held: int) -> bool:
    """Whether so much is missing that it may be PurelyMail's mistake."""
    return (not listed and held > 0) or (held >= LARGE and listed * 2 < held)


def refuse_loss(kind: Kind, *, listed: int, held: int) -> None:
    """Refuse to conclude from a list that one thing is gone, where it lacks much else too.

    `held`: how many others the copy has.
    """
    if _is_loss(listed, held):
        raise OddAnswerError(
            _("PurelyMail suddenly lists %(listed)d of %(held)d %(kind)s, maybe by mistake.")
            % {"kind": kind.label, "listed": listed, "held": held}
        )


def _alike(one: int, other: int) -> bool:
    return bool(one) == bool(other) and abs(one - other) <= FEW


def _was_said_before(state: SyncState, listed: int) -> bool:
    """Whether an earlier refresh found the same, or has doubted for long enough."""
    if state.doubted_since and timezone.now() - state.doubted_since >= BELIEVED_AFTER:
        return True
    return listed > 0 and state.doubted_size is not None and _alike(state.doubted_size, listed)


def update_rows(
    rows: models.QuerySet[Any],
    found: Mapping[Any, Mapping[str, Any]],
    *,
    key: str,
    state: SyncState,
    asked_at: datetime,
    watched: Collection[str] = (),
    keeps_missing: bool = False,
    hanging: Callable[[Any], Mapping[str, Any]] | None = None,
) -> Changes:
    """Make `rows` say what PurelyMail said at `asked_at`: `found` maps each key to its fields.

    Differences go on record as found outside the panel, except on the first fill and for fields
    not `watched`. A row made after we asked stays: the answer could not know it. `hanging` names
    what goes with a row that is removed; the record of its end tells that too.
    """
    model = rows.model
    with transaction.atomic():
        _refuse_overtaken(state)
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
        drift: list[Happened] = []
        if state.synced_at is not None:
            drift = found_drift(
                state.name,
                since=state.synced_at,
                added=added,
                changed=changed,
                removed=removed,
                watched=watched,
                hanging=hanging or (lambda _row: {}),
            )
        model.objects.bulk_create(added, ignore_conflicts=True, batch_size=500)
        if changed:
            fields = sorted({field for _row, before in changed for field in before})
            model.objects.bulk_update([row for row, _b in changed], fields, batch_size=200)
        model.objects.filter(pk__in=[row.pk for row in removed]).delete()
        record_all(drift)
    return Changes(added=len(added), changed=len(changed), removed=len(removed))


def _refuse_overtaken(state: SyncState) -> None:
    """Refuse an answer that our own change, or a newer answer, has overtaken since we asked.

    `state` is as it was then. Moments are compared for being the same, not for being earlier: the
    clocks of two hosts differ. The row stays locked, so that a change waits until we are done.
    """
    now = SyncState.objects.select_for_update().get(pk=state.pk)
    if (now.changed_at, now.synced_at) != (state.changed_at, state.synced_at):
        raise OvertakenError(
            _("The copy of the %(kind)s changed while PurelyMail was answering.")
            % {"kind": state.get_name_display()}
        )


def _overwrite(row: models.Model, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set what differs and return the old values."""
    before = {}
    for field, value in fields.items():
        old = getattr(row, field)
        if old != value:
            before[field] = old
            setattr(row, field, value)
    return before
