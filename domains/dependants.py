"""What hangs on a domain. Apps above register theirs in `AppConfig.ready`: imports point down."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from domains.models import Domain
from purelymanage.core.addresses import shown_address, split_address
from purelymanage.deletions.impact import Group

Words = str | Promise
Names = Callable[[Domain], list[str]]
SYMBOLS = frozenset(".+-_")
"""With symbolic subaddressing on, PurelyMail drops or joins what follows one of these."""

_registered: dict[Names, Words] = {}
_affected: dict[Names, Words] = {}


def register_dependants(words: Words, names: Names) -> None:
    """Tell what hangs on a domain: `words` is a heading ("Mailboxes"); `names(domain)` gives all
    there is, sorted: addresses, or the sources of rules."""
    _registered[names] = words


def register_affected(words: Words, names: Names) -> None:
    """Tell what stays when a domain goes, but suffers: jobs, or addresses, as `register_dependants`
    wants them."""
    _affected[names] = words


def dependants_of(domain: Domain) -> list[Group]:
    """Everything that hangs on this domain, also the sorts of which there are none."""
    return [
        _group(words, [shown_address(name) for name in names(domain)])
        for names, words in _registered.items()
    ]


def impact_of(domain: Domain) -> list[Group]:
    """What goes with it, then what stays and suffers."""
    return [
        *dependants_of(domain),
        *(
            _group(words, [shown_address(name) for name in names(domain)])
            for names, words in _affected.items()
        ),
    ]


def affected_by(domain: Domain) -> dict[str, list[str]]:
    """What stays and suffers, as plain facts: every name under its heading."""
    return {str(words): names(domain) for names, words in _affected.items()}


def names_of(domain: Domain) -> dict[str, list[str]]:
    """The same as plain facts: every name under its heading."""
    return {str(words): names(domain) for names, words in _registered.items()}


def with_symbols(domain: Domain) -> list[Group]:
    """What symbolic subaddressing keeps from receiving its mail."""
    groups = []
    for names, words in _registered.items():
        found = [one for one in names(domain) if not SYMBOLS.isdisjoint(split_address(one)[0])]
        if found:
            groups.append(_group(_("%(words)s with a symbol") % {"words": words}, found))
    return groups


def _group(words: Words, names: list[str]) -> Group:
    return Group.of(f"{words} ({len(names):,})", names)
