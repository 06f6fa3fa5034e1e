"""What every engine offers, so that nothing above knows which one runs.

An engine is a child process. `argv` says how to start it, a `Reader` understands its output line by
line and says in the end what the exit status means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from migrations_app.engines.causes import Cause
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.plan import Plan
from migrations_app.engines.wording import server_words

PhaseName = Literal["", "connect", "compare", "copy", "verify"]
Level = Literal["info", "warning", "error"]
Ending = Literal["done", "done_with_errors", "failed", "interrupted"]
MAX_LOSSES = 1000


@dataclass(frozen=True)
class LostMessage:
    """A message of the source that did not arrive, or a whole folder where `uid` is empty."""

    folder: str
    uid: str
    bytes: int | None
    reason: str
    """What the server said; without a subject."""


@dataclass
class Progress:
    """Where a run stands. Totals are None until they are known."""

    phase: PhaseName = ""
    folder: str = ""
    folders_total: int | None = None
    messages_done: int = 0
    messages_total: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    folders: dict[str, FolderProgress] = field(default_factory=dict)
    """By source folder (readable name), in the order they were met."""
    losses: dict[tuple[str, str], LostMessage] = field(default_factory=dict)
    """By folder and UID, the first `MAX_LOSSES`."""

    def lose(self, folder: str, uid: str, size: int | None, reason: str) -> None:
        """A message did not arrive, or with an empty `uid` none of the folder did."""
        key = (folder, uid)
        if key in self.losses or len(self.losses) < MAX_LOSSES:
            self.losses[key] = LostMessage(folder, uid, size, server_words(reason))

    def begin_again(self, folder: str) -> None:
        """A folder is looked at from its start: what was lost of it may arrive yet."""
        for key in [key for key in self.losses if key[0] == folder]:
            del self.losses[key]


@dataclass(frozen=True)
class LogLine:
    """One line for the log the admin reads; never a password, never a subject."""

    text: str
    level: Level = "info"


@dataclass(frozen=True)
class Verdict:
    """How a run ended: the job's next state, the cause, and a sentence with the next step."""

    state: Ending
    cause: Cause | None
    sentence: str


class Reader(Protocol):
    """Understands one run's output. It must survive any bytes."""

    progress: Progress
    hide: Callable[[str], str]
    """Takes secrets out of a text; asked before a text is cut, which might leave half of one."""

    def feed(self, line: str) -> Iterable[LogLine]:
        """Take one line without its end; update `progress`; return lines for the log."""
        ...

    def conclude(self, status: int) -> Verdict:
        """What `status` means after all lines; a negative one is `-signal`, as in subprocess."""
        ...


class Engine(Protocol):
    """A program that copies one mailbox into another."""

    name: str
    label: str
    """What people call it, with its version where that is known."""
    preload: tuple[str, ...]
    """Modules that may be loaded before the run, where `argv` is `[python, -I, script, …]`."""
    environment: Mapping[str, str]
    """What its process is to find in its environment, besides what every run does."""

    def version(self) -> str:
        """Its version. Raises UnavailableError with the cure when it cannot run here."""
        ...

    def argv(self, plan: Plan, *, passfile1: str, passfile2: str, workdir: Path) -> list[str]:
        """The command line. Passwords come in the two files, one line each, UTF-8."""
        ...

    def reader(self, plan: Plan) -> Reader:
        """A fresh reader for one run."""
        ...
