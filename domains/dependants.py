"""What hangs on a domain. Apps above register theirs in `AppConfig.ready`: imports point down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from domains.models import Domain
from purelymanage.core.addresses import split_address

Words = str | Promise
Names = Callable[[Domain], list[str]]
SYMBOLS = frozenset(".+-_")
"""With symbolic subaddressing on, PurelyMail drops or joins what follows one of these."""

_registered: dict[Names, Words] = {}


@dataclass(frozen=True)
class Dependants:
    """All of one sort that hang on a domain."""

    words: Words
    """ "Mailboxes" """
    names: list[str]
    """Addresses, or the sources of rules."""

    @property
    def with_symbols(self) -> list[str]:
        """Those that symbolic subaddressing keeps from receiving their mail."""
        return [name for name in self.names if not SYMBOLS.isdisjoint(split_address(name)[0])]


def register_dependants(words: Words, names: Names) -> None:
    """Name what hangs on a domain: `words` is a heading, `names(domain)` all there is, sorted."""
    _registered[names] = words


def dependants_of(domain: Domain) -> list[Dependants]:
    """Everything that hangs on this domain, also the sorts of which there are none."""
    return [Dependants(words, names(domain)) for names, words in _registered.items()]
