"""What the About page tells of the engine."""

from __future__ import annotations

from accounts.about import Fact
from migrations_app.engines import choice


def engine() -> Fact:
    """Which one runs migrations here, and why."""
    chosen = choice.describe()
    return Fact(chosen.label, note=chosen.reason)
