"""Progress as JSON lines on stdout: a few a second, one per folder, one per failure.

Every line is one write of its own, so that a stop in between never leaves half a line.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from migrations_app.engines.builtin.troubles import Exit, TroubleError, exit_value
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.wording import clean, mask

_SECONDS = 0.3
_MAX_SKIPPED = 20
_MAX_TEXT = 5000
"""Longer than what is shown: whoever shows it hides secrets in other spellings before the cut."""


@dataclass
class Events:
    """Writes events and keeps the counts they carry."""

    secrets: tuple[str, ...] = ()
    done: int = 0
    bytes_done: int = 0
    folder: FolderProgress | None = None
    sizes: dict[str, int | None] = field(default_factory=dict)
    """Folder → bytes to copy: all it holds until it is compared, None where nobody said so."""
    exits: Counter[Exit] = field(default_factory=Counter)
    _last: float = 0.0
    _skipped_lines: int = 0

    def write(self, event: str, **values: Any) -> None:
        """One line."""
        text = json.dumps({"event": event, **values}, ensure_ascii=True, separators=(",", ":"))
        data = text.encode() + b"\n"
        while data:
            data = data[os.write(1, data) :]

    def log(self, text: str, level: str = "info") -> None:
        """A line for the admin."""
        self.write("log", level=level, text=self._safe(text))

    def phase(self, name: str) -> None:
        """What the run is doing now."""
        self.write("phase", phase=name)

    def total_size(self) -> int | None:
        """Bytes to copy in all folders, or None until that is known."""
        known = [size for size in self.sizes.values() if size is not None]
        return sum(known) if len(known) == len(self.sizes) else None

    def compared(self, name: str, size: int) -> None:
        """A folder is compared: so many of its bytes are to be copied, or are copied already."""
        self.sizes[name] = size
        self.write("size", bytes=self.total_size())

    def begin_folder(self, folder: FolderProgress, *, number: int, total: int) -> None:
        """The folder that is next."""
        self.folder = folder
        self._skipped_lines = 0
        self.write("folder", number=number, total=total, **asdict(folder))

    def begin_folder_again(self) -> None:
        """What was said of the folder's messages counts no more."""
        if self.folder:
            self.write("folder_again", source=self.folder.source)

    def end_folder(self) -> None:
        """The folder is left, finished or not."""
        if self.folder:
            self.write("folder_end", done=self.done, bytes=self.bytes_done, **asdict(self.folder))
        self.folder = None

    def progress(self, *, always: bool = False) -> None:
        """Where the run stands, unless it was said just now."""
        now = time.monotonic()
        if always or now - self._last >= _SECONDS:
            self._last = now
            folder = asdict(self.folder) if self.folder else None
            self.write("progress", done=self.done, bytes=self.bytes_done, folder=folder)

    def too_large(self, uid: int, why: str) -> None:
        """One message left out on purpose; the first of a folder are named."""
        self.done += 1
        if self.folder:
            self.folder.skip("too_large")
        self._skipped_lines += 1
        if self._skipped_lines <= _MAX_SKIPPED:
            self.log(f"{self._where(uid)} skipped: {why}", "warning")
        self.progress()

    def failed(self, trouble: TroubleError, uid: int, size: int | None) -> None:
        """One message that could not be copied."""
        self.done += 1
        if self.folder:
            self.folder.failed += 1
        self.trouble(trouble, f"{self._where(uid)} not copied", uid=uid, bytes=size)

    def trouble(self, trouble: TroubleError, what: str, **lost: int | None) -> None:
        """Something went wrong; it counts for the exit value.

        `lost` names the message by `uid` and `bytes`, or the whole of the folder by None for both.
        """
        self.exits[exit_value(trouble)] += 1
        text = self._safe(trouble.text)
        facts: dict[str, Any] = {"stage": trouble.stage, "side": trouble.side, "text": text}
        if lost and self.folder:
            facts["lost"] = {"folder": self.folder.source, **lost}
        self.write("trouble", **facts, what=self._safe(what))

    def arrived(self, folder: FolderProgress, messages: int, size: int) -> None:
        """What the destination's folder holds now that the run is over."""
        self.write("arrived", source=folder.source, messages=messages, bytes=size)

    def end(self, status: int) -> None:
        """The last line."""
        self.end_folder()
        self.write("end", status=status, troubles=sum(self.exits.values()), done=self.done)

    def _where(self, uid: int) -> str:
        return f"{self.folder.source if self.folder else ''}/{uid}"

    def _safe(self, text: str) -> str:
        return clean(mask(text, self.secrets), limit=_MAX_TEXT)
