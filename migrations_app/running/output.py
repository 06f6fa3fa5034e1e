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
HEAD_CHARACTERS = 4_000_000
TAIL_CHARACTERS = 1_000_000
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

    Both memory and database are safe from an engine that prints without end: of a log that grows
    too long the head is kept and, once the run is over, the tail, with a line between them.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._room = HEAD_CHARACTERS
        self._tail: deque[str] = deque()
        self._tail_room = TAIL_CHARACTERS
        self._left_out = 0

    def add(self, line: LogLine) -> None:
        """Take one line."""
        text = logs.line(self._redactor.clean(line.text), level=line.level)
        with self._lock:
            if self._room > 0:
                self._room -= len(text)
                self._waiting.append(text)
            else:
                self._keep_for_the_end(text)

    def close(self) -> None:
        """The run is over: let the tail follow the head."""
        with self._lock:
            if self._left_out:
                words = _("%(count)s lines left out: the log grew too long.")
                gap = logs.line(words % {"count": f"{self._left_out:,}"}, level="warning")
                self._waiting.append(gap)
            self._waiting += self._tail
            self._tail.clear()

    def waiting(self) -> list[str]:
        """The stored form of what waits; tell `stored` how much of it arrived."""
        with self._lock:
            return list(self._waiting)

    def stored(self, count: int) -> None:
        """Forget the first `count` lines: they are in the database."""
        with self._lock:
            del self._waiting[:count]

    def _keep_for_the_end(self, text: str) -> None:
        self._tail.append(text)
        self._tail_room -= len(text)
        while self._tail_room < 0:
            self._tail_room += len(self._tail.popleft())
            self._left_out += 1


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
