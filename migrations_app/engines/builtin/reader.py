"""Understands the built-in engine's JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, cast, get_args

from migrations_app.engines.base import (
    Level,
    LogLine,
    PhaseName,
    Progress,
    Verdict,
)
from migrations_app.engines.counts import FolderProgress, Reason
from migrations_app.engines.network_words import without_wrapping
from migrations_app.engines.plan import Plan
from migrations_app.engines.tally import EVERY, progress_words, summary
from migrations_app.engines.troubles import Stage, Trouble
from migrations_app.engines.verdicts import Facts, judge
from migrations_app.engines.wording import clean, counted

_MAX_LINE = 100_000
_COUNTS = ("found", "copied", "present", "skipped", "failed", "bytes_found", "bytes_copied")


class BuiltinReader:
    """One run of the built-in engine."""

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress(phase="connect")
        self.hide: Callable[[str], str] = str
        self._plan = plan
        self._facts = Facts()
        self._told: dict[str, int] = {}
        self._handlers: dict[str, Callable[[dict[str, Any]], Iterable[LogLine]]] = {
            "log": self._on_log,
            "phase": self._on_phase,
            "totals": self._on_totals,
            "size": self._on_size,
            "folder": self._on_folder,
            "folder_again": self._on_folder_again,
            "folder_end": self._on_folder_end,
            "progress": self._on_progress,
            "arrived": self._on_arrived,
            "trouble": self._on_trouble,
            "end": self._on_end,
        }

    def feed(self, line: str) -> Iterable[LogLine]:
        """Take one line without its end; anything that is not ours goes to the log."""
        try:
            event = cast("dict[str, Any]", json.loads(line[:_MAX_LINE]))
            return self._handlers[event["event"]](event)
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ):
            text = self._clean(line)
            return [LogLine(text, "warning")] if text else []

    def conclude(self, status: int) -> Verdict:
        """What `status` means after all lines."""
        return judge(self._plan, status, self.progress, self._facts)

    def _clean(self, text: Any) -> str:
        return clean(self.hide(str(text)))

    def _on_log(self, event: dict[str, Any]) -> Iterable[LogLine]:
        level = event["level"] if event["level"] in get_args(Level) else "info"
        return [LogLine(self._clean(event["text"]), cast("Level", level))]

    def _on_phase(self, event: dict[str, Any]) -> Iterable[LogLine]:
        if event["phase"] in get_args(PhaseName):
            self.progress.phase = event["phase"]
        self._facts.has_started_copying |= event["phase"] == "copy"
        return []

    def _on_totals(self, event: dict[str, Any]) -> Iterable[LogLine]:
        self.progress.folders_total = int(event["folders"])
        self.progress.messages_total = int(event["messages"])
        self._on_size(event)
        messages = counted(self.progress.messages_total, "message")
        return [LogLine(f"{messages} in {counted(self.progress.folders_total, 'folder')}")]

    def _on_size(self, event: dict[str, Any]) -> Iterable[LogLine]:
        self.progress.bytes_total = None if event["bytes"] is None else int(event["bytes"])
        return []

    def _on_folder(self, event: dict[str, Any]) -> Iterable[LogLine]:
        folder = self._take_folder(event)
        self.progress.folder = folder.source
        place = f"{int(event['number'])}/{int(event['total'])}"
        return [LogLine(f"Folder {place}: {folder.source} → {folder.destination}")]

    def _on_folder_again(self, event: dict[str, Any]) -> Iterable[LogLine]:
        self.progress.begin_again(str(event["source"]))
        return []

    def _on_folder_end(self, event: dict[str, Any]) -> Iterable[LogLine]:
        folder = self._take_folder(event)
        folder.is_done = bool(event["is_done"])
        self._take_done(event)
        return [LogLine(summary(folder, is_dry_run=self._plan.dry_run))]

    def _on_progress(self, event: dict[str, Any]) -> Iterable[LogLine]:
        self._take_done(event)
        if not event["folder"]:
            return []
        folder = self._take_folder(event["folder"])
        hundreds = folder.copied // EVERY
        if hundreds <= self._told.get(folder.source, 0):
            return []
        self._told[folder.source] = hundreds
        return [LogLine(progress_words(folder, is_dry_run=self._plan.dry_run))]

    def _take_done(self, event: dict[str, Any]) -> None:
        done, total = int(event["done"]), self.progress.messages_total
        self.progress.messages_done = done if total is None else min(done, total)
        self.progress.bytes_done = int(event["bytes"])

    def _take_folder(self, event: dict[str, Any]) -> FolderProgress:
        name = str(event["source"])
        folder = self.progress.folders.get(name)
        if folder is None:
            folder = FolderProgress(source=name, destination=str(event["destination"]))
            self.progress.folders[name] = folder
        for count in _COUNTS:
            setattr(folder, count, int(event[count]))
        why = event["skipped_why"]
        folder.skipped_why = {
            reason: int(why[reason]) for reason in get_args(Reason) if reason in why
        }
        return folder

    def _on_arrived(self, event: dict[str, Any]) -> Iterable[LogLine]:
        folder = self.progress.folders[str(event["source"])]
        folder.destination_messages = int(event["messages"])
        folder.destination_bytes = int(event["bytes"])
        return []

    def _on_trouble(self, event: dict[str, Any]) -> Iterable[LogLine]:
        stage = event["stage"] if event["stage"] in get_args(Stage) else "other"
        text = self._clean(event["text"])
        self._facts.add(Trouble(cast("Stage", stage), int(event["side"]), text))
        if lost := event.get("lost"):
            uid, size = lost["uid"], lost["bytes"]
            self.progress.lose(
                str(lost["folder"]),
                "" if uid is None else str(int(uid)),
                None if size is None else int(size),
                without_wrapping(text),
            )
        return [LogLine(f"{self._clean(event['what'])}: {without_wrapping(text)}", "error")]

    def _on_end(self, event: dict[str, Any]) -> Iterable[LogLine]:
        self._facts.has_ended = True
        return []
