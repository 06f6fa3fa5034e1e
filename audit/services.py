"""`audited(…)`: the one writer of the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from audit.actions import Action
from audit.models import Chain, Entry, Outcome
from purelymanage.core.addresses import shown_text
from purelymanage.core.context import current_actor
from purelymanage.core.errors import PurelyManageError, UnavailableError

MAX_TEXT = 500


class Change:
    """What a block under `audited` may add: facts known only afterwards, never secrets."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.after: dict[str, Any] = {}


@dataclass(frozen=True)
class Happened:
    """Something that needs no start and end: it is over when it goes on record."""

    action: Action
    target: object = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    """The reason, where it was an attempt that failed."""


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
    Enter it outside of `transaction.atomic()`, or a rollback takes the record along and everybody
    else's records wait for the end of the transaction.
    """
    entry = _entry(Happened(action, target, before or {}, after or {}))
    entry.save()
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
    record_all([Happened(action, target, after=after or {}, refused=refused)])


def record_all(happened: Iterable[Happened]) -> None:
    """Put any number of things on record at once. Inside a transaction make this its last step."""
    rows: list[Entry | Outcome] = []
    for one in happened:
        entry = _entry(one)
        result = Outcome.Result.REFUSED if one.refused else Outcome.Result.OK
        rows += [entry, Outcome(entry=entry, result=result, reason=one.refused[:MAX_TEXT])]
    if rows:
        Chain.objects.append(rows)


def _entry(what: Happened) -> Entry:
    actor = current_actor()
    return Entry(
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=actor.name[:254],
        address=actor.address or None,
        action=what.action,
        target=shown_text(str(what.target))[:MAX_TEXT],
        before=dict(what.before),
        after=dict(what.after),
    )


def _end(change: Change, result: Outcome.Result, *, reason: str = "") -> None:
    Outcome(entry=change.entry, result=result, reason=reason[:MAX_TEXT], after=change.after).save()
