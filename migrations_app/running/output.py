"""What an engine prints, on its way to the log: lines of bounded length, without passwords."""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from django.utils.translation import gettext as _

from migrations_app.engines.base import LogLine
from migrations_app.running import logs

LINE_BYTES = 64 * 1024
HEAD_CHARACTERS = TAIL_CHARACTERS = 250_000
"""So much is kept of what an engine prints between two writes, from its start and from its end."""
HIDDEN = "••••••••"


class Lines:
    """Cuts a stream of bytes into lines; the rest of an overlong line is dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_too_long = False

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that `data` completes."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._keep(piece)
            yield self._take()
        self._keep(rest)

    def end(self) -> Iterator[str]:
        """What is left when the stream ends without a line end."""
        if self._rest:
            yield self._take()

    def _keep(self, piece: bytes) -> None:
        room = LINE_BYTES - len(self._rest)
        self._is_too_long = self._is_too_long or len(piece) > room
        self._rest += piece[:room]

    def _take(self) -> str:
        line = self._rest.decode(errors="replace").rstrip("\r")
        if self._is_too_long:
            line += "…"
        self._rest, self._is_too_long = b"", False
        return line


class Redactor:
    """Replaces known secrets in text, also in the encodings in which a server may echo them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {form for secret in secrets if secret for form in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        )

    def clean(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


class LogBuffer:
    """A run's lines that wait to be stored; the engine never waits for the database.

    Memory is safe from an engine that prints faster than the database takes it: of what waits the
    head and the tail are kept, with a line between them. (`logs.make_room` looks after the rest.)
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = threading.Lock()
        self._empty()

    def add(self, line: LogLine) -> None:
        """Take one line."""
        text = logs.line(self._redactor.clean(line.text), level=line.level)
        with self._lock:
            self._keep(text)

    def has_lines(self) -> bool:
        """Whether anything waits."""
        return bool(self._head)

    def take(self) -> list[str]:
        """The stored form of all that waits. What cannot be stored comes back by `give_back`."""
        with self._lock:
            return self._take()

    def give_back(self, lines: list[str]) -> None:
        """They were not stored, and come before what was added meanwhile."""
        with self._lock:
            for text in [*lines, *self._take()]:
                self._keep(text)

    def _empty(self) -> None:
        self._head: list[str] = []
        self._head_room = HEAD_CHARACTERS
        self._tail: deque[str] = deque()
        self._tail_room = TAIL_CHARACTERS
        self._left_out = 0

    def _keep(self, text: str) -> None:
        if self._head_room > 0:
            self._head_room -= len(text)
            self._head.append(text)
            return
        self._tail.append(text)
        self._tail_room -= len(text)
        while self._tail_room < 0:
            self._tail_room += len(self._tail.popleft())
            self._left_out += 1

    def _take(self) -> list[str]:
        lines = self._head
        if self._left_out:
            words = _("%(count)s lines left out: they came too fast.")
            lines.append(logs.line(words % {"count": f"{self._left_out:,}"}, level="warning"))
        lines += self._tail
        self._empty()
        return lines


def _spellings(secret: str) -> Iterator[str]:
    """The secret as it is, escaped, percent-encoded, quoted-printable and inside base64."""
    raw = secret.encode(errors="surrogateescape")
    yield secret
    yield raw.decode("latin-1")
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield secret.replace("\\", "\\\\").replace('"', '\\"')
    yield html.escape(secret)
    yield quopri.encodestring(raw).decode().replace("=\n", "")
    yield quopri.encodestring(raw, quotetabs=True).decode().replace("=\n", "")
    for encoded in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield encoded
        yield re.sub("%..", lambda match: match[0].lower(), encoded)
    yield from _inside_base64(raw)


def _inside_base64(raw: bytes) -> Iterator[str]:
    """The characters that only the secret decides, at each of the three ways it may be aligned."""
    yield base64.b64encode(raw).decode()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (0, 2, 3)[before]
        last = len(text) - ((before + len(raw)) % 3 > 0)
        if last - first >= 6:
            yield text[first:last]
            yield text[first:last].replace("+", "-").replace("/", "_")
