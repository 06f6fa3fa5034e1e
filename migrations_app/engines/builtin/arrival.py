"""Counts what the destination holds once a run is over: a proof that does not rest on our counting.

The mail is copied by then, so that nothing that fails here makes the run fail.
"""

from __future__ import annotations

from collections.abc import Iterable

from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.events import Events
from migrations_app.engines.builtin.session import Connection, Session
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.counts import FolderProgress

BATCH = 5000
Held = tuple[int, int]
"""Messages and bytes of a folder."""


def count_arrived(
    session: Session, events: Events, folders: Iterable[tuple[FolderProgress, str]]
) -> None:
    """Each folder's part of the destination, asked once for those that go into the same one."""
    known: dict[str, Held | None] = {}
    try:
        for folder, target in folders:
            if target not in known:
                known[target] = _held_in(session, target)
                events.progress()
            if held := known[target]:
                events.arrived(folder, *held)
    except TroubleError as error:
        events.log(f"What the destination holds could not be counted: {error.text}", "warning")


def _held_in(session: Session, target: str) -> Held | None:
    """None where there is no such folder, as after a dry run."""
    try:
        with session.talking() as client:
            if client.has_capability("STATUS=SIZE"):
                answer = client.folder_status(target, ["MESSAGES", "SIZE"])
                return answer[b"MESSAGES"], answer[b"SIZE"]
            return _added_up(client, target)
    except (IMAPClientError, KeyError):
        return None


def _added_up(client: Connection, target: str) -> Held:
    """For servers that name sizes message by message only."""
    client.select_folder(target, readonly=True)
    uids = client.search("ALL")
    size = 0
    for start in range(0, len(uids), BATCH):
        answers = client.fetch(uids[start : start + BATCH], ["RFC822.SIZE"])
        size += sum(int(answer.get(b"RFC822.SIZE", 0)) for answer in answers.values())
    return len(uids), size
