"""What a verdict says of messages that are not at the destination: which, or that nobody knows."""

from __future__ import annotations

import pytest

from migrations_app.engines.base import Progress, Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.verdicts import Facts, judge

pytestmark = pytest.mark.once

PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)
EXIT = "Exiting with return value 0 (EX_OK: successful) 0/50 nb_errors/max_errors PID 9"


def folder(
    name: str, *, copied: int = 10, there: int | None = 10, into: str = ""
) -> FolderProgress:
    return FolderProgress(
        name, into or name, found=10, copied=copied, destination_messages=there, is_done=True
    )


def verdict_of(*folders: FolderProgress, missing: int = 0, unidentified: int = 0) -> Verdict:
    progress = Progress(folders={each.source: each for each in folders})
    facts = Facts(
        has_started_copying=True, has_ended=True, missing=missing, unidentified=unidentified
    )
    return judge(PLAN, 0, progress, facts)


def test_folders_that_hold_too_little_are_named() -> None:
    verdict = verdict_of(folder("INBOX"), folder("Sent", there=7), missing=3)
    assert (verdict.state, verdict.cause) == ("done_with_errors", Cause.MESSAGES_MISSING)
    assert (
        "3 messages are missing at the destination. The engine does not name them: "
        "fewer than there should be are in Sent (3). Run it again"
    ) in verdict.sentence


def test_a_few_folders_are_named_and_the_rest_counted() -> None:
    short = [folder(f"F{number}", there=9) for number in range(1205)]
    sentence = verdict_of(*short, missing=1205).sentence
    assert "F0 (1), F1 (1), F2 (1) and 1,202 more." in sentence


def test_two_folders_that_go_into_one_are_counted_together() -> None:
    sentence = verdict_of(
        folder("Sent", there=18), folder("Sent Items", there=18, into="Sent"), missing=2
    ).sentence
    assert "are in Sent (2)." in sentence


def test_where_sizes_tell_nothing_it_says_so_and_what_to_do() -> None:
    sentence = verdict_of(folder("INBOX", there=None), folder("Sent"), missing=1).sentence
    assert (
        "1 message is missing at the destination. The engine does not name it: compare the "
        "folders at both ends, as the report lists them. Run it again"
    ) in sentence


def test_what_imapsync_names_in_its_sizes_at_the_end_is_named() -> None:
    reader = ImapsyncReader(PLAN)
    for line in (
        "Host1 folder     1/1 [INBOX.Entw&APw-rfe]   Size:  900 Messages:   9 Biggest:       100",
        "++++ Looping on each one of 1 folders to sync",
        "Folder    1/1 [INBOX.Entw&APw-rfe]  -> [Entw&APw-rfe]",
        "Host1: folder [INBOX.Entw&APw-rfe] considering 2 messages",
        "msg INBOX.Entw&APw-rfe/1 {99}  copied to Entw&APw-rfe/1  1 msgs/s  1 KiB/s 1 KiB copied",
        "msg INBOX.Entw&APw-rfe/2 {99}  copied to Entw&APw-rfe/2  1 msgs/s  1 KiB/s 1 KiB copied",
        "++++ End looping on each folder",
        "Host2 folder     1/1 [Entw&APw-rfe]   Size:  900 Messages:   1 Biggest:       100",
        "The sync is not finished, there are 1 among 2 identified messages in host1 that …",
        EXIT,
    ):
        reader.feed(line)
    verdict = reader.conclude(0)
    assert verdict.cause == Cause.MESSAGES_MISSING
    assert "fewer than there should be are in Entwürfe (1)." in verdict.sentence


def test_messages_that_no_header_identifies_are_named() -> None:
    reader = ImapsyncReader(PLAN)
    for line in (
        "++++ Looping on each one of 1 folders to sync",
        "Folder    1/1 [INBOX]  -> [INBOX]",
        "Host1: folder [INBOX] considering 100 messages",
        *(f"Host1: INBOX/{uid} size 617 ignored (no wanted headers" for uid in range(2, 102)),
        "There are 100 unidentified messages (usually Sent or Draft messages).",
        EXIT,
    ):
        reader.feed(line)
    verdict = reader.conclude(0)
    assert verdict.cause == Cause.MESSAGES_MISSING
    assert (
        "100 messages are left out, because no header identifies "
        "INBOX UID 2, INBOX UID 3, INBOX UID 4 and 97 more. Copy them with a mail program."
    ) in verdict.sentence


@pytest.mark.parametrize(("number", "them"), [(1, "it"), (5, "them")])
def test_messages_that_nothing_identifies_and_nobody_names(number: int, them: str) -> None:
    sentence = verdict_of(folder("INBOX"), unidentified=number).sentence
    assert f"no header identifies {them}. The engine does not name {them}" in sentence
    assert f"Copy {them} with a mail program." in sentence
