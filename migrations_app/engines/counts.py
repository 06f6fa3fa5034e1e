"""What is counted for each folder, by the engine that copies and by the page that shows it.

Apart from the rest, because the built-in engine's process knows nothing of Django.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FolderProgress:
    """Counts of one source folder, in messages; `bytes_copied` in bytes."""

    source: str
    destination: str
    found: int = 0
    copied: int = 0
    present: int = 0
    skipped: int = 0
    failed: int = 0
    bytes_copied: int = 0
    is_done: bool = False
