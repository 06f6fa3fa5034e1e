"""What apps above hand to the supervisor, in their `ready()`: imports point down."""

from __future__ import annotations

from collections.abc import Callable

Upkeep = Callable[[], None]
IsKeptWaiting = Callable[[str], bool]

_upkeep: list[Upkeep] = []
_kept_waiting: list[IsKeptWaiting] = []


def register_upkeep(chore: Upkeep) -> None:
    """Have a quick, idempotent chore done every few seconds on each host."""
    _upkeep.append(chore)


def register_kept_waiting(question: IsKeptWaiting) -> None:
    """Say whether work is ready that this worker host, by name, is free to take but has not.

    Asked every few seconds; a minute of nothing but yes means that the sync cluster is stuck.
    """
    _kept_waiting.append(question)


def upkeep() -> tuple[Upkeep, ...]:
    """Every registered chore."""
    return tuple(_upkeep)


def is_kept_waiting(host: str) -> bool:
    """Whether any app has work that `host` ought to have taken."""
    return any(question(host) for question in _kept_waiting)
