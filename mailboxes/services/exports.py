"""Lists of mailboxes that leave the panel."""

from __future__ import annotations

from audit.actions import Action
from audit.services import record


def note_export(count: int, *, filter: str) -> None:  # noqa: A002  what it is
    """Put on record how many addresses somebody took along, and by which filter."""
    record(Action.MAILBOXES_EXPORTED, after={"mailboxes": count, "filter": filter})
