"""What every address answers to whom: `matrix.txt`, read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("matrix.txt")
ROLES = ("stranger", "viewer", "admin", "owner")
SAME = "-"
WORDS = frozenset(
    {"page", "form", "file", "does", "sign-in", "no", "method", "gone", "away", "refused", "again"}
)
"""The vocabulary, explained at the top of the table."""


@dataclass(frozen=True)
class Row:
    """One address: a word for each role, and for an owner who signed in long ago."""

    name: str
    get: dict[str, str]
    post: dict[str, str]
    stale_get: str
    stale_post: str

    def expected(self, method: str, role: str) -> str:
        return (self.get if method == "GET" else self.post)[role]

    def when_stale(self, method: str) -> str:
        """What an owner is answered who has to show again who they are."""
        word = self.stale_get if method == "GET" else self.stale_post
        return self.expected(method, "owner") if word == SAME else word


@cache
def matrix() -> dict[str, Row]:
    """The rows by name; a line that is malformed or repeated fails here."""
    rows: dict[str, Row] = {}
    for line in FILE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        get, post, stale = (part.split() for part in line.split("|"))
        name, *get = get
        assert len(get) == len(post) == len(ROLES), line
        assert len(stale) == 2, line
        assert {*get, *post, *stale} <= WORDS | {SAME}, line
        assert name not in rows, line
        rows[name] = Row(
            name, dict(zip(ROLES, get, strict=True)), dict(zip(ROLES, post, strict=True)), *stale
        )
    return rows
