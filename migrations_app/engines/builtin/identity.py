"""What makes two messages the same: their Message-Id and Received lines, as imapsync reads them.

Whatever differs here from imapsync makes a duplicate when one engine follows the other. So the
odd parts stay as they are: bytes above 127 count as X, blanks are squeezed, case is ignored,
lines are sorted, and a folded line is joined with the blanks it begins with.
"""

from __future__ import annotations

import hashlib
import re

FIELDS = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID RECEIVED)]"

_LINE_END = re.compile(rb"\r?\n")
_FIELD = re.compile(rb"^(\S+?):\s*")
_HIGH = re.compile(rb"[\x80-\xff]")
_BLANKS = re.compile(rb"\s+")
_BLANK = b" \t\n\r\f\v"
_NAMES = {b"MESSAGE-ID", b"RECEIVED"}


def added_header(uid: int) -> bytes:
    """The line given to a message that has neither header, so that it is known again."""
    return b"Message-Id: <%d@imapsync>" % uid


def identity(header: bytes) -> bytes | None:
    """A short key for these header lines; None where neither header is there."""
    lines = sorted(_normalised(name, value) for name, value in _fields(header))
    return _digest(b"".join(lines)) if lines else None


def added_identity(uid: int) -> bytes:
    """The key of a message that gets `added_header`."""
    return _digest(added_header(uid).upper())


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _fields(header: bytes) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in _LINE_END.split(header):
        if not line.strip(_BLANK):
            continue
        if line.startswith(b")"):
            break
        match = _FIELD.match(line)
        if match:
            fields.append((match[1].upper(), line[match.end() :]))
        elif fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + line)
    return [(name, value) for name, value in fields if name in _NAMES]


def _normalised(name: bytes, value: bytes) -> bytes:
    value = _HIGH.sub(b"X", value).strip(_BLANK)
    return name + b": " + _BLANKS.sub(b" ", value).upper()
