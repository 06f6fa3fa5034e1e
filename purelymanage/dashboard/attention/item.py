"""One thing a person should look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One line of the list; `key` keeps the focus when the list refreshes."""

    key: str
    tone: str
    icon: str
    title: str
    text: str
    url: str = ""
    action: str = ""
