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
    verdict = _read(transcripts.opening())[0].conclude(77)
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


_FAILED, _ERRORS, _STOPPED = "failed", "done_with_errors", "interrupted"
ENDINGS = {
    "01_success_2000": ("done", None),
    "02_rerun_after_success": ("done", None),
    "03_dry_run": ("done", None),
    "04_bad_password_host1": (_FAILED, Cause.SOURCE_PASSWORD),
    "05_bad_password_host2": (_FAILED, Cause.DESTINATION_PASSWORD),
    "05b_bad_password_both": (_FAILED, Cause.SOURCE_PASSWORD),
    "06_refused_host1": (_FAILED, Cause.SOURCE_UNREACHABLE),
    "07_refused_host2": (_FAILED, Cause.DESTINATION_UNREACHABLE),
    "08_dns_failure_host1": (_FAILED, Cause.SOURCE_HOST),
    "09_dns_failure_host2": (_FAILED, Cause.DESTINATION_HOST),
    "10_unreachable_network": (_FAILED, Cause.SOURCE_UNREACHABLE),
    "11_connect_timeout": (_FAILED, Cause.SOURCE_UNREACHABLE),
    "12_silent_server": (_FAILED, Cause.SOURCE_UNREACHABLE),
    "13_ssl_on_plain_port": (_FAILED, Cause.SOURCE_TLS),
    "14_cert_verify_fails_ssl": (_FAILED, Cause.SOURCE_CERTIFICATE),
    "14b_cert_verify_fails_starttls": (_FAILED, Cause.SOURCE_CERTIFICATE),
    "14c_selfsigned_default_accepted": (_FAILED, Cause.ENGINE_CRASHED),
    "15_tls_required_but_off": (_FAILED, Cause.SOURCE_TLS),
    "16_quota_exceeded": (_FAILED, Cause.DESTINATION_FULL),
    "17_server_refuses_big_message": (_ERRORS, Cause.MESSAGES_TOO_LARGE),
    "18_maxsize_skips": ("done", None),
    "19_bad_option": (_FAILED, Cause.ENGINE_SETTINGS),
    "20_no_password_stdin_null": (_FAILED, Cause.SOURCE_PASSWORD),
    "21_passfile_missing": (_FAILED, Cause.ENGINE_SETTINGS),
    "22_no_arguments": (_FAILED, Cause.ENGINE_CRASHED),
    "23_exitwhenover": (_FAILED, Cause.BUDGET_SPENT),
    "24_folder_missing": (_ERRORS, Cause.FOLDERS_REFUSED),
    "30_sigterm_once": (_STOPPED, Cause.STOPPED),
    "31_sigterm_twice": (_STOPPED, Cause.STOPPED),
    "32_sigint_once": ("done", None),
    "33_sigint_twice_within_2s": (_STOPPED, Cause.STOPPED),
    "34_sigquit": (_STOPPED, Cause.STOPPED),
    "35_sighup": ("done", None),
    "36_sigkill": (_STOPPED, Cause.STOPPED),
    "37_sigint_once_docker_context": (_STOPPED, Cause.STOPPED),
    "38_sigusr1_pauses": ("done", None),
    "39_sigterm_while_starting": (_STOPPED, Cause.STOPPED),
    "40_sigterm_in_big_message": (_STOPPED, Cause.STOPPED),
    "41_sigterm_while_blocked": (_STOPPED, Cause.STOPPED),
    "42_same_pidfile_first": ("done", None),
    "42b_same_pidfile_second": (_FAILED, Cause.ENGINE_CRASHED),
    "42b_same_pidfile_second_locking": (_FAILED, Cause.ALREADY_RUNNING),
    "43_same_pidfile_first": ("done", None),
    "44_stale_pidfile_locking": (_FAILED, Cause.ENGINE_CRASHED),
    "45_pidfile_of_other_live_process": (_FAILED, Cause.ALREADY_RUNNING),
    "46_aborted_by_other_process": (_STOPPED, Cause.STOPPED),
    "46b_abort_caller": (_FAILED, Cause.ENGINE_CRASHED),
    "47_aborted_by_file": (_STOPPED, Cause.STOPPED),
    "47b_abortbyfile_caller": (_FAILED, Cause.ENGINE_CRASHED),
    "50_connection_lost_host1": ("done", None),
    "51_connection_lost_host2": ("done", None),
    "52_server_gone_host1": (_FAILED, Cause.SOURCE_LOST),
    "53_server_gone_host2": (_FAILED, Cause.DESTINATION_LOST),
    "54_too_many_connections_host2": (_FAILED, Cause.DESTINATION_BUSY),
    "55_too_many_connections_host1": (_FAILED, Cause.SOURCE_BUSY),
    "56_limit_one_is_enough": ("done", None),
    "57_passfiles_deleted_after_login": ("done", None),
    "60_rerun_after_sigkill": ("done", None),
    "62_rerun_reports_duplicates": ("done", None),
    "63_delete2duplicates": ("done", None),
    "64_noid_first": (_ERRORS, Cause.MESSAGES_MISSING),
    "65_noid_addheader": ("done", None),
    "65b_noid_addheader_second": ("done", None),
    "66_noid_useuid": ("done", None),
    "66b_noid_useuid_second": ("done", None),
    "67_useuid_cache_lost": ("done", None),
    "70_password_on_command_line": ("done", None),
    "71_password_in_environment": ("done", None),
    "72_passfile": ("done", None),
    "73_passfile_dev_fd": (_FAILED, Cause.SOURCE_PASSWORD),
    "74_dev_fd_and_reconnect": (_FAILED, Cause.SOURCE_PASSWORD),
    "78_debugimap_hides_password": (_FAILED, Cause.ENGINE_CRASHED),
    "90_oauth_token_file": ("done", None),
    "90b_oauth_without_password_option": (_FAILED, Cause.ENGINE_CRASHED),
    "91_oauth_bad_token": (_FAILED, Cause.SOURCE_PASSWORD),
    "92_oauth_token_replaced_reconnect": ("done", None),
    "mb0_imapsync_alice": ("done", None),
}
COMPLETE = {
    "01_success_2000": (2000, 2000, 0, 0, 0, 2000),
    "02_rerun_after_success": (2000, 0, 2000, 0, 0, 2000),
    "17_server_refuses_big_message": (6, 4, 0, 0, 2, 6),
    "18_maxsize_skips": (6, 4, 0, 2, 0, 6),
    "65b_noid_addheader_second": (200, 0, 200, 0, 0, 200),
}
"""Those that are not cut: found, copied, present, skipped, failed, done."""


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="no captured runs beside the repository")
@pytest.mark.parametrize("name", ENDINGS)
def test_a_captured_run_ends_as_it_did(name: str) -> None:
    text = (TRANSCRIPTS / f"{name}.txt").read_text(errors="replace")
    lines, status = transcripts.transcript(text)
    is_dry = " --dry" in text.split("# exit status")[0]

    reader, log = _read(lines, DRY if is_dry else PLAN)
    verdict = reader.conclude(status)

    assert (verdict.state, verdict.cause) == ENDINGS[name]
    assert verdict.sentence.endswith((".", "…"))
    assert len(log) < 250
    assert not [line for line in log if re.search(r"Subject:\[(?!…)", line)]
    progress = reader.progress
    assert 0 <= progress.messages_done <= (progress.messages_total or 0)
    if name in COMPLETE:
        folders = progress.folders.values()
        counts = ("found", "copied", "present", "skipped", "failed")
        sums = tuple(sum(getattr(folder, count) for folder in folders) for count in counts)
        assert (*sums, progress.messages_done) == COMPLETE[name]


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="no captured runs beside the repository")
def test_no_captured_run_is_forgotten() -> None:
    there = {path.stem for path in TRANSCRIPTS.glob("[0-9]*.txt")}
    assert there <= ENDINGS.keys()
