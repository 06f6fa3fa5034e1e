"""The places of the panel, and what apps add to the frame from their `ready()`.

navigation.register_count("migrations", running_jobs, tone="info", words=_running)
navigation.register_search("mailbox", "mail", find_mailboxes, group=_("Mailboxes"))
navigation.register_page(_("New mailbox"), "plus", "/mailboxes/new/", role=Role.ADMIN, action=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from purelymanage.core.aggregates import count_each
from purelymanage.core.roles import Role, has_role

PER_GROUP = 5
"""How many entries a group of the palette shows."""

Words = str | Promise
Found = tuple[str, str, Words]
"""What a search finds: a label, where it is, and a word at its right ("Mailbox", "68 %")."""


@dataclass(frozen=True)
class Place:
    """Somewhere to go: in the sidebar when it has a key, in the palette always."""

    label: Words
    icon: str
    url: str
    key: str = ""
    role: Role = Role.VIEWER
    action: bool = False
    also: str = ""
    """Where pages begin that belong to it and stand elsewhere."""

    def holds(self, path: str) -> bool:
        """Whether `path` lies inside this place."""
        if self.also and path.startswith(self.also):
            return True
        return path == self.url if self.url == "/" else path.startswith(self.url)


@dataclass(frozen=True)
class Search:
    """One group of the palette."""

    kind: str
    icon: str
    group: Words
    find: Callable[[str], Iterable[Found]]


@dataclass(frozen=True)
class Counter:
    """What is counted beside a link of the sidebar."""

    rows: Callable[[], QuerySet[Any]]
    tone: str
    words: Callable[[int], Words]


SIDEBAR = (
    Place(_("Dashboard"), "dashboard", "/", "dashboard"),
    Place(_("Mailboxes"), "mail", "/mailboxes/", "mailboxes"),
    Place(_("Domains"), "globe", "/domains/", "domains"),
    Place(_("Routing"), "split", "/routing/", "routing"),
    Place(_("Migrations"), "arrow-right-left", "/migrations/", "migrations"),
    Place(_("Deletions"), "trash", "/deletions/", "deletions"),
    Place(_("Settings"), "settings", "/settings/", "settings", also="/accounts/"),
)
"""Paths are the contract of the site; `test_navigation` resolves each."""

_counters: dict[str, Counter] = {}
_places: dict[str, Place] = {}
_searches: dict[str, Search] = {}


def register_count(
    key: str, rows: Callable[[], QuerySet[Any]], *, words: Callable[[int], Words], tone: str = ""
) -> None:
    """Show how many `rows()` there are beside the sidebar link `key`; nothing for none.

    `words(number)` says of what; `tone` is info for what is in motion, bad for what needs a person.
    """
    _counters[key] = Counter(rows, tone, words)


def register_page(
    label: Words, icon: str, url: str, *, role: Role = Role.VIEWER, action: bool = False
) -> None:
    """Let the palette find a page that is not in the sidebar, or an action ("New mailbox")."""
    _places[url] = Place(label, icon, url, role=role, action=action)


def register_search(
    kind: str, icon: str, find: Callable[[str], Iterable[Found]], *, group: Words = ""
) -> None:
    """Let the palette search. `find(text)` gives the best few as `(label, url, extra)`."""
    _searches[kind] = Search(kind, icon, group or kind.capitalize(), find)


def sidebar(path: str) -> list[dict[str, Any]]:
    """The links of the sidebar, the current one marked, with their counts. One query."""
    numbers = count_each({key: counter.rows() for key, counter in _counters.items()})
    return [
        {
            "place": place,
            "is_current": place.holds(path),
            "count": _count(place.key, numbers.get(place.key, 0)),
        }
        for place in SIDEBAR
    ]


def _count(key: str, number: int) -> tuple[int, str, Words] | None:
    """How many, in which tone, of what."""
    return (number, _counters[key].tone, _counters[key].words(number)) if number else None


def places(user: Any) -> list[Place]:
    """Every page and action this person may open."""
    return [place for place in (*SIDEBAR, *_places.values()) if has_role(user, place.role)]


def searches() -> list[Search]:
    """The groups of the palette, in the order the apps are installed."""
    return list(_searches.values())
