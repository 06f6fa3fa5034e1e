"""`audited(…)`: the one writer of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from audit.actions import Action
from audit.models import Entry, Outcome
from purelymanage.core.context import current_actor
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError

MAX_TEXT = 500


class Change:
    """What a block under `audited` may add: facts known only afterwards, never secrets."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.after: dict[str, Any] = {}


@contextmanager
def audited(
    action: Action,
    *,
    target: object = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Iterator[Change]:
    """Record the start of a change, run it, record how it ended.

    The start is on record before the outside call, so that an interrupted change shows as such.
    Enter it outside of `transaction.atomic()`, or a rollback takes the record along.
    """
    actor = current_actor()
    entry = Entry.objects.create(
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=actor.name[:254],
        address=actor.address or None,
        action=action,
        target=str(target)[:MAX_TEXT],
        before=dict(before or {}),
        after=dict(after or {}),
    )
    change = Change(entry)
    try:
        yield change
    except UnavailableError as error:  # no refusal: nobody said no, and it may have been made
        _end(change, Outcome.Result.FAILED, reason=error.message)
        raise
    except PurelyManageError as error:
        _end(change, Outcome.Result.REFUSED, reason=error.message)
        raise
    except BaseException as error:
        # The text of an unknown error may hold anything, so only its kind is kept.
        _end(change, Outcome.Result.FAILED, reason=type(error).__name__)
        raise
    _end(change, Outcome.Result.OK)


def record(
    action: Action,
    *,
    target: object = "",
    after: Mapping[str, Any] | None = None,
    refused: str = "",
) -> None:
    """Put something on record that has already happened, such as a sign-in.

    `refused` is the reason where it was an attempt that failed.
    """
    with suppress(RefusedError), audited(action, target=target, after=after):
        if refused:
            raise RefusedError(refused)


def _end(change: Change, result: Outcome.Result, *, reason: str = "") -> None:
    Outcome.objects.create(
        entry=change.entry, result=result, reason=reason[:MAX_TEXT], after=change.after
    )
