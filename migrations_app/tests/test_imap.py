"""The login test names the failing step, keeps its time limit and keeps passwords to itself."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from migrations_app.imap import words as imap_words
from migrations_app.imap.probe import Target, try_login
from migrations_app.imap.report import Report, Step
from migrations_app.tests.dovecot import Dovecot, Pair, SilentServer, talking_server
from purelymanage.jobs.tests.processes import free_port

pytestmark = pytest.mark.once

PASSWORD = "s3cret-pass-never-seen"


def _try(
    port: int, security: str = "none", *, host: str = "127.0.0.1", user: str = "a", **limits: float
) -> Report:
    return try_login(Target(host, port, security, user, PASSWORD), **limits)


def _answering(login: bytes, capabilities: bytes = b"IMAP4rev1") -> Callable[..., None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, command = line.split()[:2]
                if command == b"CAPABILITY":
                    connection.sendall(b"* CAPABILITY " + capabilities + b"\r\n")
                    connection.sendall(tag + b" OK done\r\n")
                else:
                    connection.sendall(tag + b" " + login + b"\r\n")

    return talk


USERS = {
    "good@old.example": "plain",
    "-oops": 'with "quotes" and \\ back',
    "no-at-sign": "-leading dash",
    "umlaut@old.example": "pässwörd €",
    "blank@old.example": "  blanks around  ",
    "long@old.example": "x" * 1000,
}


@pytest.fixture(scope="module")
def _users(_session_pair: Pair) -> None:
    for name, password in USERS.items():
        _session_pair.source.add_user(name, password)
    time.sleep(1.1)  # Dovecot looks at its file of users once a second


@pytest.mark.imap
@pytest.mark.usefixtures("_users")
@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
@pytest.mark.parametrize("user", USERS)
def test_a_login_that_works_passes_every_step(
    imap_pair: Pair, security: str, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = imap_pair.source.port_tls if security == "tls" else imap_pair.source.port
    with caplog.at_level(logging.DEBUG):
        report = try_login(Target("127.0.0.1", port, security, user, USERS[user]))
    assert report.failed is None
    assert [result.step for result in report.steps] == list(Step)
    assert report.steps[-1].ok
    assert USERS[user] not in caplog.text


@pytest.mark.imap
@pytest.mark.usefixtures("_users")
def test_a_wrong_password_fails_the_login_step(imap_pair: Pair) -> None:
    report = _try(imap_pair.source.port_tls, "tls", user="good@old.example")
    assert report.failed is not None
    assert report.failed.step == Step.LOGIN
    assert "refused this address or password" in report.failed.sentence
    assert PASSWORD not in repr(report)


@pytest.mark.imap
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_self_signed_certificate_is_named(
    imap_pair: Pair, self_signed_server: Dovecot, security: str
) -> None:
    port = self_signed_server.port_tls if security == "tls" else self_signed_server.port
    report = _try(port, security)
    assert report.failed is not None
    assert report.failed.step == Step.CERTIFICATE
    assert "signed itself" in report.failed.sentence
    assert [result.ok for result in report.steps] == [True, True, True, False, None]


@pytest.mark.imap
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_authority_is_named(imap_pair: Pair, settings: object, security: str) -> None:
    settings.IMAP_CA_FILE = ""
    port = imap_pair.source.port_tls if security == "tls" else imap_pair.source.port
    report = _try(port, security)
    assert report.failed is not None
    assert report.failed.step == Step.CERTIFICATE
    assert "authority" in report.failed.sentence


@pytest.mark.imap
def test_a_certificate_for_another_name_is_named(
    imap_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations_app.imap.probe.look_up", lambda *_a, **_k: ["127.0.0.1"])
    report = _try(imap_pair.source.port_tls, "tls", host="imap.other.example")
    assert report.failed is not None
    assert report.failed.step == Step.CERTIFICATE
    assert "not for imap.other.example" in report.failed.sentence


@pytest.mark.imap
def test_a_plain_server_where_tls_is_asked_fails_the_tls_step(plain_server: Dovecot) -> None:
    report = _try(plain_server.port, "tls")
    assert report.failed is not None
    assert report.failed.step == Step.TLS
    assert "does not speak TLS" in report.failed.sentence


@pytest.mark.imap
def test_a_plain_server_where_starttls_is_asked_fails_the_tls_step(plain_server: Dovecot) -> None:
    report = _try(plain_server.port, "starttls")
    assert report.failed is not None
    assert report.failed.step == Step.TLS
    assert "does not offer STARTTLS" in report.failed.sentence


@pytest.mark.imap
@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_tls_server_where_plain_is_asked_fails_in_time(imap_pair: Pair, security: str) -> None:
    report = _try(imap_pair.source.port_tls, security, step=0.5)
    assert report.failed is not None
    assert report.failed.step == Step.CONNECT
    assert "choose TLS" in report.failed.sentence


@pytest.mark.parametrize(("security", "step"), [("tls", Step.TLS), ("none", Step.CONNECT)])
def test_a_silent_server_is_left_after_the_limit(
    silent_server: SilentServer, security: str, step: Step
) -> None:
    began = time.monotonic()
    report = _try(silent_server.port, security, step=0.5)
    assert time.monotonic() - began < 3
    assert report.failed is not None
    assert report.failed.step == step


def test_a_dripping_server_is_left_after_the_total_limit() -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(100):
            connection.sendall(b"*")
            time.sleep(0.1)

    with talking_server(drip) as port:
        began = time.monotonic()
        report = _try(port, total=1, step=1)
    assert time.monotonic() - began < 3
    assert report.failed is not None
    assert "in time" in report.failed.sentence


def test_a_closed_port_is_refused() -> None:
    report = _try(free_port(), "tls")
    assert report.failed is not None
    assert report.failed.step == Step.CONNECT
    assert "refused the connection" in report.failed.sentence


def test_an_unknown_host_fails_the_dns_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    report = _try(993, "tls", host="imap.nowhere.invalid")
    assert report.failed is not None
    assert report.failed.step == Step.DNS
    assert "no host called imap.nowhere.invalid" in report.failed.sentence


def test_a_silent_name_server_is_left_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: time.sleep(3) or [])
    began = time.monotonic()
    report = _try(993, "tls", host="imap.slow.example", step=0.3)
    assert time.monotonic() - began < 2
    assert report.failed is not None
    assert "gave no answer" in report.failed.sentence


def test_no_route_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_args: object, **_options: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    report = _try(993, "tls")
    assert report.failed is not None
    assert "no way from here" in report.failed.sentence


def test_a_password_never_crosses_the_internet_unencrypted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("migrations_app.imap.probe.look_up", lambda *_a, **_k: ["9.9.9.9"])
    report = _try(143, "none", host="imap.public.example")
    assert report.failed is not None
    assert report.failed.step == Step.CONNECT
    assert "in the clear" in report.failed.sentence


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"NO [AUTHENTICATIONFAILED] no", "refused this address or password"),
        (b"NO [LIMIT] Maximum number of connections from user+IP exceeded", "too many connections"),
        (b"NO [PRIVACYREQUIRED] Plaintext authentication disallowed", "no password without"),
        (b"NO [UNAVAILABLE] Temporary failure", "at the moment"),
        (b"BAD what", "refused this address or password. It said: what"),
        (b"BAD you said " + PASSWORD.encode(), "you said …"),
        (b"NO you said " + PASSWORD.encode() + b"\x07", "you said …"),
    ],
)
def test_a_refused_login_says_why(answer: bytes, words: str) -> None:
    with talking_server(_answering(answer)) as port:
        report = _try(port)
    assert report.failed is not None
    assert report.failed.step == Step.LOGIN
    assert words in report.failed.sentence
    assert PASSWORD not in repr(report)
    assert "\x07" not in report.failed.sentence


def test_letters_that_have_no_place_among_capabilities_break_nothing() -> None:
    with talking_server(_answering(b"OK in", "IMAP4rev1 X-GRÜSSE".encode("latin-1"))) as port:
        assert _try(port).ok


@pytest.mark.parametrize("password", ["pässwörd-s3cret", 'with "quotes" and \\ back'])
def test_a_password_that_comes_back_with_bad_is_not_shown(password: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            tag = lines.readline().split()[0]
            connection.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            tag, login = lines.readline().split(b" ", 1)
            connection.sendall(tag + b" BAD " + login)

    with talking_server(talk) as port:
        report = try_login(Target("127.0.0.1", port, "none", "a", password))
    assert report.failed is not None
    sentence = report.failed.sentence
    assert "It said: LOGIN" in sentence
    assert not {word for word in ("wörd", "w\\xc3", "quotes") if word in sentence}


def test_a_server_that_takes_no_password_before_tls_is_not_sent_one() -> None:
    with talking_server(_answering(b"OK", b"IMAP4rev1 LOGINDISABLED")) as port:
        report = _try(port)
    assert report.failed is not None
    assert "takes no password without encryption" in report.failed.sentence


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"* BYE Too many connections\r\n", "too many connections"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not as an IMAP server"),
        (b"", "closed the connection"),
    ],
)
def test_a_strange_greeting_is_named(greeting: bytes, words: str) -> None:
    with talking_server(lambda connection: connection.sendall(greeting)) as port:
        report = _try(port, step=1)
    assert report.failed is not None
    assert words in report.failed.sentence


@pytest.mark.parametrize(
    ("code", "words"), [(10, "has expired"), (9, "not valid yet"), (62, "not for"), (1, "accepted")]
)
def test_each_certificate_trouble_has_a_sentence(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    target = Target("imap.old.example", 993, "tls", "a", PASSWORD)
    assert words in imap_words.bad_certificate(target, error)


def test_a_line_without_end_is_not_read_to_its_end() -> None:
    taken = []

    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"*" * 100_000)
            taken.append(100_000)

    with talking_server(talk) as port:
        report = _try(port)
    assert report.failed
    assert report.failed.step == Step.CONNECT
    assert sum(taken) < 20_000_000, "what is on its way is the network's"
