"""Counts one folder and keeps its log short: a line per hundred messages, all that went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from migrations_app.engines.base import LogLine
from migrations_app.engines.counts import FolderProgress, Reason

EVERY = 100
MAX_SKIPPED_LINES = 20


class FolderTally:
    """The folder a run is in."""

    def __init__(self, progress: FolderProgress, *, is_dry_run: bool) -> None:
        self.progress = progress
        self._is_dry_run = is_dry_run
        self._skipped_lines = 0

    def copied(self, size: int) -> Iterable[LogLine]:
        """One message more."""
        folder = self.progress
        folder.copied += 1
        folder.bytes_copied += size
        if folder.copied % EVERY:
            return []
        return [LogLine(progress_words(folder, is_dry_run=self._is_dry_run))]

    def copied_all(self) -> None:
        """A dry run meets a folder that is not there yet: every message would be copied."""
        self.progress.copied = self.progress.found

    def skipped(self, line: LogLine, reason: Reason) -> Iterable[LogLine]:
        """One message left out on purpose; the first of them are named."""
        self.progress.skip(reason)
        self._skipped_lines += 1
        if self._skipped_lines > MAX_SKIPPED_LINES:
            return []
        return [line]

    def close(self, *, processed: int) -> Iterable[LogLine]:
        """Of the messages looked at, what is not copied, skipped or failed was there already."""
        folder = self.progress
        known = folder.copied + folder.skipped + folder.failed
        folder.present = max(min(processed, folder.found) - known, 0)
        folder.is_done = processed >= folder.found
        return [LogLine(summary(folder, is_dry_run=self._is_dry_run))]


def progress_words(folder: FolderProgress, *, is_dry_run: bool) -> str:
    """How many of a folder are copied so far."""
    return f"{folder.source}: {folder.copied:,} messages {_verb(is_dry_run=is_dry_run)}"


def _verb(*, is_dry_run: bool) -> str:
    return "would be copied" if is_dry_run else "copied"


def summary(folder: FolderProgress, *, is_dry_run: bool) -> str:
    """One folder in one line."""
    parts = [f"{folder.found:,} found", f"{folder.copied:,} {_verb(is_dry_run=is_dry_run)}"]
    parts += [
        f"{number:,} {words}"
        for number, words in (
            (folder.present, "already there"),
            (folder.skipped, "skipped"),
            (folder.failed, "failed"),
        )
        if number
    ]
    return f"{folder.source}: {', '.join(parts)}"
