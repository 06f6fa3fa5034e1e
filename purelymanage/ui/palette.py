"""What the command palette finds: pages and actions of ours, and what the apps registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from purelymanage.ui import navigation
from purelymanage.ui.navigation import PER_GROUP, Found, Place


@dataclass(frozen=True)
class Group:
    """A heading of the palette, with an icon and an id, and what was found under it."""

    key: str
    title: str | Promise
    entries: list[Entry]


@dataclass(frozen=True)
class Entry:
    """One line: what it is called, where it leads, and its kind at the right."""

    label: str | Promise
    url: str
    extra: str | Promise
    icon: str


def find(query: str, *, user: Any) -> list[Group]:
    """The groups with a match, five entries each; without a query the pages alone."""
    groups = [Group("pages", _("Pages"), _pages(query, user))]
    if query:
        groups += [
            Group(search.kind, search.group, [_entry(found, search.icon) for found in rows])
            for search in navigation.searches()
            if (rows := list(search.find(query))[:PER_GROUP])
        ]
    return [group for group in groups if group.entries]


def _pages(query: str, user: Any) -> list[Entry]:
    wanted = query.lower()
    matching = [place for place in navigation.places(user) if wanted in str(place.label).lower()]
    matching.sort(key=lambda place: not str(place.label).lower().startswith(wanted))
    return [_page(place) for place in (matching[:PER_GROUP] if query else matching)]


def _page(place: Place) -> Entry:
    return Entry(place.label, place.url, _("Action") if place.action else _("Page"), place.icon)


def _entry(found: Found, icon: str) -> Entry:
    label, url, extra = found
    return Entry(label, url, extra, icon)
