"""Identity, folder mapping, flags, words, and the built-in engine's lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrations_app.engines.builtin.engine import BuiltinEngine
from migrations_app.engines.builtin.folders import Folders, in_order, map_folders
from migrations_app.engines.builtin.identity import added_header, added_identity, identity
from migrations_app.engines.builtin.index import flags_for
from migrations_app.engines.builtin.reader import BuiltinReader
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.engines.selection import folder_pattern, is_selected
from migrations_app.engines.sentences import sentence_for
from migrations_app.engines.troubles import Trouble
from migrations_app.engines.wording import clean, mask, readable_folder, server_words

pytestmark = pytest.mark.once

PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)


# Identity


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (b"Message-ID: <A@x>\r\n", b"message-id:   <a@X>  \r\n\r\n"),
        (b"Message-ID:\r\n <a@x>\r\n", b"Message-ID: <a@x>\r\n"),
        (b"Received: by\ta;\r\n\t b\r\n", b"Received:  by a; b\r\n"),
        (b"Received: 1\r\nReceived: 2\r\n", b"Received: 2\r\nReceived: 1\r\n"),
        (b"Message-ID: <\xfc@x>\r\n", b"Message-ID: <\xe4@x>\r\n"),
        (b"Message-ID: <a@x>\r\n\r\n", b"Message-ID: <a@x>\n"),
    ],
)
def test_the_same_headers_in_another_form_are_the_same_message(left: bytes, right: bytes) -> None:
    assert identity(left) == identity(right) is not None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (b"Message-ID: <a@x>\r\n", b"Message-ID: <b@x>\r\n"),
        (b"Message-ID: <a@x>\r\n", b"Message-ID: <a@x>\r\nReceived: y\r\n"),
        (b"Received: 1\r\n", b"Received: 1\r\nReceived: 1\r\n"),
        (b"Message-ID: \r\n", b"Received: \r\n"),
    ],
)
def test_other_headers_are_another_message(left: bytes, right: bytes) -> None:
    assert identity(left) != identity(right)


@pytest.mark.parametrize("header", [b"", b"\r\n", b" folded from nowhere\r\n", b"Subject: x\r\n"])
def test_neither_header_is_no_identity(header: bytes) -> None:
    assert identity(header) is None


def test_the_added_header_is_recognised_afterwards() -> None:
    assert identity(added_header(17) + b"\r\n") == added_identity(17)
    assert added_identity(17) != added_identity(18)


# Folders


def _folders(names: str, prefix: str = "", separator: str = "/", **special: str) -> Folders:
    return Folders(sorted(names.split(",")), set(), prefix, separator, special)


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        (
            _folders("INBOX,INBOX.a.b,INBOX.a/b", "INBOX.", "."),
            _folders("INBOX"),
            {"INBOX": "INBOX", "INBOX.a.b": "a/b", "INBOX.a/b": "a.b"},
        ),
        (
            _folders("INBOX,v1.2/x,Inbox/y"),
            _folders("INBOX", "INBOX.", "."),
            {"INBOX": "INBOX", "v1.2/x": "INBOX.v1_2.x", "Inbox/y": "INBOX.Inbox.y"},
        ),
        (_folders("inbox,a.b"), _folders("INBOX"), {"inbox": "INBOX", "a.b": "a.b"}),
        (
            _folders("Mail/INBOX,Mail/,Mail/x", "Mail/"),
            _folders("INBOX"),
            {"Mail/INBOX": "INBOX", "Mail/": "INBOX", "Mail/x": "x"},
        ),
    ],
)
def test_prefix_and_separator_are_mapped(
    source: Folders, destination: Folders, expected: dict[str, str]
) -> None:
    assert map_folders(source, destination, by_use=False) == expected


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        # said on both sides
        (_folders("Gone", Trash="Gone"), _folders("Bin", Trash="Bin"), "Bin"),
        # said at the source, known by name at the destination
        (_folders("Gone", Trash="Gone"), _folders("Trash"), "Trash"),
        # known by name at the source, said at the destination
        (_folders("INBOX.Sent Items", "INBOX.", "."), _folders("Out", Sent="Out"), "Out"),
        # known by name on both sides
        (_folders("Kosz"), _folders("Deleted Items"), "Deleted Items"),
        (_folders("Gesendete Elemente"), _folders("Sent"), "Sent"),
        # what the server says beats the name
        (_folders("Spam"), _folders("Spam,Real", Junk="Real"), "Real"),
        # nothing to map to
        (_folders("Spam"), _folders("INBOX"), "Spam"),
        (_folders("Spam old"), _folders("Junk"), "Spam old"),
    ],
)
def test_special_folders_find_each_other(
    source: Folders, destination: Folders, expected: str
) -> None:
    assert list(map_folders(source, destination, by_use=True).values()) == [expected]


def test_folders_stand_as_people_read_them() -> None:
    names = ["&ANw-berstunden", "Zahlung", "INBOX", "archive", "Umbau", "Archive 2"]
    order = ["INBOX", "archive", "Archive 2", "&ANw-berstunden", "Umbau", "Zahlung"]
    assert sorted(names, key=in_order) == order


def test_a_chosen_folder_brings_what_is_below_it() -> None:
    assert is_selected("INBOX.A.B", include=["A"], exclude=[])
    assert is_selected("A/B", include=["A/B/"], exclude=[])
    assert not is_selected("AB", include=["A"], exclude=[])
    assert not is_selected("INBOX.A.B", include=["A"], exclude=["A.B"])
    assert not is_selected("INBOX.A", include=["INBOX"], exclude=[])
    assert is_selected("Inbox", include=["INBOX"], exclude=[])
    assert is_selected("INBOX.Br&APw-cke", include=["Brücke"], exclude=["Br"])


@pytest.mark.parametrize("name", ["a|b", "(?{ die })", "^$", "[x", "a@b", "${x}", "\\", "//", "."])
def test_a_folder_name_is_never_a_pattern(name: str) -> None:
    assert is_selected(name, include=[name], exclude=[]) or not name.strip("./")
    assert not is_selected("something else", include=[name], exclude=[])
    assert "\n" not in folder_pattern(f"{name}\nx")


# Flags


def test_flags_the_destination_cannot_keep_are_left_out() -> None:
    flags = [b"\\Seen", b"\\Recent", b"Keyword", b"\\Junk", b"bad(flag"]
    assert flags_for(flags, [b"\\Seen", b"\\*"]) == {b"\\Seen", b"Keyword"}
    assert flags_for(flags, [b"\\seen", b"\\Junk"]) == {b"\\Seen", b"\\Junk"}
    assert flags_for(flags, []) == {b"\\Seen", b"Keyword"}


# Words


def test_words_of_servers_are_made_harmless() -> None:
    assert clean("a\x00\x1b[31m\u2028b\r\n") == "a [31m b"
    assert len(clean("x" * 10_000)) == 500
    assert server_words("65 NO [LIMIT] Too big (0.001 + 0.000 secs).") == "NO [LIMIT] Too big"
    assert mask("I know s3cret and s3cret2", ("s3cret", "s3cret2", "")) == "I know ••• and •••"
    assert readable_folder("Br&APw-cke") == "Brücke"
    assert readable_folder("&broken&") == "&broken&"


@pytest.mark.parametrize(
    ("raw", "cause", "said"),
    [
        ("[Errno 111] Connection refused", "SOURCE_UNREACHABLE", " It refused the connection."),
        (
            "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
            "SOURCE_TLS",
            " It answers, but not with TLS.",
        ),
        ("socket error: EOF", "SOURCE_LOST", " It closed the connection."),
        ("[Errno 104] Connection reset by peer", "SOURCE_LOST", " It closed the connection."),
        ("timed out", "SOURCE_UNREACHABLE", " It did not answer in time."),
        ("[Errno 101] Network is unreachable", "SOURCE_UNREACHABLE", " There is no way to it"),
        ("[Errno 99] Cannot assign address", "SOURCE_UNREACHABLE", " Cannot assign address."),
        ("[AUTHENTICATIONFAILED] No.", "SOURCE_PASSWORD", " It said: [AUTHENTICATIONFAILED] No."),
    ],
)
def test_a_broken_connection_is_not_told_in_the_words_of_python(
    raw: str, cause: str, said: str
) -> None:
    trouble = Trouble("login" if cause.endswith(("PASSWORD", "LOST")) else "connect", 1, raw)

    sentence = sentence_for(Cause[cause], PLAN, 101, [trouble])
    (line,) = BuiltinReader(PLAN).feed(
        _event("trouble", stage=trouble.stage, side=1, text=raw, what="No connection")
    )

    assert said in sentence
    assert not re.search(r"Errno|_ssl|socket error|EOF", sentence + line.text)
    assert ("It said" in sentence) == raw.startswith("[AUTH")


# The built-in engine's lines


def _event(name: str, **values: object) -> str:
    return json.dumps({"event": name, **values})


_COUNTS = {"found": 4, "copied": 2, "present": 1, "skipped": 1, "failed": 0} | {
    "bytes_found": 30,
    "bytes_copied": 9,
    "skipped_why": {"duplicate": 1, "<b>": 7},
}


def test_json_lines_become_progress() -> None:
    reader = BuiltinReader(PLAN)
    folder = {"source": "INBOX", "destination": "INBOX", **_COUNTS, "is_done": True}
    lines = [
        _event("phase", phase="compare"),
        _event("totals", folders=1, messages=3, bytes=30),
        _event("phase", phase="copy"),
        _event("folder", number=1, total=1, **folder),
        _event("folder_end", done=3, bytes=9, **folder),
        _event("phase", phase="verify"),
        _event("arrived", source="INBOX", messages=17, bytes=170),
        _event("arrived", source="unknown", messages=1, bytes=1),
        _event("end", status=0, troubles=0, done=3),
    ]
    log = [entry.text for line in lines for entry in reader.feed(line)]
    progress = reader.progress
    assert (progress.messages_done, progress.messages_total) == (3, 3)
    assert (progress.bytes_done, progress.bytes_total) == (9, 30)
    assert (progress.phase, progress.folder) == ("verify", "INBOX")
    assert progress.folders["INBOX"].is_done
    assert "INBOX: 4 found, 2 copied, 1 already there, 1 skipped" in log
    inbox = progress.folders["INBOX"]
    assert (inbox.bytes_found, inbox.skipped_why) == (30, {"duplicate": 1})
    assert (inbox.destination_messages, inbox.destination_bytes) == (17, 170)
    assert reader.conclude(0).state == "done"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "{",
        "[]",
        "3",
        '{"event": "nonsense"}',
        '{"event": "folder"}',
        '{"event": "progress", "done": "x", "bytes": 0, "folder": 7}',
        "[" * 200_000,
        '{"event": "log", "level": "info", "text": "' + "x" * 300_000 + '"}',
        "\x00\xff",
    ],
)
def test_any_line_is_survived(line: str) -> None:
    reader = BuiltinReader(PLAN)
    for entry in reader.feed(line):
        assert len(entry.text) <= 500
    assert reader.conclude(70).cause == Cause.ENGINE_CRASHED


def test_it_runs_from_any_directory_without_django_and_with_help(tmp_path: Path) -> None:
    argv = BuiltinEngine().argv(PLAN, passfile1="/none", passfile2="/none", workdir=tmp_path)
    answer = subprocess.run(
        [*argv[:3], "--help"], capture_output=True, text=True, cwd=tmp_path, env={}, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "--passfile1" in answer.stdout
    modules = (
        "import sys; sys.argv=['x']; import migrations_app.engines.builtin.main;"
        "print([name for name in sys.modules if name.startswith('django')])"
    )
    loaded = subprocess.run([sys.executable, "-c", modules], capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]", loaded.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--no-such-option"], 64), ([], 64), (["--port1=many"], 64), (None, 66)],
)
def test_bad_settings_end_as_imapsync_ends(
    tmp_path: Path, arguments: list[str] | None, status: int
) -> None:
    argv = BuiltinEngine().argv(PLAN, passfile1="/no/file", passfile2="/no/file", workdir=tmp_path)
    command = argv if arguments is None else [*argv[:3], *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == status
    assert "Traceback" not in answer.stderr + answer.stdout


def test_options_survive_their_way_through_the_database() -> None:
    options = Options(include=("a", "b"), max_age_days=3, subscribe=False, timeout_seconds=9)
    stored = json.loads(json.dumps(options.as_json()))
    assert Options.from_json({**stored, "unknown": 1}) == options
