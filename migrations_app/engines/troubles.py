"""What went wrong in a run, in a form both engines share, and the cause each piece speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from migrations_app.engines.causes import Cause

Stage = Literal["connect", "tls", "login", "lost", "fetch", "append", "folder", "flags", "other"]


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong: while doing what, at which end, and what was said."""

    stage: Stage
    side: int
    """1 is the source, 2 the destination, as both engines number them."""
    text: str


BOTH_ENDS: dict[str, tuple[Cause, Cause]] = {
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
_REFUSED = r"\[(?:AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]"
_ASKS_FOR_TIME = r"\[(?:UNAVAILABLE|INUSE|SERVERBUG|OVERQUOTA)\]"
_LOCKED = r"(?:account|user|login|sign-?in)\b.{0,40}\block(?:ed|out)|too many failed"
_BUSY = r"\[LIMIT\]|too many (?:simultaneous )?connections|Maximum number of connections"
_THROTTLED = (
    r"throttled|\[UNAVAILABLE\]|\[INUSE\]|\[SERVERBUG\]|Session expired|Suggested Backoff"
    r"|bandwidth limit|rate limit|too many (?:requests|commands|log-?ins?|failed)"
    r"|temporar(?:y|ily)|again later|server is busy"
)
_OUT_OF_ORDER = rf"{_THROTTLED}|internal (?:server )?error"
_GONE = (
    r"socket closed|Connection reset|Broken pipe|Unable to connect|not connected|timeout waiting"
    r"|timed out|EOF"
)
_TOO_LARGE = (
    r"\[LIMIT\]|\[TOOBIG\]|larger than the maximum|size exceed|maximum message size|Maximum size"
    r"|(?:message|mail) (?:is )?too (?:large|big)"
)
_BUDGET = r"Maximum bytes transferred reached"
_FULL = (
    r"OVERQUOTA|over (?:its |your |the )?(?:disk )?quota|quota (?:\w+ ){0,3}exceeded"
    r"|exceed\w* (?:\w+ ){0,3}quota|mailbox (?:is )?full|full: it is time|no space left|disk full"
)
_WHOSE = re.compile(r"^Host\d failure: .*? with user \[.*?\](?: auth \[.*?\])?: ")
"""What imapsync puts before the server's words; an address may hold any word itself."""
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
        _REFUSED: "password",  # also where it says “try again later”: that would lock the account
        _NEEDS_TLS: "tls",
        _BUSY: "busy",
        _ASKS_FOR_TIME: "throttled",
        _LOCKED: "password",
        _OUT_OF_ORDER: "throttled",
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
    "other": {_BUDGET: Cause.BUDGET_SPENT, _FULL: Cause.DESTINATION_FULL, "": Cause.UNKNOWN},
}


def cause_of(trouble: Trouble) -> Cause:
    """The cause that one trouble speaks of."""
    said = _WHOSE.sub("", trouble.text)
    for pattern, kind in _WORDS[trouble.stage].items():
        if re.search(pattern, said, re.IGNORECASE):
            return kind if isinstance(kind, Cause) else BOTH_ENDS[kind][max(trouble.side, 1) - 1]
    raise AssertionError
