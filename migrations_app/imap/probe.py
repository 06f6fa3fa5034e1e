"""A live IMAP login that names the step which failed. Nothing is stored, nothing is copied.

Passwords stand in no exception, no log and no `repr`; what a server answers is shown without them.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

from django.conf import settings
from django.utils.translation import gettext as _

from migrations_app.imap import words
from migrations_app.imap.connections import MAX_ADDRESSES, connect, judge, look_up
from migrations_app.imap.hosts import port_problem
from migrations_app.imap.report import Report, Step, StepError, StepResult, Target, quoted
from migrations_app.models import Security

STEP_SECONDS = 10.0
TOTAL_SECONDS = 15.0
MAX_BYTES = 1_000_000
"""Of all that a server says during a test; a login needs some hundred."""


class _Session(imaplib.IMAP4):
    """imaplib on a socket that is connected already, so that each step fails under its name."""

    def __init__(self, host: str, port: int, connected: socket.socket) -> None:
        self.connected = connected
        self.allowance = MAX_BYTES
        try:
            super().__init__(host, port)
        except self.abort:
            raise
        except self.error as error:  # from here on a plain error is a refusal of the login
            raise self.abort(f"unexpected response: {error}") from None

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self.connected

    def read(self, size: int) -> bytes:
        return self._count(super().read(min(size, self.allowance + 1)))

    def readline(self) -> bytes:
        """Not imaplib's, which takes lines as long as the built-in engine needs them."""
        return self._count(cast("IO[bytes]", self.file).readline(self.allowance + 1))

    def _count(self, data: bytes) -> bytes:
        self.allowance -= len(data)
        if self.allowance < 0:
            raise self.abort("unexpected response: too long")
        return data

    def sign_in(self, user: str, password: str) -> tuple[str, list[Any]]:
        """LOGIN as imapsync does it; SASL PLAIN for what LOGIN has no letters for."""
        is_ascii = user.isascii() and password.isascii()
        if not is_ascii and "AUTH=PLAIN" in self.capabilities:
            kind, answer = self.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            return kind, [answer]
        self._encoding = "utf-8"
        tag = self._command("LOGIN", quoted(user), quoted(password))
        kind, answers = self._get_tagged_response(tag)  # BAD is an answer, in the server's words
        return kind, list(answers)

    def _get_capabilities(self) -> None:
        """As imaplib does, but what is no ASCII is no reason to break."""
        answer = self.capability()[1][-1]
        if answer is None:
            raise self.error("no CAPABILITY response from server")
        self.capabilities = tuple(answer.decode(errors="replace").upper().split())


class _Attempt:
    """One login under way: its clock, its socket, and what has been reached."""

    def __init__(self, target: Target, *, total: float, step: float) -> None:
        self.target = target
        self.ends_at = time.monotonic() + total
        self.step_seconds = step
        self.passed: dict[Step, StepResult] = {}
        self.sock: socket.socket | None = None
        self.session: _Session | None = None
        self.is_over = threading.Event()

    def pass_step(self, step: Step, sentence: str, *, ok: bool | None = True) -> None:
        self.passed[step] = StepResult(step, ok, sentence)

    def seconds(self) -> float:
        """What the next step may take."""
        return max(0.1, min(self.step_seconds, self.ends_at - time.monotonic()))

    def close(self) -> None:
        """Leave nothing open."""
        if self.session:
            with suppress(OSError):
                self.session.shutdown()
        if self.sock:
            self.sock.close()

    def run_out(self) -> None:
        """Called by the clock: a server that drips bytes must not hold us beyond the limit."""
        self.is_over.set()
        sock = self.session.sock if self.session else self.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes whoever reads from it

    def run(self) -> None:
        self.connect(self.look_up())
        if self.target.security == Security.TLS:
            self.greet_over_tls()
        else:
            self.greet_in_plain()
        self.sign_in()

    def look_up(self) -> list[str]:
        target = self.target
        if problem := port_problem(target.port):
            raise StepError(Step.CONNECT, problem)
        with words.failing(Step.DNS, target, self.is_over):
            addresses = look_up(target.host, target.port, seconds=self.seconds())
        with words.failing(Step.CONNECT, target, self.is_over):
            judge(
                addresses,
                allows_local=settings.IMAP_ALLOW_LOCAL,
                in_plain=target.security == Security.NONE,
            )
        self.pass_step(Step.DNS, ", ".join(addresses[:MAX_ADDRESSES]))
        return addresses

    def connect(self, addresses: list[str]) -> None:
        with words.failing(Step.CONNECT, self.target, self.is_over):
            self.sock = connect(addresses, self.target.port, seconds=self.seconds())
        self.pass_step(Step.CONNECT, _("Port %(port)s answers.") % {"port": self.target.port})

    def greet_over_tls(self) -> None:
        sock = self._current()
        sock.settimeout(self.seconds())
        with words.failing(Step.TLS, self.target, self.is_over):
            self.sock = tls_context().wrap_socket(sock, server_hostname=self.target.host)
        self._trusted(self.sock)
        self.sock.settimeout(self.seconds())
        with words.failing(Step.LOGIN, self.target, self.is_over):
            self.session = _Session(self.target.host, self.target.port, self.sock)

    def greet_in_plain(self) -> None:
        sock = self._current()
        sock.settimeout(self.seconds())
        with words.failing(Step.CONNECT, self.target, self.is_over):
            self.session = _Session(self.target.host, self.target.port, sock)
        if self.target.security == Security.NONE:
            self.pass_step(Step.TLS, _("Not asked for."), ok=None)
            self.pass_step(Step.CERTIFICATE, _("None without TLS."), ok=None)
            return
        if "STARTTLS" not in self.session.capabilities:
            raise StepError(Step.TLS, words.no_starttls(self.target))
        sock.settimeout(self.seconds())
        with words.failing(Step.TLS, self.target, self.is_over):
            self.session.starttls(ssl_context=tls_context())
        self._trusted(self.session.sock)

    def sign_in(self) -> None:
        assert self.session is not None  # noqa: S101  greeted before
        if "LOGINDISABLED" in self.session.capabilities:
            raise StepError(Step.LOGIN, words.login_disabled(self.target))
        self.session.sock.settimeout(self.seconds())
        with words.failing(Step.LOGIN, self.target, self.is_over):
            kind, answer = self.session.sign_in(self.target.user, self.target.password)
        if kind != "OK":
            raise StepError(Step.LOGIN, words.login_refused(self.target, answer))
        self.pass_step(
            Step.LOGIN, _("Signed in as %(user)s.") % {"user": words.short(self.target.user)}
        )
        with suppress(OSError, imaplib.IMAP4.error):  # signed in is what was asked
            self.session.logout()

    def _current(self) -> socket.socket:
        assert self.sock is not None  # noqa: S101  connected before
        return self.sock

    def _trusted(self, sock: Any) -> None:
        self.pass_step(Step.TLS, str(sock.version()).replace("v", " "))
        self.pass_step(Step.CERTIFICATE, words.certificate(sock.getpeercert()))


def try_login(
    target: Target, *, total: float = TOTAL_SECONDS, step: float = STEP_SECONDS
) -> Report:
    """Sign in at `target` and out again; never takes longer than about `total` seconds."""
    attempt = _Attempt(target, total=total, step=step)
    failure: StepError | None = None
    with _clock(attempt, total):
        try:
            attempt.run()
        except StepError as error:
            failure = error
        finally:
            attempt.close()
    return Report(target.host, target.port, tuple(_results(attempt, failure)))


def tls_context() -> ssl.SSLContext:
    """Certificates are verified, by the system's authorities and those of IMAP_CA_FILE."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # also where OpenSSL is set to allow older
    if settings.IMAP_CA_FILE:
        context.load_verify_locations(cafile=settings.IMAP_CA_FILE)
    return context


@contextmanager
def _clock(attempt: _Attempt, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, attempt.run_out)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _results(attempt: _Attempt, failure: StepError | None) -> Iterator[StepResult]:
    for step in Step:
        if failure and step == failure.step:
            yield StepResult(step, ok=False, sentence=failure.sentence)
        elif step == Step.TLS and failure and failure.step == Step.CERTIFICATE:
            yield StepResult(step, ok=True, sentence=_("Answers with TLS."))
        else:
            yield attempt.passed.get(step) or StepResult(step, None, _("Not reached."))
