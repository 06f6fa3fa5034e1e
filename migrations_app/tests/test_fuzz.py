"""Whatever an engine prints: its worker goes on, what is stored fits, and the page shows it."""

from __future__ import annotations

import json
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from migrations_app.engines.base import Engine, Reader
from migrations_app.engines.builtin.engine import BuiltinEngine
from migrations_app.engines.builtin.reader import BuiltinReader
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import logs, output, runner, start
from migrations_app.tests import captured_runs, transcripts
from migrations_app.tests.pages import text_of, url
from migrations_app.tests.queueing import FAKE, make_job

PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)
HOSTILE = [
    "Host1 Nb messages: 99999999999999999999999 messages",
    "Host1 Total size: 99999999999999999999999 bytes (9 YiB)",
    "++++ Looping on each one of 99999999999 folders to sync",
    "Folder    1/17 [INBOX.\x00\x07<script>alert(1)</script>\ud800] -> [x\x00]",
    "Host1: folder [INBOX] has 99999999999999 messages in total (mentioned by SELECT)",
    "msg INBOX/1 {99999999999999999999999} copied to INBOX/1 -5/99999999999999999 msgs left",
    "ETA: now 1 s  -77777777777777777777/4 msgs left",
    "- msg INBOX.\x00<b>/99999999999999999999999 {99999999999999999999} could not append (): N\x00",
    "Host1: folder [INBOX] selected 5 messages, duplicates 99999999999999",
]
HOSTILE_EVENTS = [
    {"event": "totals", "folders": -1, "messages": 1e300, "bytes": None},
    {"event": "totals", "folders": 10**30, "messages": -(10**30), "bytes": 10**40},
    {"event": "size", "bytes": float("inf")},
    {"event": "phase", "phase": ["copy"]},
    {"event": "folder", "number": 1, "total": 1, "source": "\x00\ud800<b>", "destination": "\x00"},
    dict.fromkeys(("found", "copied", "present", "skipped", "failed", "bytes_found"), 10**20)
    | {"skipped_why": {"duplicate": 10**30, "\x00": 1}}
    | {"event": "folder_end", "source": "\x00<b>", "destination": "", "bytes_copied": -9}
    | {"is_done": "yes", "done": 10**20, "bytes": -(10**20)},
    {"event": "trouble", "stage": "append", "side": 7, "text": "\x00", "what": ["x"]},
    {"event": "trouble", "stage": "x", "side": 2, "text": "NO", "what": "x"}
    | {"lost": {"folder": "\x00<b>", "uid": 10**40, "bytes": -(10**40)}},
    {"event": "end"},
    {"event": {}},
    ["event"],
]


def printed() -> Iterator[bytes]:
    """What imapsync printed in runs of every kind."""
    yield "\n".join(transcripts.success({"INBOX": 30, "INBOX.Entw&APw-rfe": 5})).encode()
    yield "\n".join(transcripts.refused_sign_in(2)).encode()
    for name in captured_runs.RUNS:
        if captured_runs.FOLDER.is_dir():
            yield "\n".join(transcripts.transcript(captured_runs.text_of(name))[0][:400]).encode()


def events() -> bytes:
    """What the built-in engine prints."""
    folder = {"source": "INBOX", "destination": "INBOX", "found": 9, "copied": 3, "present": 0}
    folder |= {"skipped": 1, "failed": 1, "bytes_copied": 300, "is_done": False}
    folder |= {"bytes_found": 900, "skipped_why": {"duplicate": 1}}
    known: list[dict[str, object]] = [
        {"event": "log", "level": "info", "text": "Signed in"},
        {"event": "phase", "phase": "copy"},
        {"event": "totals", "folders": 1, "messages": 9, "bytes": 900},
        {"event": "folder", "number": 1, "total": 1, **folder},
        {"event": "progress", "done": 3, "bytes": 300, "folder": folder},
        {"event": "trouble", "stage": "append", "side": 2, "text": "NO", "what": "INBOX/4"},
        {"event": "folder_again", "source": "INBOX"},
        {"event": "folder_end", "done": 9, "bytes": 900, **folder},
        {"event": "end", "status": 0, "troubles": 1, "done": 9},
    ]
    return "\n".join(map(json.dumps, known * 5)).encode()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Cut somewhere, some bytes turned, a piece said twice, a line end lost."""
    broken = bytearray(data[: chance.randrange(len(data) + 1)])
    for _byte in range(chance.randrange(1 + len(broken) // 50)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    if broken:
        start = chance.randrange(len(broken))
        broken[start:start] = broken[start : start + chance.randrange(500)]
    return bytes(broken).replace(b"\n", b"", chance.randrange(3))


def read(reader: Reader, data: bytes) -> None:
    """As the runner does; nothing it stores has a character that a database refuses."""
    lines = output.Lines()
    for line in [*lines.feed(data), *lines.end()]:
        begun = time.monotonic()
        for entry in reader.feed(line):
            assert logs.line(entry.text).count("\n") == 1
        assert time.monotonic() - begun < 2
    for status in (0, 114, 250, -9):
        assert len(reader.conclude(status).sentence) < 2500


@pytest.mark.once
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_run_of_imapsync_is_read_to_its_end(seed: int) -> None:
    chance = random.Random(seed)
    for data in printed():
        read(ImapsyncReader(PLAN), damaged(data, chance))


@pytest.mark.once
def test_damaged_events_are_read_to_their_end() -> None:
    chance = random.Random(5)
    for _time in range(300):
        read(BuiltinReader(PLAN), damaged(events(), chance))


@pytest.mark.once
@pytest.mark.parametrize(
    "line",
    [
        "msg " * 16_000,
        "- msg a/1 {1} " + "could not " * 6_000,
        "Subject:[" * 7_000,
        "- msg a/1 {1} could not append ( " + "Subject:[] " * 6_000,
        "[&-" * 20_000,
        "Folder 1/1 " + "[a] -> " * 9_000,
        "Err 1/1: " + "Error sending '" * 4_000,
        '{"event":' * 7_000,
        "[" * 60_000,
        "1 " * 30_000,
    ],
)
def test_no_line_keeps_a_reader_busy(line: str) -> None:
    for reader in (ImapsyncReader(PLAN), BuiltinReader(PLAN)):
        begun = time.monotonic()
        list(reader.feed(line))
        reader.conclude(1)
        assert time.monotonic() - begun < 2


def in_base64(secret: str) -> str:
    return b64encode(secret.encode()).decode()


@pytest.mark.once
@pytest.mark.parametrize("spelling", [str, in_base64])
def test_no_cut_leaves_half_of_a_secret(spelling: Callable[[str], str]) -> None:
    secret = "correct horse battery 42"
    said, hide = spelling(secret), output.Redactor([secret]).clean
    for place in range(600):
        text = f"NO {'x' * place}{said} is wrong"
        failure = "- msg INBOX/7 {9} could not append ( Subject:[s] ) to folder INBOX: " + text
        event = {"event": "trouble", "stage": "append", "side": 2, "text": text, "what": text}
        event |= {"lost": {"folder": "INBOX", "uid": 7, "bytes": 9}}
        told = {"event": "log", "level": "info", "text": text}
        for reader, lines in (
            (ImapsyncReader(PLAN), [failure, f"Err 1/1: {text}", text]),
            (BuiltinReader(PLAN), [*map(json.dumps, (event, told)), text]),
        ):
            reader.hide = hide
            words = [entry.text for line in lines for entry in reader.feed(line)]
            words += [loss.reason for loss in reader.progress.losses.values()]
            words.append(reader.conclude(114).sentence)
            assert not [word for word in words if said[:4] in word], place


# Worker and page


class Printing(BuiltinEngine):
    """Prints a file, and is understood as the built-in engine."""

    preload = ()
    environment: dict[str, str] = {}

    def __init__(self, path: Path) -> None:
        self.path = path

    def argv(self, *_args: object, **_facts: object) -> list[str]:
        return ["/bin/cat", str(self.path)]


@pytest.fixture
def stand_in(settings: object, tmp_path: Path) -> Path:
    """What is written there is what the engine prints."""
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    return tmp_path / "prints"


def run_and_look(client: Client, path: Path, status: int = 0) -> MigrationJob:
    job = make_job(behaviour={"prints": str(path), "mails": 0, "status": status})
    runner.run(queue.claim("a:1"))
    job.refresh_from_db()
    assert job.state not in (State.RUNNING, State.INTERRUPTED)
    assert job.verdict
    page = text_of(client.get(url("detail", job.pk)))
    assert job.get_state_display() in page
    assert "<script>alert" not in page
    assert client.get(url("list")).status_code == 200
    assert client.get(url("log", job.pk)).status_code == 200
    return job


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("empty_cache")
class TestWorkerAndPage:
    """Both survive any output."""

    def test_numbers_and_names_that_fit_nowhere(self, stand_in: Path, admin_client: Client) -> None:
        stand_in.write_bytes("\n".join(HOSTILE).encode("utf-8", "surrogatepass") + b"\n")
        job = run_and_look(admin_client, stand_in, 114)
        assert job.folder_results.exists()
        assert job.losses.get().reason

    def test_events_with_numbers_and_names_that_fit_nowhere(
        self, stand_in: Path, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_in.write_text("\n".join(map(json.dumps, HOSTILE_EVENTS)))

        def choose(_name: str | None = None) -> Engine:
            return Printing(stand_in)

        monkeypatch.setattr(start, "choose", choose)
        job = run_and_look(admin_client, stand_in)
        assert job.folder_results.exists()
        assert job.losses.get().bytes == 0

    @pytest.mark.parametrize("seed", range(3))
    def test_damaged_runs(self, stand_in: Path, admin_client: Client, seed: int) -> None:
        chance = random.Random(seed)
        data = b"\n".join(damaged(data, chance) for data in printed())
        stand_in.write_bytes(data)
        run_and_look(admin_client, stand_in, chance.choice([0, 114, 161, 250]))

    def test_a_hundred_megabytes_without_a_line_end(
        self, stand_in: Path, admin_client: Client
    ) -> None:
        with stand_in.open("wb") as file:
            file.truncate(100_000_000)  # zeros, which take no room on the disk
        job = run_and_look(admin_client, stand_in)
        assert sum(map(len, logs.stream(job))) < 20_000
