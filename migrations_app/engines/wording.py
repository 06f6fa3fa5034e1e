"""Words of servers and engines, made fit for the log and the page."""

from __future__ import annotations

import re

from imapclient.imap_utf7 import decode

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SUBJECT = re.compile(r"Subject:\[.*?\](?=,\s*Date:\[|\s*\)|$)")
_ANSWER = re.compile(r"\b(?:NO|BAD|BYE) (?=\S).*")
_PREAMBLE = re.compile(
    r"^.*?(?:with user \[.*?\](?: auth \[.*?\])?|could not be fetched|to folder .*?|Failure"
    r"|on host\d \[.*?\]): |Unable to connect to \S+: +|\d+ OK .*|Unable to start TLS: "
)
_TIMING = re.compile(r" ?\([\d.]+ \+ [\d. +]+secs\)\.?|error:[0-9A-F]{8}:SSL routines::")
_MESSAGE_PART = re.compile(r"\(len=\d+\) ?|Error sending '[^']{0,2000}': ?|Error sending '.*?': ?")


def host_and_port(host: str, port: int) -> str:
    """`imap.example.com:993`, and `[::1]:993`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def counted(number: int, noun: str) -> str:
    """A number with its noun, as “1 message” or “2,000 messages”."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def volume(size: float) -> str:
    """Bytes as people read them."""
    if size < 1000:
        return counted(round(size), "byte")
    for unit in ("kB", "MB"):
        size /= 1000
        if size < 1000:
            return f"{size:,.1f} {unit}"
    return f"{size / 1000:,.1f} GB"


def readable_folder(name: str) -> str:
    """A mailbox name as people read it; names that are not modified UTF-7 stay as they are."""
    try:
        text = decode(name.encode("ascii"))
    except (UnicodeError, ValueError, LookupError):
        text = name
    return _CONTROL.sub(" ", str(text)).encode("utf-8", "replace").decode()


def clean(text: str, *, limit: int = 500) -> str:
    """One line without control characters and without a subject, at most `limit` long."""
    text = _SUBJECT.sub("Subject:[…]", _CONTROL.sub(" ", text[: limit * 20])).strip()
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def server_words(text: str, *, limit: int = 160) -> str:
    """The part of an error that the server or the network said, short enough for a sentence."""
    words = _MESSAGE_PART.sub("", clean(text, limit=2000))
    said = _ANSWER.search(words)
    words = said[0] if said else _PREAMBLE.sub("", words)
    words = _TIMING.sub("", words)
    return clean(words, limit=limit).rstrip(". ")


def shortened(text: str) -> str:
    """An engine's error without the command it sent and the time the server took."""
    return _TIMING.sub("", _MESSAGE_PART.sub("", text))


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """The text without these passwords, should a server echo one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "•••")
    return text
