"""Reads what a folder holds: identity, flags, date and size of every message, in batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imapclient.datetime_util import datetime_to_INTERNALDATE
from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.identity import FIELDS, added_identity, identity
from migrations_app.engines.builtin.session import Connection, Session, said
from migrations_app.engines.builtin.troubles import SOURCE, TroubleError

BATCH = 500
_STANDARD = {
    flag.lower(): flag
    for flag in (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")
}
_KEYWORD = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message."""

    uid: int
    key: bytes
    flags: frozenset[bytes]
    date: bytes
    size: int
    needs_header: bool = False


@dataclass(frozen=True)
class Contents:
    """One folder."""

    entries: dict[bytes, Entry]
    """By identity; of duplicates the first."""
    found: int
    size: int
    """Bytes of all that is found, duplicates among it."""
    duplicates: int
    next_uid: int
    """All UIDs from here on came after this reading."""
    silent: tuple[int, ...] = ()
    """The UIDs of messages that are there and of which the source says nothing."""


def read_contents(
    session: Session,
    *,
    tick: Callable[[], None],
    max_age_days: int | None = None,
    from_uid: int = 1,
) -> Contents:
    """Everything in the selected folder, or what came since `from_uid`."""
    try:
        with session.talking() as client:
            uids = _uids(client, max_age_days, from_uid)
            entries: dict[bytes, Entry] = {}
            size = duplicates = 0
            silent: list[int] = []
            for entry in _entries(client, uids, silent, is_source=session.side == SOURCE):
                size += entry.size
                if entry.key in entries:
                    duplicates += 1
                else:
                    entries[entry.key] = entry
                tick()
            gone = set(silent) - set(_uids(client, max_age_days, from_uid)) if silent else set()
    except IMAPClientError as error:
        raise TroubleError("folder", session.side, said(error)) from error
    next_uid = max(uids, default=from_uid - 1) + 1
    left = tuple(uid for uid in silent if uid not in gone)
    return Contents(entries, len(uids) - len(gone), size, duplicates, next_uid, left)


def _uids(client: Connection, max_age_days: int | None, from_uid: int) -> list[int]:
    criteria: list[Any] = ["ALL"]
    if max_age_days is not None:
        criteria = ["SENTSINCE", (datetime.now(UTC) - timedelta(days=max_age_days)).date()]
    elif from_uid > 1:
        criteria = ["UID", f"{from_uid}:*"]
    return sorted(uid for uid in client.search(criteria) if uid >= from_uid)


def _entries(
    client: Connection, uids: list[int], silent: list[int], *, is_source: bool
) -> Iterator[Entry]:
    for start in range(0, len(uids), BATCH):
        batch = uids[start : start + BATCH]
        answers = client.fetch(batch, ["FLAGS", "INTERNALDATE", "RFC822.SIZE", FIELDS])
        for uid in batch:
            entry = _entry(uid, answers.get(uid) or {}, is_source=is_source)
            if entry is not None:
                yield entry
            elif is_source:
                silent.append(uid)


def _entry(uid: int, answer: dict[bytes, Any], *, is_source: bool) -> Entry | None:
    header = next((value for name, value in answer.items() if name.startswith(b"BODY[")), None)
    if header is None and b"RFC822.SIZE" not in answer:
        return None
    key = identity(header or b"")
    needs_header = key is None
    if key is None:
        if not is_source:
            return None
        key = added_identity(uid)
    date = answer.get(b"INTERNALDATE")
    return Entry(
        uid=uid,
        key=key,
        flags=frozenset(_flag(flag) for flag in answer.get(b"FLAGS", ())),
        date=f'"{datetime_to_INTERNALDATE(date)}"'.encode() if date else b"",
        size=int(answer.get(b"RFC822.SIZE", 0)),
        needs_header=needs_header,
    )


def _flag(flag: Any) -> bytes:
    """imapclient reads the keyword `123` as a number and `NIL` as nothing."""
    if flag is None:
        return b"NIL"
    name = flag if isinstance(flag, bytes) else str(flag).encode()
    return _STANDARD.get(name.lower(), name)


def flags_for(flags: Iterable[bytes], permanent: Iterable[bytes]) -> frozenset[bytes]:
    """The flags the destination can keep: never \\Recent, no system flag it does not name."""
    allowed = {_STANDARD.get(flag.lower(), flag) for flag in permanent}
    takes_all = not allowed or b"\\*" in allowed
    kept = set()
    for flag in flags:
        is_known = flag in allowed or (takes_all and flag in _STANDARD.values())
        if is_known or (takes_all and _KEYWORD.fullmatch(flag)):
            kept.add(flag)
    return frozenset(kept - {b"\\Recent"})
