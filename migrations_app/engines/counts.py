"""What is counted for each folder, by the engine that copies and by the page that shows it.

Apart from the rest, because the built-in engine's process knows nothing of Django.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["duplicate", "too_large", "no_headers", "other"]
"""Why a message is left out."""


@dataclass
class FolderProgress:
    """Counts of one source folder, in messages; what is named so is in bytes."""

    source: str
    destination: str
    found: int = 0
    copied: int = 0
    present: int = 0
    skipped: int = 0
    failed: int = 0
    bytes_found: int = 0
    bytes_copied: int = 0
    skipped_why: dict[Reason, int] = field(default_factory=dict)
    destination_messages: int | None = None
    """In the destination's folder at the end of the run, whoever put them there."""
    destination_bytes: int | None = None
    is_done: bool = False

    def skip(self, reason: Reason, number: int = 1) -> None:
        """Messages are left out on purpose. The reasons are a new dict, for who compares them."""
        if number:
            self.skipped += number
            known = self.skipped_why.get(reason, 0)
            self.skipped_why = {**self.skipped_why, reason: known + number}
