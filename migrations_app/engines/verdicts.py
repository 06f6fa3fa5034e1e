"""What the end of a run means: the next state, the cause, and a sentence with the next step.

Both engines use imapsync's exit values, and their readers describe what went wrong in the same
few words, so one table serves both. A status alone is too coarse: what the servers said decides.
"""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field

from imapclient.imap_utf7 import encode

from migrations_app.engines.base import Progress, Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Plan
from migrations_app.engines.selection import is_selected
from migrations_app.engines.sentences import sentence_for
from migrations_app.engines.troubles import BOTH_ENDS, Trouble, cause_of
from migrations_app.engines.wording import counted, volume

MAX_TROUBLES = 1000
NAMED = 3
"""So many messages or folders stand in a verdict; the page and the report list the rest."""


@dataclass
class Facts:
    """What a reader found out about a run, beside its progress."""

    troubles: list[Trouble] = field(default_factory=list)
    """Without subjects; the first `MAX_TROUBLES`."""
    trouble_count: int = 0
    has_started_copying: bool = False
    has_ended: bool = False
    """The engine wrote its closing line: it ended by itself."""
    missing: int = 0
    """Identified messages of the source that are not at the destination, says the engine."""
    unidentified: int = 0
    unknown_folders: list[str] = field(default_factory=list)

    def add(self, trouble: Trouble) -> None:
        """Remember a trouble."""
        self.trouble_count += 1
        if len(self.troubles) < MAX_TROUBLES:
            self.troubles.append(trouble)


@dataclass(frozen=True)
class Counts:
    """Sums over all folders."""

    copied: int
    present: int
    skipped: int
    failed: int

    @classmethod
    def of(cls, progress: Progress) -> Counts:
        """Add up."""
        folders = progress.folders.values()
        return cls(
            copied=sum(folder.copied for folder in folders),
            present=sum(folder.present for folder in folders),
            skipped=sum(folder.skipped for folder in folders),
            failed=sum(folder.failed for folder in folders),
        )


STATUS_CAUSES = {
    1: Cause.ENGINE_CRASHED,
    8: Cause.ALREADY_RUNNING,
    10: Cause.CONNECTION_LOST,
    12: Cause.NO_TLS,
    16: Cause.SIGN_IN_REFUSED,
    21: Cause.ENGINE_SETTINGS,
    64: Cause.ENGINE_SETTINGS,
    66: Cause.ENGINE_SETTINGS,
    69: Cause.ENGINE_CRASHED,
    70: Cause.ENGINE_CRASHED,
    101: Cause.SOURCE_UNREACHABLE,
    102: Cause.DESTINATION_UNREACHABLE,
    111: Cause.UNKNOWN,
    112: Cause.UNKNOWN,
    113: Cause.DESTINATION_FULL,
    114: Cause.MESSAGES_REFUSED,
    115: Cause.MESSAGES_UNREADABLE,
    116: Cause.FOLDERS_REFUSED,
    117: Cause.FOLDERS_REFUSED,
    118: Cause.BUDGET_SPENT,
    119: Cause.MESSAGES_REFUSED,
    120: Cause.FLAGS_REFUSED,
    126: Cause.ENGINE_MISSING,
    127: Cause.ENGINE_MISSING,
    161: Cause.SOURCE_PASSWORD,
    162: Cause.DESTINATION_PASSWORD,
    254: Cause.ENGINE_SETTINGS,
}
"""What a status stands for where no server said anything: imapsync's values, and the shell's two.

0, 6 and 7 are endings of their own; a negative one is a signal.
"""
_WITHOUT_CLOSING_LINE = {64, 66, 126, 127}
"""An engine that never began. Else a run without that line died, and Perl dies with any number."""
_BY_SHELL = {128 + number: -number for number in (1, 2, 3, 6, 9, 11, 13, 15)}
"""How a script around an engine tells of its death by a signal."""
DECISIVE = {118: Cause.BUDGET_SPENT, -signal.SIGPIPE: Cause.CONNECTION_LOST}
"""Statuses that say more than any message that failed before.

imapsync dies of SIGPIPE when it writes to a server that hung up; its own output is always read.
"""
_OF_SERVERS = [
    Cause.BUDGET_SPENT,
    *BOTH_ENDS["password"],  # before what passes by itself: it must not be tried again unasked
    *(pair[0] for pair in BOTH_ENDS.values()),
    *(pair[1] for pair in BOTH_ENDS.values()),
]
_OF_MESSAGES = [
    Cause.DESTINATION_FULL,
    Cause.MESSAGES_TOO_LARGE,
    Cause.MESSAGES_REFUSED,
    Cause.MESSAGES_UNREADABLE,
    Cause.FOLDERS_REFUSED,
    Cause.FLAGS_REFUSED,
]


def judge(plan: Plan, status: int, progress: Progress, facts: Facts) -> Verdict:
    """How the run ended, in the words of the page."""
    status = _BY_SHELL.get(status, status)
    if status < 0 and status not in DECISIVE:
        return _stopped(_signal_name(-status))
    if status in _STOPPED:
        return _stopped(_STOPPED[status])
    counts = Counts.of(progress)
    if status == 0:
        return _ended(plan, progress, facts, counts)
    cause = _worst(status, facts)
    sentence = _both_ends(cause, plan, status, facts)
    has_seen_all = (
        progress.messages_total is not None and progress.messages_done >= progress.messages_total
    )
    reached = counts.copied + counts.present
    if facts.has_started_copying and has_seen_all and reached > counts.failed:
        return Verdict("done_with_errors", cause, f"{_tally(plan, counts)} {sentence}")
    if counts.copied and not plan.dry_run:
        sentence = f"{sentence} {_copied_so_far(counts)}"
    return Verdict("failed", cause, sentence)


_STOPPED = {6: "a signal", 7: "its stop file"}


def _both_ends(cause: Cause, plan: Plan, status: int, facts: Facts) -> str:
    """The sentence of the cause; one more where the other end has a trouble of its own."""
    causes = [cause]
    if cause.end and not facts.has_started_copying:
        found = {cause_of(trouble) for trouble in facts.troubles}
        other = 1 if cause.end == "source" else 0
        causes += [pair[other] for pair in BOTH_ENDS.values() if pair[other] in found]
    return " ".join(sentence_for(each, plan, status, facts.troubles) for each in causes)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stopped(by: str) -> Verdict:
    why = " Perhaps the machine ran out of memory." if by == "SIGKILL" else ""
    return Verdict("interrupted", Cause.STOPPED, f"The engine was stopped by {by}.{why}")


def _ended(plan: Plan, progress: Progress, facts: Facts, counts: Counts) -> Verdict:
    if not (facts.has_ended and facts.has_started_copying):
        missed = "looking at any folder" if facts.has_ended else "saying how it went"
        sentence = f"The engine ended without {missed}. Read the end of the log, then run it again."
        return Verdict("failed", Cause.ENGINE_CRASHED, sentence)
    cause = _worst(0, facts) if facts.trouble_count else None
    troubles = [sentence_for(cause, plan, 0, facts.troubles)] if cause else []
    if counts.failed and not cause:
        cause = Cause.MESSAGES_REFUSED
    if facts.missing > counts.skipped and not plan.dry_run and not cause:
        cause = Cause.MESSAGES_MISSING
        troubles.append(_about_missing(facts.missing, progress))
    if facts.unidentified and not cause:
        cause = Cause.MESSAGES_MISSING
        troubles.append(_about_unidentified(facts.unidentified, progress))
    unknown = [*facts.unknown_folders, *_not_met(plan, progress)]
    if unknown and not cause:
        cause = Cause.FOLDERS_REFUSED
        names = ", ".join(unknown[:3])
        troubles.append(f"Not found at the source: {names}. Check the folder names.")
    words = " ".join([_tally(plan, counts, progress), *troubles])
    return Verdict("done_with_errors" if cause else "done", cause, words)


def _about_missing(number: int, progress: Progress) -> str:
    """The engine tells how many; where, the sizes at both ends tell as far as they can."""
    folders = [f"{name} ({count:,})" for name, count in _short_folders(progress).items()]
    where = (
        f"fewer than there should be are in {_first(folders)}"
        if folders
        else "compare the folders at both ends, as the report lists them"
    )
    return (
        f"{_messages(number)} missing at the destination. The engine does not name "
        f"{'it' if number == 1 else 'them'}: {where}. "
        "Run it again; only what is missing is copied."
    )


def _short_folders(progress: Progress) -> dict[str, int]:
    """Folders of the destination that hold fewer messages than were copied or found there."""
    due: Counter[str] = Counter()
    held: dict[str, int] = {}
    for folder in progress.folders.values():
        due[folder.destination] += folder.copied + folder.present
        if folder.destination_messages is not None:
            held[folder.destination] = folder.destination_messages
    return {name: due[name] - number for name, number in held.items() if number < due[name]}


def _about_unidentified(number: int, progress: Progress) -> str:
    """Messages without the headers that tell one from another."""
    left_out = f"{_messages(number)} left out, because no header identifies"
    names = [f"{loss.folder} UID {loss.uid}" for loss in progress.losses.values() if loss.uid]
    them = "it" if number == 1 else "them"
    named = (
        f"{left_out} {_first(names, of=number)}."
        if names
        else f"{left_out} {them}. The engine does not name {them}: the log may."
    )
    return f"{named} Copy {them} with a mail program."


def _first(names: list[str], *, of: int = 0) -> str:
    """The first few names, and how many more there are."""
    rest = max(of, len(names)) - len(names[:NAMED])
    words = ", ".join(names[:NAMED])
    return f"{words} and {rest:,} more" if rest > 0 else words


def _not_met(plan: Plan, progress: Progress) -> list[str]:
    """Folders that were asked for and are not there."""
    met = [encode(name).decode("ascii") for name in progress.folders]
    return [
        name
        for name in plan.options.include
        if is_selected(encode(name).decode("ascii"), include=(), exclude=plan.options.exclude)
        and not any(is_selected(folder, include=[name], exclude=()) for folder in met)
    ]


def _worst(status: int, facts: Facts) -> Cause:
    """The most telling cause among the errors, or else what the status stands for.

    What happened to some messages does not tell why an engine died before it came to the others.
    """
    if status in DECISIVE:
        return DECISIVE[status]
    found = {cause_of(trouble) for trouble in facts.troubles}
    meaning = _meaning(status, facts)
    telling = _OF_SERVERS if meaning == Cause.ENGINE_CRASHED else [*_OF_SERVERS, *_OF_MESSAGES]
    return next((cause for cause in telling if cause in found), meaning)


def _meaning(status: int, facts: Facts) -> Cause:
    if facts.has_ended or status in _WITHOUT_CLOSING_LINE:
        return STATUS_CAUSES.get(status, Cause.UNKNOWN)
    return Cause.ENGINE_CRASHED


def _messages(count: int) -> str:
    return f"{counted(count, 'message')} {'is' if count == 1 else 'are'}"


def _copied_so_far(counts: Counts) -> str:
    return f"{_messages(counts.copied)} already copied and will not be copied again."


def _tally(plan: Plan, counts: Counts, progress: Progress | None = None) -> str:
    """How many messages went where."""
    messages = counted(counts.copied, "message")
    if plan.dry_run:
        size = sum(folder.bytes_copied for folder in progress.folders.values()) if progress else 0
        in_all = f" ({volume(size)})" if size else ""
        text = f"Dry run: {messages}{in_all} would be copied"
    else:
        text = f"{messages} copied"
    extras = [
        f"{number:,} {words}"
        for number, words in (
            (counts.present, "already there"),
            (counts.skipped, "skipped"),
            (counts.failed, "not copied"),
        )
        if number
    ]
    return f"{', '.join([text, *extras])}."
