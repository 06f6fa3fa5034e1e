"""Where people can aim the panel at, by any door: the form, the login test, either engine."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app import queue, runner
from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.network_words import without_wrapping
from migrations_app.engines.plan import Endpoint
from migrations_app.hosts import place_problem
from migrations_app.imap import tls_context, try_login
from migrations_app.imap_report import Report, Step, Target
from migrations_app.models import MigrationJob, Server, State
from migrations_app.tests.factories import ServerFactory
from migrations_app.tests.queueing import FAKE, make_job

PASSWORD = "s3cret-pass-never-seen"


@pytest.fixture
def strict(settings: object) -> object:
    """As in production."""
    settings.IMAP_ALLOW_LOCAL = False
    settings.IMAP_PORTS = [143, 993]
    return settings


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_args: object, **_options: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", connected)


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Name servers that answer this, then that; what was asked."""
    asked: list[str] = []

    def answer(host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def attempt(host: str, port: int = 993, security: str = "tls") -> Report:
    return try_login(Target(host, port, security, "anna", PASSWORD), step=2)


def open_session(host: str, port: int = 993, security: str = "tls", **more: bool) -> str:
    """The words with which the built-in engine refuses."""
    session = Session(1, Endpoint(host, port, security, "anna"), PASSWORD, "", 2, **more)
    with pytest.raises(TroubleError) as caught:
        session.open()
    return caught.value.text


@contextmanager
def listening(*lines: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that says these lines, each after one line of the client; and what it heard."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                with connection, suppress(OSError), connection.makefile("rb") as file:
                    connection.settimeout(3)
                    for line in lines:
                        connection.sendall(line.replace(b"TAG", (heard or [b""])[-1][:6].strip()))
                        heard.append(file.readline())

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        listener.close()


# The form

LOCAL_HOSTS = [
    "localhost",
    "LOCALHOST.",
    "imap.localhost",
    "127.0.0.1",
    "127.8.8.8",
    "[::1]",
    "0.0.0.0",
    "169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
]
SPELLINGS = [
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "127.1",
    "0177.0.0.1",
    "127.0.0.0x1",
    "\uff11\uff12\uff17.\uff11",
]


def add(client: Client, host: str, port: int = 993) -> str:
    data = {"name": "Old", "host": host, "port": port, "security": "tls"}
    response = client.post(reverse("migrations:server_add"), data)
    return "" if response.status_code == 302 else response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_server_on_this_machine_or_its_link_is_not_saved(admin_client: Client, host: str) -> None:
    assert "IMAP_ALLOW_LOCAL" in add(admin_client, host)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("host", SPELLINGS)
def test_addresses_in_odd_spellings_are_no_hosts(admin_client: Client, host: str) -> None:
    assert "not a host name or IP address" in add(admin_client, host)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", ["imap.old.example", "10.1.2.3", "192.168.1.4", "fd00::25"])
def test_public_names_and_private_networks_are_saved(admin_client: Client, host: str) -> None:
    assert add(admin_client, host) == ""
    assert Server.objects.get().host == host


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("port", [22, 25, 80, 6379, 65535])
def test_other_ports_are_not_saved(admin_client: Client, port: int) -> None:
    assert "Use port 143 or 993" in add(admin_client, "imap.old.example", port)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
def test_a_server_cannot_be_changed_to_one_of_this_machine(admin_client: Client) -> None:
    server = ServerFactory(host="imap.old.example")
    data = {"name": "Old", "host": "127.0.0.1", "port": 25, "security": "tls"}
    page = admin_client.post(reverse("migrations:server_edit", args=[server.pk]), data)
    assert page.status_code == 422
    assert Server.objects.get().host == "imap.old.example"


@pytest.mark.django_db
def test_the_operator_can_allow_both(admin_client: Client) -> None:
    assert add(admin_client, "127.0.0.1", 11143) == ""


# The login test

HIDDEN = ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0", "fe80::1%lo"]


@pytest.mark.usefixtures("strict", "no_connection")
@pytest.mark.parametrize("address", HIDDEN)
def test_a_name_that_leads_here_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [address])
    report = attempt("rebound.example")
    assert report.failed is not None
    assert "leads to this machine or its own link" in report.failed.sentence
    assert address not in repr(report.failed)


@pytest.mark.usefixtures("strict", "no_connection")
def test_one_address_that_leads_here_spoils_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, ["9.9.9.9", "127.0.0.1"])
    report = attempt("rebound.example")
    assert report.failed is not None
    assert "leads to this machine" in report.failed.sentence


@pytest.mark.usefixtures("strict", "no_connection")
def test_a_port_that_is_not_for_imap_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve(monkeypatch, ["9.9.9.9"])
    report = attempt("imap.old.example", 22)
    assert report.failed is not None
    assert "Use port 143 or 993" in report.failed.sentence
    assert asked == []


@pytest.mark.usefixtures("strict")
def test_the_login_test_connects_to_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve(monkeypatch, ["9.9.9.9"], ["127.0.0.1"])
    places = connections_of(monkeypatch)
    attempt("rebound.example")
    assert (asked, places) == (["rebound.example"], [("9.9.9.9", 993)])


def connections_of(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    places: list[object] = []

    def refuse(place: object, *_args: object) -> None:
        places.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return places


BANNERS = [
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    b"220 internal.example ESMTP Postfix Debian-2\r\n",
    b"HTTP/1.1 400 Bad Request\r\nServer: Debian-2\r\n\r\n",
    b"-ERR unknown command, Debian-2\r\n",
    b"+OK Dovecot (Debian-2) ready.\r\n",
    b"* NO this is Debian-2\r\n",
    b"* this is Debian-2\r\n",
]


@pytest.mark.once
@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("is_tls", [True, False])
def test_what_other_services_say_is_shown_to_nobody(
    banner: bytes, is_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoTls:
        """Stands in for a handshake that went well."""

        minimum_version = None

        def wrap_socket(self, sock: socket.socket, **_options: object) -> socket.socket:
            return sock

    for name in ("migrations_app.imap.tls_context", f"{Session.__module__}.Session._context"):
        monkeypatch.setattr(name, lambda *_args: NoTls())
    monkeypatch.setattr("migrations_app.imap._Attempt._trusted", lambda *_args: None)
    security = "tls" if is_tls else "none"
    with listening(banner) as (port, heard):
        report = attempt("127.0.0.1", port, security)
        words = open_session("127.0.0.1", port, security, allows_local=True)
    assert report.failed is not None
    assert "Debian" not in repr(report) + words + without_wrapping(words)
    assert PASSWORD.encode() not in b"".join(heard)


@pytest.mark.once
def test_a_greeting_without_end_is_left_after_a_million_bytes() -> None:
    with listening(b"* OK {2000000000}\r\n" + b"x" * 5_000_000) as (port, _heard):
        report = attempt("127.0.0.1", port, "none")
    assert report.failed is not None
    assert "not as an IMAP server does" in report.failed.sentence


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
