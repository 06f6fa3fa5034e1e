"""What did not arrive: named by the readers, kept with the run's end, listed on the job's page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import Client

from migrations_app.engines.base import MAX_LOSSES, LostMessage, Reader
from migrations_app.engines.builtin.events import Events
from migrations_app.engines.builtin.folder_copy import FolderCopy
from migrations_app.engines.builtin.index import Contents, read_contents
from migrations_app.engines.builtin.job import Job, Pace
from migrations_app.engines.builtin.reader import BuiltinReader
from migrations_app.engines.builtin.troubles import DESTINATION, SOURCE, most_frequent
from migrations_app.engines.causes import Cause
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.models import Loss, MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import runner
from migrations_app.tests import transcripts
from migrations_app.tests.factories import JobFactory
from migrations_app.tests.pages import HTMX, text_of, url
from migrations_app.tests.queueing import FAKE, SOURCE_PASSWORD, make_job

PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)
REFUSED = (
    "- msg INBOX.Entw&APw-rfe/{uid} {{99}} could not append ( Subject:[secret <b>plan</b>], "
    'Date:["17-Feb-2019 20:28:35 +0000"], Size:[99], Flags:[\\Seen] ) to folder Entw&APw-rfe: '
    "Error sending '65 APPEND Entw&APw-rfe (\\Seen) {{99}}': 65 NO [LIMIT] too big, said {said} "
    "(0.001 + 0.000 secs)."
)
UNREADABLE = (
    "- msg INBOX/306 {0} S[897] F[\\Seen] I[18-Dec-2011 10:13:28 +0000] could not be fetched: "
    "socket closed while reading data from server"
)
NO_FOLDER = "Could not create folder [Odd/Name] from [INBOX.Odd.Name]: 7 NO [CANNOT] Bad name"


def refused(number: int = 1, said: str = "it") -> str:
    return REFUSED.format(uid=number, said=said)


def losses(reader: Reader, lines: list[str]) -> list[LostMessage]:
    for line in lines:
        reader.feed(line)
    reader.conclude(114)
    return list(reader.progress.losses.values())


@pytest.mark.once
def test_imapsync_names_what_did_not_arrive() -> None:
    lines = [*transcripts.success()[:10], refused(3), UNREADABLE, NO_FOLDER]
    lines += [f"Err {n}/3: {line}" for n, line in enumerate(lines[-3:], start=1)]
    assert losses(ImapsyncReader(PLAN), lines) == [
        LostMessage("INBOX.Entwürfe", "3", 99, "NO [LIMIT] too big, said it"),
        LostMessage("INBOX", "306", 897, "socket closed while reading data from server"),
        LostMessage("INBOX.Odd.Name", "", None, "NO [CANNOT] Bad name"),
    ]


@pytest.mark.once
def test_a_folder_that_imapsync_cannot_select_is_lost_as_a_whole() -> None:
    said = "Err 1/1: Host1 folder INBOX.Entw&APw-rfe: Could not select: 9 NO No such mailbox"
    (loss,) = losses(ImapsyncReader(PLAN), [said])
    assert loss == LostMessage("INBOX.Entwürfe", "", None, "NO No such mailbox")


@pytest.mark.once
def test_a_message_without_headers_that_imapsync_leaves_out_is_lost() -> None:
    line = "Host1: INBOX/12 size 633 ignored (no wanted headers so we ignore this message.)"
    (loss,) = losses(ImapsyncReader(PLAN), [line])
    assert loss == LostMessage("INBOX", "12", 633, "no header identifies it")


def trouble(**lost: object) -> str:
    facts = {"event": "trouble", "stage": "append", "side": 2, "text": "NO too big", "what": "x"}
    return json.dumps({**facts, "lost": {"folder": "Entwürfe", "uid": 3, "bytes": 99, **lost}})


@pytest.mark.once
def test_the_builtin_engine_names_what_did_not_arrive() -> None:
    lines = [trouble(), trouble(folder="Odd", uid=None, bytes=None), trouble(uid=4)]
    again = json.dumps({"event": "folder_again", "source": "Odd"})
    assert losses(BuiltinReader(PLAN), [*lines, again]) == [
        LostMessage("Entwürfe", "3", 99, "NO too big"),
        LostMessage("Entwürfe", "4", 99, "NO too big"),
    ]


@pytest.mark.once
def test_no_more_are_named_than_anybody_reads() -> None:
    lines = [refused(number) for number in range(1, MAX_LOSSES + 500)]
    reader = ImapsyncReader(PLAN)
    assert len(losses(reader, [*transcripts.success()[:10], *lines])) == MAX_LOSSES
    assert reader.progress.folders["INBOX"].failed == MAX_LOSSES + 499


# Kept


@pytest.fixture
def stand_in(settings: object, tmp_path: Path) -> Path:
    """imapsync's stand-in; what is written to the answer is what it prints."""
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    return tmp_path / "prints"


@pytest.mark.django_db(transaction=True)
def test_they_are_kept_with_the_runs_end_without_subject_and_password(stand_in: Path) -> None:
    stand_in.write_text(f"{refused(1, SOURCE_PASSWORD)}\n{NO_FOLDER}\n")
    job = make_job(behaviour={"prints": str(stand_in), "status": 114}, run=1)
    Loss.objects.create(job=job, position=0, folder="from an earlier run", reason="x")
    runner.run(queue.claim("a:1"))
    first, second = job.losses.all()
    assert (first.folder, first.uid, first.bytes) == ("INBOX.Entwürfe", "1", 99)
    assert "too big" in first.reason
    assert "secret" not in first.reason
    assert (second.folder, second.uid, second.bytes) == ("INBOX.Odd.Name", "", None)


# The page


@pytest.fixture
def job(db: None) -> MigrationJob:
    job = JobFactory(state=State.DONE_WITH_ERRORS, messages_failed=30)
    Loss.objects.bulk_create(
        Loss(job=job, position=n, folder="<i>x</i>", uid=str(1000 + n), bytes=5000, reason="NO <b>")
        for n in range(30)
    )
    return job


@pytest.mark.usefixtures("empty_cache")
def test_the_page_lists_the_first_and_then_all(admin_client: Client, job: MigrationJob) -> None:
    page = text_of(admin_client.get(url("detail", job.pk)))
    assert "6 of 30 shown" in page
    assert "&lt;i&gt;x&lt;/i&gt;" in page
    assert "NO &lt;b&gt;" in page
    assert ">1005<" in page
    assert ">1006<" not in page
    page = text_of(admin_client.get(url("detail", job.pk), {"losses": "all"}))
    assert ">1029<" in page
    assert "of 30 shown" not in page
    assert 'name="losses" value="all"' in page


@pytest.mark.usefixtures("empty_cache")
def test_the_page_says_how_many_more_there_are(admin_client: Client, job: MigrationJob) -> None:
    MigrationJob.objects.update(messages_failed=5030)
    page = text_of(admin_client.get(url("detail", job.pk), {"losses": "all"}))
    assert "5,000 more messages did not arrive" in page
    assert "6 of 5,030 shown" in text_of(admin_client.get(url("detail", job.pk)))


@pytest.mark.usefixtures("empty_cache")
def test_the_end_of_a_run_brings_the_list_to_an_open_page(
    admin_client: Client, job: MigrationJob
) -> None:
    asked = {"seen": "1.running.", "phase": "copy", "log": 0}
    answer = text_of(admin_client.get(url("live", job.pk), asked, headers=HTMX))
    assert "Did not arrive" in answer


@pytest.mark.usefixtures("empty_cache")
def test_a_job_without_losses_says_nothing_of_them(admin_client: Client, db: None) -> None:
    assert "Did not arrive" not in text_of(admin_client.get(url("detail", JobFactory().pk)))


# A source that keeps silent about some


class Silent:
    """A connection that knows three messages and hands out one; another is deleted meanwhile."""

    def __init__(self) -> None:
        self.searches = iter([[1, 2, 3], [1, 2]])

    def search(self, _criteria: object) -> list[int]:
        return next(self.searches)

    def fetch(self, _uids: list[int], _items: list[str]) -> dict[int, dict[bytes, object]]:
        header = b"Message-ID: <1@old.example>\r\n\r\n"
        return {1: {b"RFC822.SIZE": 100, b"BODY[HEADER.FIELDS (MESSAGE-ID)]": header}}


class SilentSession:
    """One end of a run that always talks."""

    def __init__(self, side: int) -> None:
        self.side = side

    @contextmanager
    def talking(self) -> Iterator[Silent]:
        yield Silent()


@pytest.mark.once
def test_what_a_source_does_not_hand_out_is_lost_unless_it_is_gone() -> None:
    ours = read_contents(SilentSession(SOURCE), tick=lambda: None)
    assert (ours.found, ours.silent) == (2, (2,))
    assert read_contents(SilentSession(DESTINATION), tick=lambda: None).silent == ()


@pytest.mark.once
def test_the_builtin_engine_says_what_the_source_did_not_hand_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    counts = FolderProgress("INBOX", "INBOX")
    events = Events(folder=counts)
    job = Job(SilentSession(SOURCE), None, PLAN.options, False, events, Pace(None))
    FolderCopy(job, "INBOX", "INBOX", counts)._note_silent(Contents({}, 1, 0, 0, 9, silent=(7,)))
    events.end(115)
    reader = BuiltinReader(PLAN)
    (loss,) = losses(reader, capfd.readouterr().out.splitlines())
    assert loss == LostMessage("INBOX", "7", None, "it did not hand them out")
    assert (counts.failed, most_frequent(events.exits)) == (1, 115)
    assert reader.conclude(115).cause == Cause.MESSAGES_UNREADABLE
