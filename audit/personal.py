"""What of the log is personal, and what is left of it for those who only look.

It is masked when it is read, never when it is written: so it holds for entries of any age, and the
chain stays as it was sealed. What it covers and why stands in docs/audit.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audit.actions import Action

RECOVERY = frozenset({"target", "description"})
PERSONAL: Mapping[str, frozenset[str]] = {
    Action.RECOVERY_SAVED: RECOVERY,
    Action.RECOVERY_REMOVED: RECOVERY,
}
"""By action, the facts that say where somebody can be reached in private."""

HIDDEN = "…"
ADDRESS = re.compile(r"[^\s@<>()\"'“”,;:]+@[^\s@<>()\"'“”,;:]*[^\s@<>()\"'“”,;:.]")
NUMBER = re.compile(r"\+?\d(?:[\s()/.-]*\d){5,}")
DIGITS_LEFT = 2


def without_personal(action: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of such an entry, with what is personal masked."""
    personal = PERSONAL.get(action, frozenset())
    return {
        name: _masked(value) if name in personal and value else value
        for name, value in facts.items()
    }


def reason_without_personal(action: str, reason: str, *, target: str) -> str:
    """How it ended, with every address and number masked but that of the `target` itself."""
    if action not in PERSONAL:
        return reason
    reason = ADDRESS.sub(
        lambda found: found[0] if found[0] == target else _masked(found[0]), reason
    )
    return NUMBER.sub(lambda found: _masked(found[0]), reason)


def _masked(value: object) -> str:
    """`ada@example.com` → `a…@example.com`, `+49 170 1234567` → `…67`, all else → `…`."""
    text = str(value)
    if ADDRESS.fullmatch(text):
        return f"{text[0]}{HIDDEN}@{text.rpartition('@')[2]}"
    if NUMBER.fullmatch(text):
        return HIDDEN + "".join(filter(str.isdigit, text))[-DIGITS_LEFT:]
    return HIDDEN
