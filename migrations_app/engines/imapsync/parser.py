"""Understands imapsync's output line by line: progress, a readable log, and the end.

Any bytes may come: a line that is cut, huge or strange is shown as far as it makes sense and never
stops a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from migrations_app.engines.base import LogLine, Progress, Verdict
from migrations_app.engines.counts import FolderProgress, Reason
from migrations_app.engines.imapsync import noise
from migrations_app.engines.plan import Plan
from migrations_app.engines.tally import FolderTally
from migrations_app.engines.troubles import Stage, Trouble
from migrations_app.engines.verdicts import Facts, judge
from migrations_app.engines.wording import clean, counted, readable_folder, shortened, volume

_MAX_LINE = 4000
_LEFT = re.compile(r"(?P<left>-?\d+)/(?P<total>\d+) msgs left\s*$")
_FOLDER = re.compile(r"^Folder +(?P<i>\d+)/(?P<n>\d+) \[(?P<f1>.*)\] +-> \[(?P<f2>.*)\] *$")
_COPIED = re.compile(r"^msg (?P<f1>.+)/(?P<uid>\d+) \{(?P<size>\d+)\}\s+copied to ")
_COPYING = re.compile(r"^msg (?P<f1>.+)/(?P<uid>\d+) copying to .*\(not really since --dry mode\)")
_SKIPPED = re.compile(r"^(?:- )?msg (?P<f1>.+)/(?P<uid>\d+) skipped(?P<large> .*maxsize)?")
_FAILED = re.compile(
    r"^- msg (?P<f1>.+)/(?P<uid>\d+) \{(?P<size>\d+)\} (?:S\[(?P<whole>\d+)\])?"
    r".*could not (?:append|be fetched)"
)
_VOID = re.compile(
    r"^Host1: (?P<f1>.+)/(?P<uid>\d+) size (?P<size>\d+) ignored \(no wanted headers"
)
_SELECT = re.compile(r"^Host1: folder \[.*\] has (?P<n>\d+) messages in total")
_FOUND = re.compile(r"^Host1: folder \[.*\] considering (?P<n>\d+) messages")
_DUPLICATES = re.compile(r"^Host1: folder \[.*\] selected \d+ messages, duplicates (?P<n>\d+)$")
_SIZE = re.compile(
    r"^Host(?P<side>\d) folder +\d+/\d+ \[(?P<f>.*)\] +Size: +(?P<bytes>\d+) Messages: +(?P<n>\d+)"
)
_TOTAL = re.compile(r"^Host1 (?P<what>Nb messages|Total size): +(?P<n>\d+) \w+")
_LOOP = re.compile(r"^\+\+\+\+ Looping on each one of (?P<n>\d+) folders to sync")
_NOT_SIMULATED = re.compile(r"does not exist yet, syncing messages will not be simulated")
_ERROR = re.compile(r"^Err \d+/\d+: (?P<text>.*)$")
_MISSING = re.compile(r"^The sync is not finished, there are (?P<n>\d+) among \d+ identified")
_UNIDENTIFIED = re.compile(r"^There are (?P<n>\d+) unidentified messages")
_FOLDER_LOST = re.compile(
    r"Could not create folder \[.+\] from \[(?P<created>.+)\]:"
    r"|Host1 [Ff]older (?P<selected>.+): Could not select"
)
_IGNORED = re.compile(r"^Host1: warning! ignoring folder (?P<f>.*) because it is not in host1")
_EXIT = re.compile(
    r"^Exiting with return value (?P<rc>\d+) .*?(?P<errors>\d+)/\d+ nb_errors/max_errors"
)
_READABLE = re.compile(r"^(?P<raw>.*)\] = \[.*$")

_STAGES: tuple[tuple[re.Pattern[str], Stage, int], ...] = (
    (re.compile(r"Host(\d) failure: Error login on"), "login", 0),
    (re.compile(r"Host(\d) failure: Can not go to tls"), "tls", 0),
    (re.compile(r"imap connection on host(\d)"), "connect", 0),
    (re.compile(r"lost connection for host(\d)"), "lost", 0),
    (re.compile(r"could not be fetched"), "fetch", 1),
    (re.compile(r"could not append"), "append", 2),
    (re.compile(r"could not add flags"), "flags", 2),
    (re.compile(r"Could not (?:create folder|select)"), "folder", 2),
)


class ImapsyncReader:
    """One run of imapsync."""

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress(phase="connect")
        self.hide: Callable[[str], str] = str
        self._plan = plan
        self._facts = Facts()
        self._folder: FolderTally | None = None
        self._sizes: dict[str, int] = {}
        self._there: dict[str, tuple[int, int]] = {}
        self._seen_failures: set[str] = set()
        self._last_failure = ("", "")
        self._done_before = 0
        self._passed_over = 0
        self._handlers: list[
            tuple[re.Pattern[str], Callable[[re.Match[str]], Iterable[LogLine]]]
        ] = [
            (_COPIED, self._on_copied),
            (_COPYING, self._on_copying),
            (_FAILED, self._on_failed),
            (_SKIPPED, self._on_skipped),
            (_VOID, self._on_void),
            (_FOLDER, self._on_folder),
            (_SELECT, self._on_select),
            (_FOUND, self._on_found),
            (_DUPLICATES, self._on_duplicates),
            (_SIZE, self._on_size),
            (_TOTAL, self._on_total),
            (_LOOP, self._on_loop),
            (_ERROR, self._on_error),
            (_MISSING, self._on_missing),
            (_UNIDENTIFIED, self._on_unidentified),
            (_IGNORED, self._on_ignored),
            (_EXIT, self._on_exit),
        ]

    def feed(self, line: str) -> Iterable[LogLine]:
        """Take one line without its end; update `progress`; return lines for the log."""
        line = line[:_MAX_LINE].rstrip("\r\n")
        left = _LEFT.search(line)
        if left and line.startswith(("ETA: ", "msg ")):
            self._take_left(int(left["left"]), int(left["total"]))
        if line.startswith("ETA: "):
            return []
        for pattern, handler in self._handlers:
            match = pattern.match(line)
            if match:
                return handler(match)
        return self._other(line)

    def conclude(self, status: int) -> Verdict:
        """What `status` means after all lines."""
        self._leave_folder()
        self._note_destination()
        return judge(self._plan, status, self.progress, self._facts)

    # Counting

    def _take_left(self, left: int, total: int) -> None:
        self.progress.messages_total = total
        done = min(max(total - left + self._passed_over, 0), total)
        self.progress.messages_done = max(self.progress.messages_done, done)

    def _on_copied(self, match: re.Match[str]) -> Iterable[LogLine]:
        size = int(match["size"])
        self.progress.bytes_done += size
        return self._folder.copied(size) if self._folder else []

    def _on_copying(self, match: re.Match[str]) -> Iterable[LogLine]:
        return self._folder.copied(0) if self._folder else []

    def _on_failed(self, match: re.Match[str]) -> Iterable[LogLine]:
        text = self._clean(match.string)
        self._seen_failures.add(text)
        self._last_failure = (match["f1"], match["uid"])
        self._facts.add(trouble_of(text))
        size = int(match["whole"] or match["size"])
        self.progress.lose(readable_folder(match["f1"]), match["uid"], size, text)
        self._count_failed()
        return [LogLine(self._shown(match, shortened(text)), "error")]

    def _count_failed(self) -> None:
        """It is dealt with, which imapsync says with the next message only."""
        done, total = self.progress.messages_done + 1, self.progress.messages_total
        self.progress.messages_done = done if total is None else min(done, total)
        if self._folder:
            self._folder.progress.failed += 1

    def _on_skipped(self, match: re.Match[str]) -> Iterable[LogLine]:
        if self._last_failure == (match["f1"], match["uid"]):
            self._passed_over -= 1  # imapsync counts it once more
            return []
        line = LogLine(self._shown(match, self._clean(match.string)), "warning")
        reason: Reason = "too_large" if match["large"] else "other"
        return self._folder.skipped(line, reason) if self._folder else [line]

    def _on_void(self, match: re.Match[str]) -> Iterable[LogLine]:
        folder, size = readable_folder(match["f1"]), int(match["size"])
        self.progress.lose(folder, match["uid"], size, "no header identifies it")
        line = LogLine(self._clean(match.string), "warning")
        return self._folder.skipped(line, "no_headers") if self._folder else [line]

    def _clean(self, text: str) -> str:
        return clean(self.hide(text))

    @staticmethod
    def _shown(match: re.Match[str], text: str) -> str:
        return text.replace(match["f1"], readable_folder(match["f1"]))

    def _on_folder(self, match: re.Match[str]) -> Iterable[LogLine]:
        lines = list(self._leave_folder())
        self._done_before = self.progress.messages_done
        source, destination = _names(match["f1"]), _names(match["f2"])
        name = readable_folder(source)
        progress = FolderProgress(source=name, destination=readable_folder(destination))
        progress.bytes_found = self._sizes.get(name, 0)
        self.progress.folders[name] = progress
        self.progress.folder = name
        self._folder = FolderTally(progress, is_dry_run=self._plan.dry_run)
        lines.append(LogLine(f"Folder {match['i']}/{match['n']}: {name} → {progress.destination}"))
        return lines

    def _leave_folder(self) -> Iterable[LogLine]:
        if self._folder is None:
            return []
        folder, self._folder = self._folder, None
        if folder.progress.bytes_copied == 0 and self._plan.dry_run:
            self._guess_dry_bytes(folder.progress)
        return folder.close(processed=self.progress.messages_done - self._done_before)

    def _note_destination(self) -> None:
        """A real run counts again at its end; what a dry run counted first is still true."""
        for folder in self.progress.folders.values():
            found = self._there.get(folder.destination, (None, None))
            folder.destination_messages, folder.destination_bytes = found

    def _guess_dry_bytes(self, folder: FolderProgress) -> None:
        """A dry run names no sizes: take the folder's share."""
        size = self._sizes.get(folder.source, 0)
        folder.bytes_copied = size * folder.copied // folder.found if folder.found else 0

    def _on_select(self, match: re.Match[str]) -> Iterable[LogLine]:
        if self._folder:
            self._folder.progress.found = int(match["n"])
        return []

    _on_found = _on_select

    def _on_duplicates(self, match: re.Match[str]) -> Iterable[LogLine]:
        number = int(match["n"])
        if not self._folder or not number:
            return []
        self._folder.progress.skip("duplicate", number)
        name = self._folder.progress.source
        return [LogLine(f"{name}: {counted(number, 'duplicate')} within the folder left out")]

    def _on_size(self, match: re.Match[str]) -> Iterable[LogLine]:
        name = readable_folder(_names(match["f"]))
        if match["side"] == "2":
            self._there[name] = int(match["n"]), int(match["bytes"])
        elif self.progress.phase != "verify":
            self._sizes[name] = int(match["bytes"])
        return []

    def _on_total(self, match: re.Match[str]) -> Iterable[LogLine]:
        number = int(match["n"])
        if match["what"] == "Nb messages":
            self.progress.messages_total = number
            return [LogLine(f"{counted(number, 'message')} at the source")]
        self.progress.bytes_total = number
        return [LogLine(f"{volume(number)} at the source")]

    # Phases and the end

    def _on_loop(self, match: re.Match[str]) -> Iterable[LogLine]:
        self.progress.phase = "copy"
        if not self._plan.dry_run:
            self._there.clear()
        self.progress.folders_total = int(match["n"])
        self._facts.has_started_copying = True
        return [LogLine(f"{counted(self.progress.folders_total, 'folder')} to go through")]

    def _on_error(self, match: re.Match[str]) -> Iterable[LogLine]:
        text = self._clean(match["text"])
        if text in self._seen_failures:
            return []
        return self._failure(text)

    def _on_missing(self, match: re.Match[str]) -> Iterable[LogLine]:
        self._facts.missing = int(match["n"])
        return [LogLine(self._clean(match.string), "info" if self._plan.dry_run else "warning")]

    def _on_unidentified(self, match: re.Match[str]) -> Iterable[LogLine]:
        self._facts.unidentified = 0 if self._knows_unidentified() else int(match["n"])
        return []

    def _knows_unidentified(self) -> bool:
        """With --addheader they are copied all the same; what is not shows as skipped."""
        return not any(folder.skipped for folder in self.progress.folders.values())

    def _on_ignored(self, match: re.Match[str]) -> Iterable[LogLine]:
        name = readable_folder(match["f"])
        self._facts.unknown_folders.append(name)
        return [LogLine(f"Folder {name} is not at the source", "warning")]

    def _on_exit(self, match: re.Match[str]) -> Iterable[LogLine]:
        self._facts.has_ended = True
        self._facts.trouble_count = max(self._facts.trouble_count, int(match["errors"]))
        return [LogLine(self._clean(match.string))] if int(match["rc"]) else []

    def _other(self, line: str) -> Iterable[LogLine]:
        lines: list[LogLine] = []
        if line.startswith("++++ Listing folders") and self.progress.phase == "connect":
            self.progress.phase = "compare"
        elif line.startswith("++++ End looping"):
            lines.extend(self._leave_folder())
            self.progress.phase = "verify"
        elif _NOT_SIMULATED.search(line) and self._folder:
            self._pass_over(self._folder)
        if line.startswith(("Failure: ", "Host1 failure: ", "Host2 failure: ")):
            return [*lines, *self._failure(self._clean(line))]
        if line.startswith("Could not create folder"):
            return [*lines, *self._failure(self._clean(line))]
        if not noise.is_noise(line):
            lines.append(LogLine(self._clean(noise.readable(line))))
        return lines

    def _pass_over(self, folder: FolderTally) -> None:
        """A dry run skips a folder that is not there yet; said again for each parent."""
        if folder.progress.copied == 0:
            folder.copied_all()
            self._passed_over += folder.progress.found
            self.progress.messages_done += folder.progress.found

    def _failure(self, text: str) -> Iterable[LogLine]:
        self._seen_failures.add(text)
        self._facts.add(trouble_of(text))
        if match := _FOLDER_LOST.search(text):
            name = _names(match["created"] or match["selected"])
            self.progress.lose(readable_folder(name), "", None, text)
        return [LogLine(text, "error")]


def _names(text: str) -> str:
    """The server's name out of `raw] = [readable`."""
    match = _READABLE.search(text)
    return match["raw"] if match else text


def trouble_of(text: str) -> Trouble:
    """What imapsync was doing when it said this."""
    for pattern, stage, side in _STAGES:
        match = pattern.search(text)
        if match:
            return Trouble(stage, side or int(match[1]), text)
    return Trouble("other", 0, text)
