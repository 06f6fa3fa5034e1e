"""What can be deleted. Apps above register theirs in `AppConfig.ready`: imports point down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.telling import Section

Facts = dict[str, Any]
"""Plain JSON: settings, dependants, whatever rebuilds or explains the resource. Never a secret."""


@dataclass(frozen=True)
class Deletable:
    """One kind of resource, by its key: an address, a domain name, a rule's number as text."""

    kind: DeletionKind
    label: Callable[[str], str]
    """What people call it; raises MissingError where it is not in the copy any more."""
    facts: Callable[[str], Facts]
    """The part of the dossier that the local copy knows. No call to PurelyMail."""
    identity: Callable[[str], str]
    """What the copy knows it by now, as text; empty where it is not in the copy any more."""
    is_there: Callable[[str, Facts], bool]
    """Asks PurelyMail. False: gone. Raises RefusedError where it is another one than the dossier
    tells of, UnavailableError where there is no answer to go by."""
    delete: Callable[[str], None]
    """Has PurelyMail delete it; raises our errors. No audit entry, no change of the copy."""
    forget: Callable[[str], None]
    """Takes it and what went with it out of the copy, as a change of our own."""
    facts_there: Callable[[str], Facts] | None = None
    """The part only PurelyMail knows; called by a worker, raises our errors."""
    urls: Callable[[Collection[str]], Mapping[str, str]] | None = None
    """The pages of those of these keys that are there. One query."""
    tell: Callable[[Facts], Sequence[Section]] | None = None
    """The dossier in human words."""
    recreate_url: Callable[[PendingDeletion], str] | None = None
    """Where the form stands that makes it again, filled in from the dossier."""


@dataclass(frozen=True)
class Stop:
    """What else a freeze stops: work that goes on in the name of a person, by primary key.

    Both touch nothing but the database; `stop` is called within the freeze's transaction.
    """

    names: Callable[[int], list[str]]
    """What `stop` would end now, in words."""
    stop: Callable[[int], object]


_stops: list[Stop] = []


def register_stop(stop: Stop) -> None:
    """Have a freeze stop more than deletions: an app above knows what else works in their name."""
    _stops.append(stop)


def stops() -> tuple[Stop, ...]:
    """Everything registered."""
    return tuple(_stops)


_deletables: dict[DeletionKind, Deletable] = {}


def register_deletable(deletable: Deletable) -> None:
    """Let this kind be deleted."""
    _deletables[deletable.kind] = deletable


def deletable(kind: DeletionKind) -> Deletable:
    """The registered kind."""
    return _deletables[kind]


def urls_of(kind: DeletionKind, keys: Collection[str]) -> Mapping[str, str]:
    """The pages of those resources that are there, by key. One query."""
    found = _deletables.get(kind)
    return found.urls(keys) if found and found.urls else {}


def told(deletion: PendingDeletion) -> Sequence[Section]:
    """Its dossier in human words; nothing where the kind has none."""
    tell = deletable(DeletionKind(deletion.kind)).tell
    return tell(deletion.dossier) if tell else ()


def recreate_url(deletion: PendingDeletion) -> str:
    """Where the form stands that makes it again; empty where the kind has none."""
    lead = deletable(DeletionKind(deletion.kind)).recreate_url
    return lead(deletion) if lead else ""
