"""The two kinds of lines in the tables: what leaves an entry, and what changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase

from audit.actions import Action
from audit.models import Outcome

Post = Callable[..., HttpResponseBase]
"""Posts fields to the address, after the values that its path takes."""
Do = Callable[..., Any]
"""Called with the world and with what posts to the address, or runs the task."""
OK = frozenset({200, 204, 302, 303})


@dataclass(frozen=True)
class Leaves:
    """Doing it leaves an entry with this action."""

    name: str
    action: Action
    do: Do
    by: str = "admin"
    """Whose browser sends it: a role, or `stranger`; for a task, whoever it works for."""
    actor: str = ""
    """Who is on record, where that is somebody else: a role, `anonymous` or `system`."""
    result: Outcome.Result = Outcome.Result.OK
    status: Collection[int] = OK

    def __str__(self) -> str:
        return f"{self.name} {self.action}"


@dataclass(frozen=True)
class Exempt:
    """Why nothing is on record, and proof that it writes to no table but these."""

    name: str
    why: str
    do: Do | None
    """None where it cannot be run in a test."""
    by: str = "admin"
    writes: Collection[str] = ()
    status: Collection[int] = OK

    def __str__(self) -> str:
        return self.name


Line = Leaves | Exempt
