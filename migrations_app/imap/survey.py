"""A look at one mailbox that changes nothing there: signs in as the built-in engine does, counts.

What goes wrong is a `TroubleError` in the words of the engines, so that causes and sentences are
theirs. Passwords stand in no exception and no log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.folders import read_folders
from migrations_app.engines.builtin.session import Connection, Session
from migrations_app.engines.builtin.troubles import DESTINATION, LostError, TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options
from migrations_app.engines.selection import is_selected
from migrations_app.engines.troubles import Trouble, cause_of

SILENCE_SECONDS = 20.0
LOOK_SECONDS = 30.0
"""Of one mailbox; sizes that are not known by half of it are left out."""
LOGIN_SECONDS = 30.0
SIZES_AT_ONCE = 500
MOST_BYTES = 20_000_000
"""Of all that a server says meanwhile: half a million sizes, or any number of folders."""

_NO_ANSWER = (IMAPClientError, ValueError, TypeError, LookupError)
"""What a refusal raises, and an answer that makes no sense: it says nothing of other folders."""


@dataclass(frozen=True)
class Found:
    """What is in a mailbox: of the folders that a job would copy, or of all."""

    folders: int
    messages: int
    bytes: int | None
    """None where nobody asked, or where the server took too long to say."""
    closed: int = 0
    """Folders that do not open, so that nothing in them is counted."""


def survey(
    end: Endpoint,
    password: str,
    *,
    side: int,
    options: Options,
    measures: bool = True,
    seconds: float = LOOK_SECONDS,
) -> Found:
    """Sign in and count. Takes `seconds` at the most. Raises TroubleError.

    A server that falls silent over the sizes of a large mailbox is asked once more, without them.
    """
    ends_at = time.monotonic() + seconds
    try:
        return _count(end, password, side=side, options=options, measures=measures, until=ends_at)
    except LostError:
        if not measures or time.monotonic() > ends_at - 1:
            raise
    return _count(end, password, side=side, options=options, measures=False, until=ends_at)


def _count(
    end: Endpoint, password: str, *, side: int, options: Options, measures: bool, until: float
) -> Found:
    seconds = until - time.monotonic()
    with _signed_in(end, password, side=side, seconds=seconds) as session:
        folders = read_folders(session)
        names = [
            name
            for name in folders.names
            if name not in folders.unselectable
            and is_selected(name, include=options.include, exclude=options.exclude)
        ]
        messages, closed, size = 0, 0, 0 if measures else None
        for name in names:
            sizes_until = None if size is None else until - seconds / 2
            try:
                count, more = _look_into(session, name, sizes_until=sizes_until)
            except _NO_ANSWER:
                closed += 1
                continue
            messages += count
            size = None if size is None or more is None else size + more
    return Found(len(names), messages, size, closed)


def lets_in(end: Endpoint, password: str) -> bool | None:
    """Whether a password opens a mailbox; None where the server does not answer that now."""
    try:
        with _signed_in(end, password, side=DESTINATION, seconds=LOGIN_SECONDS):
            return True
    except TroubleError as error:
        cause = cause_of(Trouble(error.stage, error.side, error.text))
        return False if cause == Cause.DESTINATION_PASSWORD else None


@contextmanager
def _signed_in(end: Endpoint, password: str, *, side: int, seconds: float) -> Iterator[Session]:
    session = Session(
        side,
        end,
        password,
        settings.IMAP_CA_FILE,
        SILENCE_SECONDS,
        settings.IMAP_ALLOW_LOCAL,
        most_bytes=MOST_BYTES,
    )
    clock = threading.Timer(seconds, session.cut)
    clock.daemon = True
    clock.start()
    ends_at = time.monotonic() + seconds
    try:
        session.open()
        yield session
    except TroubleError as error:
        if time.monotonic() < ends_at:
            raise
        raise LostError(side, f"timed out: not done within {seconds:.0f} seconds") from error
    finally:
        clock.cancel()
        session.close()


def _look_into(session: Session, name: str, *, sizes_until: float | None) -> tuple[int, int | None]:
    """How many messages a folder has, and how large they are; _NO_ANSWER: it does not open."""
    with session.talking() as client:
        knows_size = sizes_until is not None and client.has_capability("STATUS=SIZE")
        wanted = ["MESSAGES", "SIZE"] if knows_size else ["MESSAGES"]
        answer = client.folder_status(name, wanted)
    count = int(answer.get(b"MESSAGES", 0))
    if knows_size or sizes_until is None or not count:
        return count, int(answer.get(b"SIZE", 0))
    try:
        with session.talking() as client:
            return count, _added_up(client, name, until=sizes_until)
    except _NO_ANSWER:
        return count, None


def _added_up(client: Connection, name: str, *, until: float) -> int | None:
    """The sizes message by message, for servers that do not know the sum."""
    client.use_uid = False
    count = int(client.select_folder(name, readonly=True)[b"EXISTS"])
    total = 0
    for first in range(1, count + 1, SIZES_AT_ONCE):
        if time.monotonic() > until:
            return None
        numbers = range(first, min(first + SIZES_AT_ONCE, count + 1))
        answers = client.fetch(numbers, ["RFC822.SIZE"])
        total += sum(answer.get(b"RFC822.SIZE", 0) for answer in answers.values())
    return total
