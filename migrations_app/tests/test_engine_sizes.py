"""What engines count for the report: sizes at both ends, and why messages were left out."""

from __future__ import annotations

import imaplib
from contextlib import contextmanager

import pytest
from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.arrival import count_arrived
from migrations_app.engines.builtin.events import Events
from migrations_app.engines.builtin.troubles import DESTINATION, LostError
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.imapsync.command import ImapsyncEngine
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.models.results import MOST_BYTES, MOST_NUMBER, fitting
from migrations_app.tests import transcripts

pytestmark = pytest.mark.once
ENDS = (Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"))
BEFORE = [
    "Folders sizes before the synchronization. It can take some time. Be patient.",
    "Host1 folder     1/2 [INBOX.Entw&APw-rfe]     Size:    9000 Messages:    12 Biggest:    900",
    "Host2 folder     1/2 [Entw&APw-rfe]           Size:    1000 Messages:     2 Biggest:    900",
    "Host1 folder     2/2 [INBOX.Neu]              Size:      77 Messages:     1 Biggest:     77",
    "Host2 folder     2/2 [Neu]                    does not exist yet",
    "++++ Looping on each one of 2 folders to sync",
    "Folder     1/2 [INBOX.Entw&APw-rfe] = [INBOX.Entwürfe]  -> [Entw&APw-rfe] = [Entwürfe]    ",
    "Host1: folder [INBOX.Entw&APw-rfe] considering 12 messages",
    "Host1: folder [INBOX.Entw&APw-rfe] selected 12 messages, duplicates 3",
    "msg INBOX.Entw&APw-rfe/2 skipped (2053230 exceeds maxsize limit 1000000 bytes)",
    "msg INBOX.Entw&APw-rfe/3 skipped as somebody asked for it",
    "Host1: INBOX.Entw&APw-rfe/12 size 633 ignored (no wanted headers so we ignore this message.)",
    "Folder     2/2 [INBOX.Neu]                 -> [Neu]                            ",
]
AFTER = [
    "++++ End looping on each folder",
    "Folders sizes after the synchronization.",
    "Host1 folder     1/2 [INBOX.Entw&APw-rfe]     Size:  999999 Messages:    99 Biggest:    900",
    "Host2 folder     1/2 [Entw&APw-rfe]           Size:    7000 Messages:     8 Biggest:    900",
]


def imapsync(lines: list[str], *, dry_run: bool = False) -> list[FolderProgress]:
    reader = ImapsyncReader(Plan(*ENDS, dry_run))
    for line in [*transcripts.opening(), *lines]:
        reader.feed(line)
    reader.conclude(0)
    return list(reader.progress.folders.values())


def test_imapsync_tells_sizes_at_both_ends_and_why_messages_were_left_out() -> None:
    drafts, new = imapsync(BEFORE + AFTER)
    assert (drafts.bytes_found, new.bytes_found) == (9000, 77)
    assert (drafts.destination_messages, drafts.destination_bytes) == (8, 7000)
    assert (new.destination_messages, new.destination_bytes) == (None, None)
    assert drafts.skipped_why == {"duplicate": 3, "too_large": 1, "other": 1, "no_headers": 1}
    assert sum(drafts.skipped_why.values()) == drafts.skipped


def test_what_was_there_before_a_real_run_is_not_taken_for_its_end() -> None:
    drafts, _new = imapsync(BEFORE)
    assert drafts.destination_messages is None


def test_a_dry_run_changes_nothing_so_that_its_first_count_holds() -> None:
    drafts, new = imapsync(BEFORE, dry_run=True)
    assert (drafts.destination_messages, drafts.destination_bytes) == (2, 1000)
    assert new.destination_messages is None


@pytest.mark.parametrize("is_dry", [True, False])
def test_only_a_real_run_counts_a_second_time(
    tmp_path: object, settings: object, *, is_dry: bool
) -> None:
    settings.IMAP_CA_FILE = ""
    plan = Plan(*ENDS, is_dry)
    argv = ImapsyncEngine().argv(plan, passfile1="1", passfile2="2", workdir=tmp_path)
    assert ("--nofoldersizesatend" in argv) is is_dry


# The built-in engine


class Server:
    """A destination with one folder of 7,000 messages, each as large as its UID."""

    def __init__(self, *, knows_sizes: bool = False, is_lost: bool = False) -> None:
        self.knows_sizes = knows_sizes
        self.is_lost = is_lost
        self.asked: list[str] = []

    @contextmanager
    def talking(self):
        if self.is_lost:
            raise LostError(DESTINATION, "it hung up")
        yield self

    def has_capability(self, name: str) -> bool:
        assert name == "STATUS=SIZE"
        return self.knows_sizes

    def folder_status(self, name: str, wanted: list[str]) -> dict[bytes, int]:
        self.asked.append(name)
        if name == "Gone":
            raise IMAPClientError("NO such folder")
        return {b"MESSAGES": 7000, b"SIZE": 24_503_500}

    def select_folder(self, name: str, *, readonly: bool) -> None:
        self.asked.append(name)
        assert readonly
        if name == "Gone":
            raise imaplib.IMAP4.error("NO such folder")

    def search(self, criteria: str) -> list[int]:
        return list(range(1, 7001))

    def fetch(self, uids: list[int], wanted: list[str]) -> dict[int, dict[bytes, int]]:
        assert len(uids) <= 5000
        return {uid: {b"RFC822.SIZE": uid} for uid in uids}


class Written(Events):
    """Events kept instead of printed."""

    def write(self, event: str, **values: object) -> None:
        if event != "progress":
            self.lines.append({"event": event, **values})

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, object]] = []


def counted(server: Server, *targets: str) -> list[dict[str, object]]:
    events = Written()
    folders = [(FolderProgress(f"from {target}", target), target) for target in targets]
    count_arrived(server, events, folders)
    return events.lines


@pytest.mark.parametrize("knows_sizes", [True, False])
def test_what_the_destination_holds_is_asked_once_a_folder(*, knows_sizes: bool) -> None:
    server = Server(knows_sizes=knows_sizes)
    lines = counted(server, "Sent", "Gone", "Sent")
    expected = {"event": "arrived", "source": "from Sent", "messages": 7000, "bytes": 24_503_500}
    assert lines == [expected, expected]
    assert server.asked == ["Sent", "Gone"]


def test_a_connection_lost_at_the_end_is_told_and_fails_nothing() -> None:
    (line,) = counted(Server(is_lost=True), "Sent")
    assert line["event"] == "log"
    assert line["level"] == "warning"
    assert "it hung up" in str(line["text"])


# What columns hold


@pytest.mark.parametrize(
    ("name", "most"), [("destination_bytes", MOST_BYTES), ("destination_messages", MOST_NUMBER)]
)
def test_any_number_fits_its_column(name: str, most: int) -> None:
    assert fitting(name, 10**30) == most
    assert fitting(name, None) is None
    assert fitting("destination_bytes", 5_000_000_000) == 5_000_000_000
