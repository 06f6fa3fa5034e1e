"""What goes wrong is told in the same words by either engine, and the rest goes on."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from migrations_app.engines.base import Engine
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES, Remedy
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.tests.dovecot import Dovecot, Mail, Pair, SilentServer
from migrations_app.tests.runs import Outcome, plan_for, run, run_pair
from purelymanage.jobs.tests.processes import free_port

pytestmark = [pytest.mark.imap, pytest.mark.once]
PASSWORDS = ("source pass", "dest pass")
_numbers = count()


def _users(pair: Pair, mails: list[Mail] | None = None, **more: object) -> tuple[str, str]:
    number = next(_numbers)
    source = pair.source.add_user(f"from{number}@old.example", PASSWORDS[0])
    destination = pair.destination.add_user(f"to{number}@new.example", PASSWORDS[1], **more)
    if mails:
        pair.source.fill(source, mails)
    return source, destination


def _mails(sizes: list[int], folder: str = "INBOX") -> list[Mail]:
    line = b"x" * 70 + b"\r\n"
    return [
        Mail((folder,), b"Message-ID: <%d@%d>\r\n\r\n" % (number, size) + line * (size // 72))
        for number, size in enumerate(sizes)
    ]


def _ended(outcome: Outcome) -> tuple[str, Cause | None, int]:
    return outcome.verdict.state, outcome.verdict.cause, outcome.status


@pytest.mark.parametrize(
    ("passwords", "cause", "status"),
    [
        (("wrong", PASSWORDS[1]), Cause.SOURCE_PASSWORD, 161),
        ((PASSWORDS[0], "wrong"), Cause.DESTINATION_PASSWORD, 162),
        (("wrong", "wrong"), Cause.SOURCE_PASSWORD, 161),
    ],
)
def test_a_wrong_password_is_named_with_its_side(
    engine: Engine, imap_pair: Pair, passwords: tuple[str, str], cause: Cause, status: int
) -> None:
    source, destination = _users(imap_pair)

    outcome = run(engine, plan_for(imap_pair, source, destination), passwords)

    assert _ended(outcome) == ("failed", cause, status)
    assert CURES[cause].remedy == Remedy.PASSWORD
    wrong = [
        user
        for user, password in zip((source, destination), passwords, strict=True)
        if password == "wrong"
    ]
    assert all(user in outcome.verdict.sentence for user in wrong)
    assert "No connection to" not in outcome.text


def _with_source(pair: Pair, source: Endpoint, **options: object) -> Plan:
    user, destination = _users(pair)
    plan = plan_for(pair, user, destination, options=Options(**options))
    return replace(plan, source=replace(source, user=user))


def test_an_unknown_host_is_named(engine: Engine, imap_pair: Pair) -> None:
    plan = _with_source(imap_pair, Endpoint("no-such-host.invalid", 993, "tls", ""))
    outcome = run(engine, plan, PASSWORDS)
    assert _ended(outcome) == ("failed", Cause.SOURCE_HOST, 101)
    assert "no-such-host.invalid is unknown" in outcome.verdict.sentence


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_closed_port_is_named_with_its_side(engine: Engine, imap_pair: Pair, side: str) -> None:
    source, destination = _users(imap_pair)
    plan = plan_for(imap_pair, source, destination)
    end = replace(getattr(plan, side), port=free_port())

    outcome = run(engine, replace(plan, **{side: end}), PASSWORDS)

    cause = Cause.SOURCE_UNREACHABLE if side == "source" else Cause.DESTINATION_UNREACHABLE
    assert _ended(outcome) == ("failed", cause, 101 if side == "source" else 102)
    assert CURES[cause].remedy == Remedy.RETRY
    assert f"localhost:{end.port}" in outcome.verdict.sentence
    assert "It refused the connection." in outcome.verdict.sentence


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_self_signed_certificate_is_refused(
    engine: Engine, imap_pair: Pair, self_signed_server: Dovecot, security: str
) -> None:
    port = self_signed_server.port_tls if security == "tls" else self_signed_server.port
    plan = _with_source(imap_pair, Endpoint("localhost", port, security, ""))
    outcome = run(engine, plan, PASSWORDS)
    assert _ended(outcome)[:2] == ("failed", Cause.SOURCE_CERTIFICATE)
    assert "IMAP_CA_FILE" in outcome.verdict.sentence


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name_is_refused(
    engine: Engine, imap_pair: Pair, security: str
) -> None:
    server = imap_pair.source
    port = server.port_tls if security == "tls" else server.port
    plan = _with_source(imap_pair, Endpoint(server.misnamed_host, port, security, ""))
    outcome = run(engine, plan, PASSWORDS)
    assert _ended(outcome)[:2] == ("failed", Cause.SOURCE_CERTIFICATE), outcome.text


def test_without_the_authority_nothing_is_trusted(
    engine: Engine, imap_pair: Pair, settings: object
) -> None:
    settings.IMAP_CA_FILE = ""
    source, destination = _users(imap_pair)
    outcome = run(engine, plan_for(imap_pair, source, destination), PASSWORDS)
    assert _ended(outcome)[:2] == ("failed", Cause.SOURCE_CERTIFICATE)


def test_tls_spoken_to_a_plain_port_is_named(engine: Engine, imap_pair: Pair) -> None:
    plan = _with_source(imap_pair, Endpoint("localhost", imap_pair.source.port, "tls", ""))
    outcome = run(engine, plan, PASSWORDS)
    assert _ended(outcome) == ("failed", Cause.SOURCE_TLS, 101)


def test_a_server_without_starttls_gets_no_password(
    engine: Engine, imap_pair: Pair, plain_server: Dovecot
) -> None:
    plan = _with_source(imap_pair, Endpoint("localhost", plain_server.port, "starttls", ""))
    outcome = run(engine, plan, PASSWORDS)
    assert _ended(outcome) == ("failed", Cause.SOURCE_TLS, 12)
    assert "Login" not in plain_server.logs().replace("Logged", "")


def test_a_silent_server_is_given_up(
    engine: Engine, imap_pair: Pair, silent_server: SilentServer
) -> None:
    end = Endpoint(silent_server.host, silent_server.port, "none", "")
    outcome = run(engine, _with_source(imap_pair, end, timeout_seconds=2), PASSWORDS)
    assert _ended(outcome) == ("failed", Cause.SOURCE_UNREACHABLE, 101)
    assert outcome.seconds < 15


def test_too_many_connections_are_told_from_a_wrong_password(
    engine: Engine, imap_pair: Pair
) -> None:
    source, destination = _users(imap_pair)
    plan = plan_for(imap_pair, source, destination)
    limited = replace(plan.destination, host=imap_pair.destination.limited_host)
    with imap_pair.destination.client(destination):
        outcome = run(engine, replace(plan, destination=limited), PASSWORDS)
    assert _ended(outcome) == ("failed", Cause.DESTINATION_BUSY, 162)
    assert CURES[Cause.DESTINATION_BUSY].remedy == Remedy.RETRY


def test_one_connection_for_each_side_is_enough(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, _mails([100] * 20))
    plan = plan_for(imap_pair, source, destination)
    host = imap_pair.source.limited_host
    ends = {side: replace(getattr(plan, side), host=host) for side in ("source", "destination")}
    outcome = run_pair(engine, imap_pair, replace(plan, **ends))
    assert outcome.total("copied") == 20


def test_a_message_too_large_is_named_and_the_others_are_copied(
    engine: Engine, imap_pair: Pair
) -> None:
    mails = _mails([100, 500_000, 100, 100], "Große Anhänge")
    source, destination = _users(imap_pair, mails, largest_mail="100k")

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination))

    assert _ended(outcome) == ("done_with_errors", Cause.MESSAGES_TOO_LARGE, 114)
    assert (outcome.total("copied"), outcome.total("failed")) == (3, 1)
    (line,) = [line for line in outcome.log if line.level == "error"]
    assert "INBOX.Große Anhänge/2" in line.text
    assert imap_pair.destination.count(destination) == 3


def test_a_full_destination_ends_the_run_soon(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, _mails([50_000] * 700), quota="1M")

    outcome = run_pair(engine, imap_pair, plan_for(imap_pair, source, destination))

    assert _ended(outcome) == ("failed", Cause.DESTINATION_FULL, 113)
    assert "is full" in outcome.verdict.sentence
    assert 10 <= outcome.total("failed") <= 500
    copied = imap_pair.destination.count(destination)
    assert outcome.total("copied") == copied > 10
    assert f"{copied:,}" in outcome.verdict.sentence


def test_more_room_and_the_next_run_finishes(engine: Engine, imap_pair: Pair) -> None:
    source, destination = _users(imap_pair, _mails([50_000] * 60), quota="1M")
    plan = plan_for(imap_pair, source, destination)
    first = run_pair(engine, imap_pair, plan)
    imap_pair.destination.add_user(destination, PASSWORDS[1], quota="100M")

    second = run_pair(engine, imap_pair, plan)

    assert second.verdict.state == "done", second.text
    assert first.total("copied") + second.total("copied") == 60
    assert imap_pair.destination.count(destination) == 60
