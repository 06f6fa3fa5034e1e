"""Mail arrives as it left: content, flags, dates and folders, with either engine."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from migrations_app.engines.base import Engine
from migrations_app.engines.builtin.engine import BuiltinEngine
from migrations_app.engines.causes import Cause
from migrations_app.engines.imapsync.command import ImapsyncEngine
from migrations_app.engines.plan import Options
from migrations_app.tests.dovecot import Mail, Pair, Snapshot
from migrations_app.tests.mailgen import mailbox
from migrations_app.tests.runs import Outcome, plan_for, run_pair

pytestmark = [pytest.mark.imap, pytest.mark.once]
MAPPED = {"Sent Items": "Sent", "Spam": "Junk"}
_numbers = count()


def _users(pair: Pair, mails: list[Mail] | None = None, **more: object) -> tuple[str, str]:
    number = next(_numbers)
    source = pair.source.add_user(f"old{number}@old.example", "source pass")
    destination = pair.destination.add_user(f"new{number}@new.example", "dest pass", **more)
    pair.source.fill(source, mails if mails is not None else mailbox(60, large=0))
    return source, destination


def _plain(number: int, folder: str = "INBOX", **more: object) -> Mail:
    body = f"Message-ID: <plain{number}@x>\r\nSubject: s\r\n\r\nbody {number}\r\n".encode()
    return Mail((folder,), body, **more)


def _as_copied(pair: Pair, user: str) -> Snapshot:
    """The source as it must arrive: duplicates once, a header for mails that have none."""
    seen: set[bytes] = set()

    def view(uid: int, body: bytes) -> bytes | None:
        if body in seen:
            return None
        seen.add(body)
        head = body.partition(b"\r\n\r\n")[0]
        is_known = re.search(rb"^(message-id|received) ?:", head, re.IGNORECASE | re.MULTILINE)
        return body if is_known else b"Message-Id: <%d@imapsync>\r\n" % uid + body

    boxes = pair.source.snapshot(user, view)
    return {MAPPED.get(path, path): messages for path, messages in boxes.items()}


def _arrived(pair: Pair, user: str) -> Snapshot:
    boxes = pair.destination.snapshot(user)
    return {path: messages for path, messages in boxes.items() if messages}


def _reasons(outcome: Outcome) -> dict[str, int]:
    """Why messages were left out, and how many."""
    why: Counter[str] = Counter()
    for folder in outcome.progress.folders.values():
        why.update(folder.skipped_why)
    return dict(why)


def _held(outcome: Outcome) -> int:
    """How many messages the destination's folders hold, as the engine counted them."""
    folders = outcome.progress.folders.values()
    return sum({folder.destination: folder.destination_messages for folder in folders}.values())


def test_a_mailbox_of_two_thousand_arrives_exactly_and_a_second_run_copies_nothing(
    engine: Engine, imap_pair: Pair
) -> None:
    source, destination = _users(imap_pair, mailbox())
    plan = plan_for(imap_pair, source, destination)

    first = run_pair(engine, imap_pair, plan)

    assert first.verdict.state == "done", first.verdict
    assert _arrived(imap_pair, destination) == _as_copied(imap_pair, source)
    assert first.total("copied") == imap_pair.destination.count(destination)
    assert first.total("skipped") == 5  # the twins
    assert first.progress.messages_done == first.progress.messages_total
    assert first.progress.phase == "verify"
    assert _reasons(first) == {"duplicate": 5}
    assert _held(first) == imap_pair.destination.count(destination)
    found = sum(folder.bytes_found for folder in first.progress.folders.values())
    assert found > first.progress.bytes_done > 0  # the twins
    assert first.progress.bytes_total == pytest.approx(first.progress.bytes_done, rel=0.01)
    if engine.name == "builtin":
        assert next(iter(first.progress.folders)) == "INBOX"
    assert {"Projekte/Brücke Süd", "日本語/メモ", "-rf"} <= imap_pair.destination.subscribed(
        destination
    )

    second = run_pair(engine, imap_pair, plan)

    assert (second.verdict.state, second.total("copied")) == ("done", 0)
    assert second.total("present") == first.total("copied")
    assert second.progress.bytes_done == 0
    if engine.name == "builtin":
        assert second.progress.bytes_total == 0


@pytest.mark.imapsync
@pytest.mark.parametrize("is_builtin_first", [True, False])
def test_either_engine_follows_the_other_without_a_duplicate(
    imap_pair: Pair, imapsync: ImapsyncEngine, is_builtin_first: bool
) -> None:
    engines = [BuiltinEngine(), imapsync]
    if not is_builtin_first:
        engines.reverse()
    source, destination = _users(imap_pair, mailbox())
    plan = plan_for(imap_pair, source, destination)

    first, second = (run_pair(engine, imap_pair, plan) for engine in engines)

    assert (first.verdict.state, second.verdict.state) == ("done", "done")
    assert second.total("copied") == 0
    assert second.total("present") == first.total("copied") > 2000
    assert second.total("skipped") == first.total("skipped")
    assert second.progress.folders.keys() == first.progress.folders.keys()
    assert _arrived(imap_pair, destination) == _as_copied(imap_pair, source)


def test_the_other_way_round_prefix_and_separator_are_mapped_back(
    engine: Engine, imap_pair: Pair
) -> None:
    swapped = Pair(source=imap_pair.destination, destination=imap_pair.source)
    mails = [_plain(1, "Projekte"), Mail(("Projekte", "v1.2"), b"Message-ID: <v@x>\r\n\r\n")]
    source, destination = _users(swapped, mails)

    outcome = run_pair(engine, swapped, plan_for(swapped, source, destination))

    assert outcome.verdict.state == "done", outcome.text
    with swapped.destination.client(destination) as client:
        names = {name for _flags, _separator, name in client.list_folders()}
    assert {"INBOX.Projekte", "INBOX.Projekte.v1_2"} <= names


def test_starttls_and_no_protection_work_as_well(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, [_plain(1)])
    for security, copied in (("starttls", 1), ("none", 0)):
        plan = plan_for(imap_pair, source, destination, security=security)
        outcome = run_pair(engine, imap_pair, plan)
        assert (outcome.verdict.state, outcome.total("copied")) == ("done", copied), outcome.text


def test_a_dry_run_counts_and_changes_nothing(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, [*mailbox(100, large=0), *mailbox(1, large=0)[-20:]])
    before = imap_pair.destination.snapshot(destination)

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination, dry_run=True))
    if engine.name == "builtin":
        folders = outcome.progress.folders.values()
        assert outcome.progress.bytes_total == sum(folder.bytes_copied for folder in folders) > 0

    assert outcome.verdict.state == "done"
    assert "would be copied" in outcome.verdict.sentence
    assert outcome.total("copied") > 100
    assert outcome.progress.messages_done == outcome.progress.messages_total
    assert imap_pair.destination.snapshot(destination) == before
    assert imap_pair.destination.subscribed(destination) == {"Sent", "Junk", "Trash", "Drafts"}


def test_flags_changed_at_the_source_follow(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(
        imap_pair, [_plain(1, flags=("\\Flagged", "Keep")), _plain(2, flags=("\\Seen",))]
    )
    plan = plan_for(imap_pair, source, destination)
    run_pair(engine, imap_pair, plan)
    with imap_pair.source.client(source) as client:
        client.select_folder("INBOX")
        client.set_flags([1], ["\\Answered", "Other"])
        client.set_flags([2], [])

    outcome = run_pair(engine, imap_pair, plan)

    assert (outcome.verdict.state, outcome.total("copied")) == ("done", 0)
    assert _arrived(imap_pair, destination)["INBOX"] == _as_copied(imap_pair, source)["INBOX"]


def test_mail_that_is_only_at_the_destination_stays(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, [_plain(1)])
    imap_pair.destination.fill(destination, [_plain(2), _plain(3, "Mine")])
    run_pair(engine, imap_pair, plan_for(imap_pair, source, destination))
    boxes = _arrived(imap_pair, destination)
    assert {path: sum(messages.values()) for path, messages in boxes.items()} == {
        "INBOX": 2,
        "Mine": 1,
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(include=("Projekte",)), {"Projekte", "Projekte/Brücke Süd"}),
        (Options(include=("INBOX.Projekte.Brücke Süd",)), {"Projekte/Brücke Süd"}),
        (Options(include=("inbox",)), {"INBOX"}),
        (Options(exclude=("Projekte", "a -> [b]", "Sent Items")), {"INBOX", "Projekte2"}),
        (
            Options(include=("a -> [b]", "Projekte"), exclude=("Projekte/Brücke Süd",)),
            {"a -> [b]", "Projekte"},
        ),
        (
            Options(map_special_folders=False),
            {"INBOX", "Projekte", "Projekte/Brücke Süd", "Projekte2", "a -> [b]", "Sent Items"},
        ),
    ],
)
def test_folders_are_chosen_by_their_readable_names(
    engine: Engine, imap_pair: Pair, options: Options, expected: set[str]
) -> None:
    paths = [("INBOX",), ("Projekte",), ("Projekte", "Brücke Süd"), ("Projekte2",)]
    paths += [("a -> [b]",), ("Sent Items",)]
    mails = [Mail(path, b"Message-ID: <x@x>\r\n\r\nx") for path in paths]
    source, destination = _users(imap_pair, mails)

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination, options=options))

    assert outcome.verdict.state == "done", outcome.text
    assert set(_arrived(imap_pair, destination)) == expected


def test_a_chosen_folder_that_is_not_there_is_said(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, [_plain(1, "Archiv")])
    options = Options(include=("Archiv", "Archlv"))
    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination, options=options))
    assert (outcome.verdict.state, outcome.verdict.cause) == (
        "done_with_errors",
        Cause.FOLDERS_REFUSED,
    )
    assert "Archlv" in outcome.verdict.sentence
    assert outcome.total("copied") == 1


def test_large_and_old_messages_can_be_left_out(engine: Engine, imap_pair: Pair) -> None:
    now = datetime.now(UTC)
    mails = []
    for number, (days, size) in enumerate([(1, 10), (1, 5000), (400, 10)]):
        date = now - timedelta(days=days)
        head = f"Message-ID: <{number}@x>\r\nDate: {date:%d %b %Y %H:%M:%S} +0000\r\n\r\n"
        mails.append(
            Mail(("INBOX",), head.encode() + b"x" * size, date=date.replace(microsecond=0))
        )
    source, destination = _users(imap_pair, mails)
    options = Options(max_age_days=30, max_message_bytes=2000)

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination, options=options))

    assert outcome.verdict.state == "done", outcome.verdict
    assert (outcome.total("copied"), outcome.total("skipped")) == (1, 1)
    assert _reasons(outcome) == {"too_large": 1}
    assert imap_pair.destination.count(destination) == 1


def test_a_bandwidth_limit_is_kept(engine: Engine, imap_pair: Pair) -> None:
    mails = [Mail(("INBOX",), b"Message-ID: <%d@x>\r\n\r\n" % n + b"x" * 20_000) for n in range(10)]
    source, destination = _users(imap_pair, mails)
    options = Options(bytes_per_second=100_000)

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination, options=options))

    assert outcome.total("copied") == 10
    assert outcome.seconds > 1.5


def test_a_run_ends_where_its_budget_ends_and_the_next_one_goes_on(
    engine: Engine, imap_pair: Pair
) -> None:
    mails = [Mail(("INBOX",), b"Message-ID: <%d@x>\r\n\r\n" % n + b"x" * 20_000) for n in range(10)]
    source, destination = _users(imap_pair, mails)
    plan = plan_for(imap_pair, source, destination)

    outcome = run_pair(engine, imap_pair, replace(plan, most_bytes=50_000))

    assert outcome.status == 118
    assert outcome.verdict.cause == Cause.BUDGET_SPENT
    assert outcome.total("copied") == imap_pair.destination.count(destination) == 3
    assert run_pair(engine, imap_pair, replace(plan, most_bytes=10**9)).status == 0
    assert imap_pair.destination.count(destination) == 10


def test_subscriptions_are_left_alone_when_asked(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, [_plain(1, "Archiv")])
    plan = plan_for(imap_pair, source, destination, options=Options(subscribe=False))
    run_pair(engine, imap_pair, plan)
    assert "Archiv" not in imap_pair.destination.subscribed(destination)


ODD_USERS = ["-oops", "--dry", 'quo"te', "bl ank", "ümläut", "back\\slash", "$HOME;`id`", "a'b"]
ODD_PASSWORD = " -\"q' \\ %$#{}[]()&|<>~`!? ä€ü "


@pytest.mark.parametrize("name", ODD_USERS)
def test_odd_names_and_passwords_sign_in(engine: Engine, imap_pair: Pair, name: str) -> None:
    number = next(_numbers)
    user = f"{name}{number}" if not name.startswith("--") else name
    source = imap_pair.source.add_user(user, f"{number}{ODD_PASSWORD}")
    destination = imap_pair.destination.add_user(user, f"{ODD_PASSWORD}{number}")
    imap_pair.source.fill(source, [_plain(number)])

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination))

    assert outcome.verdict.state == "done", outcome.text
    assert outcome.total("copied") == 1


def test_passwords_are_in_no_argument_no_environment_and_no_output(
    engine: Engine, imap_pair: Pair
) -> None:
    number = next(_numbers)
    secrets = (f"source-secret-{number}", f"destination-secret-{number}")
    source = imap_pair.source.add_user(f"quiet{number}", secrets[0])
    destination = imap_pair.destination.add_user(f"quiet{number}", secrets[1])
    imap_pair.source.fill(source, mailbox(50, large=0))
    seen = []

    def look(_progress: object, process: object) -> None:
        for name in ("cmdline", "environ"):
            seen.append(Path(f"/proc/{process.pid}/{name}").read_text(errors="replace"))

    outcome = run_pair(
        engine, imap_pair, plan_for(imap_pair, source, destination), on_progress=look
    )

    assert outcome.verdict.state == "done"
    everything = "\n".join([*seen, *outcome.argv, outcome.output, outcome.text])
    assert len(seen) > 20
    assert not [secret for secret in secrets if secret in everything]


def test_subjects_stay_out_of_the_log(engine: Engine, imap_pair: Pair) -> None:
    body = b"Message-ID: <secret@x>\r\nSubject: redundancies in May\r\n\r\n" + b"x" * 50_000
    source, destination = _users(imap_pair, [Mail(("INBOX",), body)], largest_mail="10k")
    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination))
    assert outcome.total("failed") == 1
    assert "redundancies" not in outcome.text + outcome.verdict.sentence
