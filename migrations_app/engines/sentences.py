"""The sentence an admin reads for each cause: what happened, and what to do next."""

from __future__ import annotations

import re
import socket

from migrations_app.engines.causes import Cause
from migrations_app.engines.network_words import remark
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.troubles import Trouble, cause_of
from migrations_app.engines.wording import host_and_port, server_words


def sentence_for(cause: Cause, plan: Plan, status: int, troubles: list[Trouble]) -> str:
    """The sentence, with what the server said about it."""
    fitting = [trouble.text for trouble in troubles if cause_of(trouble) == cause]
    error = next(iter(fitting or [trouble.text for trouble in troubles]), "")
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
        host=host_and_port(end.host, end.port),
        name=end.host,
        user=end.user,
        status=status,
        seconds=plan.options.timeout_seconds,
        said=_said(error),
    )


def _said(error: str) -> str:
    """What the server said, or how the connection to it broke."""
    words = server_words(error)
    if words and (broken := remark(words)):
        return f" {broken}"
    return f" It said: {words}." if words else ""


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
    Cause.SIGN_IN_REFUSED: (
        "One of the servers refused the sign-in. Check both addresses and passwords, "
        "then run it again.{said}"
    ),
    Cause.NO_TLS: (
        "One of the servers does not speak TLS as it was set. Check ports and security: "
        "TLS is usually port 993, STARTTLS port 143.{said}"
    ),
    Cause.CONNECTION_LOST: (
        "The connection to one of the servers broke off. "
        "Run it again; only what is missing is copied."
    ),
    Cause.BUDGET_SPENT: (
        "What may be read from {name} in a day is used up. "
        "The rest is copied on the next day, by itself."
    ),
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
    Cause.ENGINE_MISSING: (
        "The engine could not be started; the log says why. Install it again or correct "
        "IMAPSYNC_PATH, then run the job again."
    ),
    Cause.ENGINE_CRASHED: (
        "The engine stopped unexpectedly (status {status}). Read the end of the log, "
        "then run it again.{said}"
    ),
    Cause.UNKNOWN: (
        "The engine ended with status {status}, for a reason that is not known here. "
        "Read the end of the log, then run it again.{said}"
    ),
}
