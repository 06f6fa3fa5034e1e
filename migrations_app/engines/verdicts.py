"""What the end of a run means: the next state, the cause, and a sentence with the next step.

Both engines use imapsync's exit values, and their readers describe what went wrong in the same
few words, so one table serves both. A status alone is too coarse: what the servers said decides.
"""

from __future__ import annotations

import re
import signal
import socket
from dataclasses import dataclass, field
from typing import Literal

from migrations_app.engines.base import Progress, Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.wording import server_words

MAX_TROUBLES = 1000


Stage = Literal["connect", "tls", "login", "lost", "fetch", "append", "folder", "flags", "other"]


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong: while doing what, at which end, and what was said."""

    stage: Stage
    side: int
    """1 is the source, 2 the destination, as both engines number them."""
    text: str


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


_BOTH: dict[str, tuple[Cause, Cause]] = {
    "password": (Cause.SOURCE_PASSWORD, Cause.DESTINATION_PASSWORD),
    "host": (Cause.SOURCE_HOST, Cause.DESTINATION_HOST),
    "unreachable": (Cause.SOURCE_UNREACHABLE, Cause.DESTINATION_UNREACHABLE),
    "certificate": (Cause.SOURCE_CERTIFICATE, Cause.DESTINATION_CERTIFICATE),
    "tls": (Cause.SOURCE_TLS, Cause.DESTINATION_TLS),
    "busy": (Cause.SOURCE_BUSY, Cause.DESTINATION_BUSY),
    "throttled": (Cause.SOURCE_THROTTLED, Cause.DESTINATION_THROTTLED),
    "lost": (Cause.SOURCE_LOST, Cause.DESTINATION_LOST),
}
_CERTIFICATE = r"certificate verify failed|hostname mismatch|hostname verification failed"
_UNKNOWN_HOST = (
    r"Invalid argument|Name or service not known|nodename nor servname|name resolution|No address"
)
_NOT_TLS = r"wrong version number|SSL connect attempt failed|SSL handshake|unexpected eof|STARTTLS"
_NEEDS_TLS = r"PRIVACYREQUIRED|Plaintext authentication disallowed|LOGINDISABLED"
_BUSY = r"\[LIMIT\]|too many (?:simultaneous )?connections|Maximum number of connections"
_THROTTLED = r"throttled|\[UNAVAILABLE\]|\[INUSE\]|Session expired|Suggested Backoff"
_GONE = (
    r"socket closed|Connection reset|Broken pipe|Unable to connect|not connected|timeout waiting"
    r"|timed out|EOF"
)
_TOO_LARGE = (
    r"\[LIMIT\]|\[TOOBIG\]|larger than the maximum|size exceed|maximum message size|Maximum size"
)
_FULL = r"OVERQUOTA|Quota limit will be exceeded|full: it is time|mailbox is full"
_WORDS: dict[Stage, dict[str, str | Cause]] = {
    "connect": {
        _CERTIFICATE: "certificate",
        _UNKNOWN_HOST: "host",
        _NOT_TLS: "tls",
        _BUSY: "busy",
        _THROTTLED: "throttled",
        "": "unreachable",
    },
    "tls": {_CERTIFICATE: "certificate", "": "tls"},
    "login": {
        _NEEDS_TLS: "tls",
        _BUSY: "busy",
        _THROTTLED: "throttled",
        _GONE: "lost",
        "": "password",
    },
    "lost": {_THROTTLED: "throttled", "": "lost"},
    "fetch": {_THROTTLED: "throttled", _GONE: "lost", "": Cause.MESSAGES_UNREADABLE},
    "append": {
        _FULL: Cause.DESTINATION_FULL,
        _TOO_LARGE: Cause.MESSAGES_TOO_LARGE,
        _THROTTLED: "throttled",
        _GONE: "lost",
        "": Cause.MESSAGES_REFUSED,
    },
    "folder": {_FULL: Cause.DESTINATION_FULL, "": Cause.FOLDERS_REFUSED},
    "flags": {"": Cause.FLAGS_REFUSED},
    "other": {_FULL: Cause.DESTINATION_FULL, "": Cause.UNKNOWN},
}


def cause_of(trouble: Trouble) -> Cause:
    """The cause that one trouble speaks of."""
    for pattern, kind in _WORDS[trouble.stage].items():
        if re.search(pattern, trouble.text, re.IGNORECASE):
            return kind if isinstance(kind, Cause) else _BOTH[kind][max(trouble.side, 1) - 1]
    raise AssertionError


_STATUS_CAUSES = {
    8: Cause.ALREADY_RUNNING,
    64: Cause.ENGINE_SETTINGS,
    66: Cause.ENGINE_SETTINGS,
    69: Cause.UNKNOWN,
    70: Cause.ENGINE_CRASHED,
    101: Cause.SOURCE_UNREACHABLE,
    102: Cause.DESTINATION_UNREACHABLE,
    113: Cause.DESTINATION_FULL,
    114: Cause.MESSAGES_REFUSED,
    115: Cause.MESSAGES_UNREADABLE,
    116: Cause.FOLDERS_REFUSED,
    117: Cause.FOLDERS_REFUSED,
    118: Cause.SOURCE_THROTTLED,
    119: Cause.MESSAGES_REFUSED,
    120: Cause.FLAGS_REFUSED,
    161: Cause.SOURCE_PASSWORD,
    162: Cause.DESTINATION_PASSWORD,
}
_PRIORITY = [
    *(pair[0] for pair in _BOTH.values()),
    *(pair[1] for pair in _BOTH.values()),
    Cause.DESTINATION_FULL,
    Cause.MESSAGES_TOO_LARGE,
    Cause.MESSAGES_REFUSED,
    Cause.MESSAGES_UNREADABLE,
    Cause.FOLDERS_REFUSED,
    Cause.FLAGS_REFUSED,
]


def judge(plan: Plan, status: int, progress: Progress, facts: Facts) -> Verdict:
    """How the run ended, in the words of the page."""
    if status < 0:
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
    sentences = [_sentence(cause, plan, status, facts)]
    if cause.value.startswith("source_") and not facts.has_started_copying:
        found = {cause_of(trouble) for trouble in facts.troubles}
        others = [other for _, other in _BOTH.values() if other in found]
        sentences += [_sentence(other, plan, status, facts) for other in others]
    return " ".join(sentences)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stopped(by: str) -> Verdict:
    why = {
        "SIGKILL": " Perhaps the machine ran out of memory.",
        "SIGPIPE": " A server hung up while the engine was writing to it.",
    }.get(by, "")
    return Verdict(
        "interrupted",
        Cause.STOPPED,
        f"The run was stopped by {by}.{why} Run it again: nothing is copied twice.",
    )


def _ended(plan: Plan, progress: Progress, facts: Facts, counts: Counts) -> Verdict:
    if not (facts.has_ended and facts.has_started_copying):
        return Verdict(
            "failed",
            Cause.ENGINE_CRASHED,
            "The engine ended without looking at any folder. Read the log, then run it again.",
        )
    cause = _worst(0, facts) if facts.trouble_count else None
    troubles = [_sentence(cause, plan, 0, facts)] if cause else []
    if counts.failed and not cause:
        cause = Cause.MESSAGES_REFUSED
    if facts.missing > counts.skipped and not plan.dry_run and not cause:
        cause = Cause.MESSAGES_MISSING
        troubles.append(
            f"{_messages(facts.missing)} missing at the destination. "
            "Run it again; only what is missing is copied."
        )
    if facts.unidentified and not cause:
        cause = Cause.MESSAGES_MISSING
        troubles.append(f"{_messages(facts.unidentified)} left out: no header identifies them.")
    if facts.unknown_folders and not cause:
        cause = Cause.FOLDERS_REFUSED
        names = ", ".join(facts.unknown_folders[:3])
        troubles.append(f"Not found at the source: {names}. Check the folder names.")
    words = " ".join([_tally(plan, counts, progress), *troubles])
    return Verdict("done_with_errors" if cause else "done", cause, words)


def _worst(status: int, facts: Facts) -> Cause:
    """The most telling cause among the errors, or else what the status stands for."""
    found = {cause_of(trouble) for trouble in facts.troubles}
    for cause in _PRIORITY:
        if cause in found:
            return cause
    return _STATUS_CAUSES.get(status, Cause.UNKNOWN)


def _messages(count: int) -> str:
    return f"{count:,} message is" if count == 1 else f"{count:,} messages are"


def _copied_so_far(counts: Counts) -> str:
    return f"{_messages(counts.copied)} already copied and will not be copied again."


def _tally(plan: Plan, counts: Counts, progress: Progress | None = None) -> str:
    """How many messages went where."""
    noun = "message" if counts.copied == 1 else "messages"
    if plan.dry_run:
        size = sum(folder.bytes_copied for folder in progress.folders.values()) if progress else 0
        volume = f" ({_volume(size)})" if size else ""
        text = f"Dry run: {counts.copied:,} {noun}{volume} would be copied"
    else:
        text = f"{counts.copied:,} {noun} copied"
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


def _volume(size: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size = size / 1000  # type: ignore[assignment]  # becomes a float after the first unit
    raise AssertionError


def _sentence(cause: Cause, plan: Plan, status: int, facts: Facts) -> str:
    fitting = [trouble.text for trouble in facts.troubles if cause_of(trouble) == cause]
    error = next(iter(fitting or [trouble.text for trouble in facts.troubles]), "")
    is_source = not cause.value.startswith("destination_")
    end = plan.source if is_source else plan.destination
    kind = cause.value.split("_", 1)[1] if cause.value.startswith(("source_", "dest")) else ""
    template = (
        _SENTENCES.get(kind) or _OTHER_SENTENCES.get(cause) or _OTHER_SENTENCES[Cause.UNKNOWN]
    )
    if kind in {"host", "unreachable"} and error:
        template = _connection_words(template, end, error)
    return template.format(
        side="source" if is_source else "destination",
        host=f"{end.host}:{end.port}",
        name=end.host,
        user=end.user,
        status=status,
        count=f"{facts.trouble_count:,}",
        seconds=plan.options.timeout_seconds,
        said=f" It said: {said}." if (said := server_words(error)) else "",
    )


def _connection_words(template: str, end: Endpoint, error: str) -> str:
    """`Invalid argument` is what Perl says of a name it cannot look up; look it up ourselves."""
    if re.search("Invalid argument", error):
        try:
            socket.getaddrinfo(end.host, end.port)
        except (OSError, UnicodeError):
            return _SENTENCES["host"]
        return _SENTENCES["unreachable"]
    return template


_SENTENCES = {
    "password": (
        "The {side} server {name} refused the sign-in of {user}. Check the address and the "
        "password (some providers need an app password), then run it again.{said}"
    ),
    "host": (
        "The {side} server {name} is unknown: the name cannot be looked up. "
        "Check how it is written, then run it again."
    ),
    "unreachable": (
        "No connection to the {side} server {host}. Check host and port, or wait until the "
        "server answers, then run it again.{said}"
    ),
    "certificate": (
        "The certificate of the {side} server {host} is not trusted. Use the host name the "
        "certificate was made for, or name a private authority in IMAP_CA_FILE."
    ),
    "tls": (
        "The {side} server {host} does not speak TLS as it was set. Check port and security: "
        "TLS is usually port 993, STARTTLS port 143.{said}"
    ),
    "busy": (
        "The {side} server {name} allows no further connection for {user}. Close other mail "
        "programs or wait some minutes, then run it again.{said}"
    ),
    "throttled": (
        "The {side} server {name} is slowing us down. Wait some minutes, then run it again, "
        "perhaps with a bandwidth limit.{said}"
    ),
    "lost": (
        "The connection to the {side} server {name} was lost and did not come back. "
        "Run it again; only what is missing is copied.{said}"
    ),
    "full": (
        "The destination mailbox {user} is full. Make room or raise its quota, then run it "
        "again; only what is missing is copied.{said}"
    ),
}
_OTHER_SENTENCES = {
    Cause.MESSAGES_TOO_LARGE: (
        "Some messages are larger than the destination accepts. The log names them; "
        "save them by hand or set a size limit.{said}"
    ),
    Cause.MESSAGES_REFUSED: (
        "The destination refused some messages. The log names them; run it again to try "
        "them once more.{said}"
    ),
    Cause.MESSAGES_UNREADABLE: (
        "The source could not hand out some messages. The log names them; run it again to "
        "try them once more.{said}"
    ),
    Cause.FOLDERS_REFUSED: (
        "Some folders could not be opened or created. The log names them; rename or exclude "
        "them, then run it again.{said}"
    ),
    Cause.FLAGS_REFUSED: (
        "The destination refused some flags. The messages themselves are there.{said}"
    ),
    Cause.ALREADY_RUNNING: (
        "Another run of this job seems to be active. Wait until it ends, then run it again."
    ),
    Cause.ENGINE_SETTINGS: (
        "The engine did not accept its settings (status {status}). Its version may be too old "
        "or too new: see the log.{said}"
    ),
    Cause.ENGINE_CRASHED: (
        "The engine stopped unexpectedly (status {status}). Read the end of the log, "
        "then run it again.{said}"
    ),
    Cause.UNKNOWN: (
        "The engine ended with status {status}, which is not known here. "
        "Read the end of the log, then run it again.{said}"
    ),
}
