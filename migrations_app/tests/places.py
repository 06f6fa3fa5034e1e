"""What the tests of places share: name servers and servers that say what a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.plan import Endpoint
from migrations_app.imap.probe import try_login
from migrations_app.imap.report import Report, Target

PASSWORD = "s3cret-pass-never-seen"
HIDDEN = ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0", "fe80::1%lo"]


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


def connections_of(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    places: list[object] = []

    def refuse(place: object, *_args: object) -> None:
        places.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return places
