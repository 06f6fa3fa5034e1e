"""What can be deleted. Apps above register theirs in `AppConfig.ready`: imports point down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from purelymanage.deletions.models import DeletionKind

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
    facts_there: Callable[[str], Facts] | None = None
    """The part only PurelyMail knows; called by a worker, raises our errors."""


_deletables: dict[DeletionKind, Deletable] = {}


def register_deletable(deletable: Deletable) -> None:
    """Let this kind be deleted."""
    _deletables[deletable.kind] = deletable


def deletable(kind: DeletionKind) -> Deletable:
    """The registered kind."""
    return _deletables[kind]
