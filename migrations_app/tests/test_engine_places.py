"""Where engines may connect to, hours after the place was judged, and what they send there."""

from __future__ import annotations

import socket
import ssl

import pytest

from migrations_app.engines.builtin.session import Session
from migrations_app.engines.causes import Cause
from migrations_app.engines.network_words import remark
from migrations_app.engines.plan import Endpoint
from migrations_app.engines.troubles import Trouble, cause_of
from migrations_app.imap.hosts import place_problem
from migrations_app.imap.probe import tls_context
from migrations_app.imap.report import Step
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import runner
from migrations_app.tests.places import (
    HIDDEN,
    PASSWORD,
    attempt,
    connections_of,
    listening,
    open_session,
    resolve,
)
from migrations_app.tests.queueing import FAKE, make_job

# The runner, for both engines

pytest_runner = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _stand_in(strict: object, tmp_path: object) -> None:
    strict.MIGRATION_ENGINE = "imapsync"
    strict.IMAPSYNC_PATH = str(FAKE)
    strict.DATA_DIR = tmp_path
    strict.WORKER_HOST = "a:1"


@pytest_runner
@pytest.mark.usefixtures("_stand_in")
@pytest.mark.parametrize(
    ("addresses", "facts", "words"),
    [
        (["127.0.0.1"], {}, "leads to this machine"),
        (["9.9.9.9", "169.254.169.254"], {}, "leads to this machine"),
        (["9.9.9.9"], {"source_port": 22}, "Use port 143 or 993"),
        (["9.9.9.9"], {"source_port": 143, "source_security": "none"}, "in the clear"),
        (["9.9.9.9"], {"source_host": "127.0.0.1"}, "is this machine"),
    ],
)
def test_no_engine_starts_towards_such_a_place(
    addresses: list[str],
    facts: dict[str, object],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "Run", None)  # starting one would fail loudly
    resolve(monkeypatch, addresses)
    make_job(**facts)
    runner.run(queue.claim("a:1"))
    job = MigrationJob.objects.get()
    assert (job.state, job.cause) == (State.FAILED, Cause.SOURCE_HOST)
    assert words in job.verdict


@pytest_runner
@pytest.mark.usefixtures("_stand_in")
def test_a_name_nobody_knows_now_is_not_left_to_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(runner, "Run", None)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    make_job()
    runner.run(queue.claim("a:1"))
    job = MigrationJob.objects.get()
    assert (job.state, job.cause) == (State.FAILED, Cause.SOURCE_HOST)
    assert "cannot be looked up" in job.verdict


def silent(*_args: object, **_options: object) -> None:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@pytest_runner
@pytest.mark.usefixtures("_stand_in")
def test_a_name_server_that_does_not_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "Run", None)
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    make_job()
    runner.run(queue.claim("a:1"))
    job = MigrationJob.objects.get()
    assert (job.state, job.cause, job.retries) == (State.QUEUED, Cause.SOURCE_UNREACHABLE, 1)
    assert "name server gave no answer" in job.verdict


@pytest.mark.once
def test_the_built_in_engine_takes_no_silent_name_server_for_an_unknown_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    trouble = Trouble("connect", 1, open_session("old.example"))
    assert cause_of(trouble) == Cause.SOURCE_UNREACHABLE
    assert remark(trouble.text) == "No name server answers for it."


@pytest_runner
@pytest.mark.usefixtures("_stand_in")
def test_an_engine_starts_towards_public_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, ["9.9.9.9"])
    make_job()
    runner.run(queue.claim("a:1"))
    assert MigrationJob.objects.get().state == State.DONE


# The built-in engine looks up once more, hours later after a loss


@pytest.mark.usefixtures("no_connection")
@pytest.mark.once
@pytest.mark.parametrize("address", HIDDEN)
def test_the_built_in_engine_does_not_connect_here(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [address])
    assert open_session("rebound.example").startswith("off limits")


@pytest.mark.once
def test_the_built_in_engine_connects_to_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve(monkeypatch, ["9.9.9.9"], ["127.0.0.1"])
    places = connections_of(monkeypatch)
    open_session("rebound.example")
    assert (asked, places) == (["rebound.example"], [("9.9.9.9", 993)])


# Passwords in the clear


@pytest.mark.once
@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("address", ["9.9.9.9", "::ffff:9.9.9.9", "2620:fe::fe"])
def test_no_password_crosses_the_internet_in_the_clear(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [address])
    report = attempt("imap.far.example", 143, "none")
    assert report.failed is not None
    assert "in the clear" in report.failed.sentence
    assert "not on a private network" in open_session(
        "imap.far.example", 143, "none", allows_local=True
    )
    assert "in the clear" in place_problem("imap.far.example", 143, in_plain=True)


CAPABLE = b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK\r\n"
STRIPPED = b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n"


@pytest.mark.once
@pytest.mark.parametrize(
    "lines",
    [
        [b"* OK ready\r\n", STRIPPED, b"TAG OK\r\n"],
        [b"* OK ready\r\n", CAPABLE, b"TAG NO not now\r\n", b"TAG OK\r\n"],
        [b"* OK ready\r\n", CAPABLE, b"TAG OK go\r\nnot TLS at all\r\n", b"TAG OK\r\n"],
        [b"* PREAUTH ready\r\n", CAPABLE, b"TAG OK\r\n"],
    ],
)
def test_without_starttls_no_password_is_sent(lines: list[bytes]) -> None:
    with listening(*lines) as (port, heard):
        report = attempt("127.0.0.1", port, "starttls")
        open_session("127.0.0.1", port, "starttls", allows_local=True)
    assert report.failed is not None
    assert report.failed.step in (Step.TLS, Step.CONNECT)
    said = b"".join(heard)
    assert b"CAPABILITY" in said
    assert PASSWORD.encode() not in said
    assert b"LOGIN" not in said
    assert b"AUTHENTICATE" not in said


@pytest.mark.once
def test_old_tls_is_not_spoken() -> None:
    session = Session(1, Endpoint("imap.old.example", 993, "tls", "a"), PASSWORD, "", 2)
    for context in (tls_context(), session._context()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
