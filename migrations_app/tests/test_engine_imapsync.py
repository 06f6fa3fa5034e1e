"""imapsync's command line, its output, and what its end means."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from migrations_app.engines.causes import Cause
from migrations_app.engines.imapsync.command import ImapsyncEngine
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.tests import transcripts
from purelymanage.core.errors import UnavailableError

pytestmark = pytest.mark.once

TRANSCRIPTS = Path(django_settings.BASE_DIR).parent / "shared" / "imapsync" / "transcripts"
PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)
DRY = Plan(PLAN.source, PLAN.destination, True)


def _read(lines: list[str], plan: Plan = PLAN) -> tuple[ImapsyncReader, list[str]]:
    reader = ImapsyncReader(plan)
    log = [entry.text for line in lines for entry in reader.feed(line)]
    return reader, log


# The command line


def test_every_value_stands_after_its_option(tmp_path: Path, settings: object) -> None:
    settings.IMAP_CA_FILE = ""
    source = Endpoint("--dry", 143, "starttls", "--delete2 ; $(id)")
    plan = Plan(source, PLAN.destination, True, Options(include=("-x",), max_age_days=3))

    argv = ImapsyncEngine().argv(
        plan, passfile1="/dev/fd/5", passfile2="/dev/fd/6", workdir=tmp_path
    )

    assert all(word.startswith("--") for word in argv[1:])
    assert "--user1=--delete2 ; $(id)" in argv
    assert "--host1=--dry" in argv
    assert {"--nossl1", "--tls1", "--ssl2", "--notls2", "--dry", "--maxage=3"} <= set(argv)
    assert {"--passfile1=/dev/fd/5", "--passfile2=/dev/fd/6", "--pidfilelocking"} <= set(argv)
    assert f"--pidfile={tmp_path}/imapsync.pid" in argv
    for side in (1, 2):
        assert f"--sslargs{side}=SSL_verify_mode=1" in argv


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_private_authorities_join_those_of_the_system(
    tmp_path: Path, settings: object, security: str
) -> None:
    own = tmp_path / "own.pem"
    own.write_text("our own authority\n")
    settings.IMAP_CA_FILE = str(own)
    end = Endpoint("old.example", 993, security, "a")
    argv = ImapsyncEngine().argv(
        Plan(end, end, False), passfile1="1", passfile2="2", workdir=tmp_path
    )
    (path,) = {word.split("=", 2)[2] for word in argv if "SSL_ca_file" in word}
    bundle = Path(path)
    assert bundle.parent == tmp_path
    assert bundle.read_text().startswith("our own authority\n")
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    assert not system.exists() or system.read_text() in bundle.read_text()


def test_a_missing_authority_file_is_said_before_the_run(tmp_path: Path, settings: object) -> None:
    settings.IMAP_CA_FILE = str(tmp_path / "nowhere.pem")
    with pytest.raises(UnavailableError, match="IMAP_CA_FILE"):
        ImapsyncEngine().argv(PLAN, passfile1="1", passfile2="2", workdir=tmp_path)


# The output


def test_a_run_is_followed_message_by_message() -> None:
    lines = transcripts.success({"INBOX": 4, "INBOX.Entw&APw-rfe": 2}, size=500, present=1)
    reader = ImapsyncReader(PLAN)
    seen = []
    for line in lines:
        reader.feed(line)
        seen.append((reader.progress.phase, reader.progress.messages_done))

    progress = reader.progress
    assert (progress.messages_done, progress.messages_total) == (6, 6)
    assert (progress.bytes_done, progress.bytes_total) == (4 * 500, 6 * 500)
    assert progress.folders_total == 2
    assert list(progress.folders) == ["INBOX", "INBOX.Entwürfe"]
    first = progress.folders["INBOX"]
    assert (first.found, first.copied, first.present, first.is_done) == (4, 3, 1, True)
    assert progress.folders["INBOX.Entwürfe"].destination == "Entwürfe"
    assert [phase for phase, _ in dict.fromkeys((phase, 0) for phase, _ in seen)] == [
        "connect",
        "compare",
        "copy",
        "verify",
    ]
    assert sorted(done for _, done in seen) == [done for _, done in seen]
    assert reader.conclude(0).state == "done"


def test_twenty_thousand_messages_make_a_short_log_with_all_failures() -> None:
    lines = transcripts.success({"INBOX": 20_000})
    failure = (
        "- msg INBOX/7 {99} could not append ( Subject:[pay ] (rise) ], "
        'Date:["17-Feb-2019 20:28:35 +0000"], Size:[99], Flags:[\\Seen] ) to folder INBOX: '
        "Error sending '65 APPEND INBOX (\\Seen) {99}': 65 NO [LIMIT] too big (0.001 + 0.000 secs)."
    )
    lines[20:20] = [failure, failure.replace("/7", "/8")]

    _reader, log = _read(lines)

    assert len(log) < 260
    assert sum("could not append" in line for line in log) == 2
    assert not [line for line in log if "rise" in line]
    assert "INBOX: 20,000 messages copied" in log


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("INBOX.a -> [b] c", "a -> [b] c"),
        ("INBOX.&ZeVnLIqe-.&MOEw4g-", "日本語.メモ"),
        ("INBOX.-rf", "-rf"),
        ("INBOX.50% {9}", "50% {9}"),
        ("INBOX.&broken", "&broken"),
    ],
)
def test_odd_folder_names_are_understood(raw: str, shown: str) -> None:
    reader, _log = _read(transcripts.success({raw: 3}))
    (folder,) = reader.progress.folders.values()
    assert (folder.source, folder.copied) == (f"INBOX.{shown}", 3)
    assert reader.conclude(0).state == "done"


def test_any_bytes_are_survived() -> None:
    chance = random.Random(3)
    good = transcripts.success({"INBOX": 50})
    reader = ImapsyncReader(PLAN)
    for line in good:
        reader.feed(line[: chance.randrange(len(line) + 1)])
        noise = bytes(chance.randrange(256) for _ in range(chance.randrange(300)))
        for entry in reader.feed(noise.decode("utf-8", "replace")):
            assert not re.search(r"[\x00-\x1f\x7f]", entry.text)
            assert len(entry.text) <= 500
    for line in ("msg " * 300_000, "[" * 1_000_000, "- msg a/1 " + "could not " * 99_999):
        for entry in reader.feed(line):
            assert len(entry.text) <= 500
    for line in good:
        reader.feed(line)
    assert reader.progress.messages_done == 50
    assert reader.conclude(0).state in {"done", "done_with_errors"}


def test_surrogates_of_undecodable_bytes_do_not_reach_the_database() -> None:
    reader = ImapsyncReader(PLAN)
    (entry,) = reader.feed(b"Odd \xff\xfe line".decode("utf-8", "surrogateescape"))
    assert entry.text.encode("utf-8")


# The end


def test_success_without_the_closing_line_is_a_crash() -> None:
    reader, _log = _read(transcripts.success()[:-1])
    assert reader.conclude(0).cause == Cause.ENGINE_CRASHED


def test_an_empty_run_never_counts_as_success() -> None:
    assert ImapsyncReader(PLAN).conclude(0).state == "failed"


@pytest.mark.parametrize("side", [1, 2])
def test_a_wrong_password_names_the_account(side: int) -> None:
    reader, _log = _read(transcripts.refused_sign_in(side))
    verdict = reader.conclude(160 + side)
    assert verdict.state == "failed"
    assert verdict.cause == [Cause.SOURCE_PASSWORD, Cause.DESTINATION_PASSWORD][side - 1]
    assert "NO [AUTHENTICATIONFAILED]" in verdict.sentence


def test_an_unknown_status_is_shown_as_it_is() -> None:
    verdict = _read([*transcripts.opening(), transcripts.closing(77)])[0].conclude(77)
    assert (verdict.state, verdict.cause) == ("failed", Cause.UNKNOWN)
    assert "77" in verdict.sentence


def test_a_signal_is_named() -> None:
    for number, word in ((9, "SIGKILL"), (15, "SIGTERM"), (99, "signal 99")):
        verdict = _read(transcripts.success()[:20])[0].conclude(-number)
        assert (verdict.state, verdict.cause) == ("interrupted", Cause.STOPPED)
        assert word in verdict.sentence


def test_a_dry_run_tells_what_would_happen() -> None:
    left = "ETA: Friday 20 November 2026-11-20 14:05:14 +0000 UTC  0 s  {}/8 msgs left"
    lines = [
        f"msg INBOX/{uid} copying to INBOX \t(not really since --dry mode) {left.format(8 - uid)}"
        for uid in range(4, 9)
    ]
    whole = transcripts.success({"INBOX": 8}, present=8)
    at = next(number for number, line in enumerate(whole) if "duplicates" in line) + 1
    lines = [*whole[:at], *lines, *whole[at:]]
    reader, _log = _read(lines, DRY)
    verdict = reader.conclude(0)
    assert verdict.state == "done"
    assert verdict.sentence.startswith("Dry run: 5 messages")
    assert "3 already there" in verdict.sentence
