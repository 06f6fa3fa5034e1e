"""Messages to put into a mailbox, and the fast way to put thousands there."""

from __future__ import annotations

import base64
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from imapclient.imap_utf7 import encode as to_utf7

if TYPE_CHECKING:
    from migrations_app.tests.dovecot import Dovecot


@dataclass(frozen=True)
class Mail:
    """One message to put into a mailbox; `folder` is a path, `("INBOX",)` the inbox itself."""

    folder: tuple[str, ...]
    body: bytes
    flags: tuple[str, ...] = ()
    date: datetime = datetime(2020, 2, 29, 12, 0, 0, tzinfo=UTC)


class Appender:
    """Pipelines APPENDs over a plain socket, so that filling 2,000 mails takes a second."""

    def __init__(self, server: Dovecot, user: str) -> None:
        self.socket = socket.create_connection((server.host, server.port), timeout=60)
        self.file = self.socket.makefile("rb")
        self.server = server
        self.file.readline()
        secret = f"\0{user}\0{server.passwords[user]}".encode()
        self._send(b"a AUTHENTICATE PLAIN " + base64.b64encode(secret) + b"\r\n")
        self._expect(b"a", 1)

    def _send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _expect(self, tag: bytes, count: int) -> None:
        while count:
            line = self.file.readline()
            assert line, "Dovecot closed the connection"
            if line.startswith(tag + b" "):
                assert line.startswith(tag + b" OK"), line
                count -= 1

    def run(self, by_folder: dict[tuple[str, ...], list[Mail]]) -> None:
        with self.socket, self.file:
            for folder, mails in by_folder.items():
                name = quote(to_utf7(self.server.mailbox(folder)))
                for start in range(0, len(mails), 50):
                    batch = mails[start : start + 50]
                    self._send(b"".join(self._command(name, mail) for mail in batch))
                    self._expect(b"p", len(batch))

    @staticmethod
    def _command(name: bytes, mail: Mail) -> bytes:
        flags = " ".join(mail.flags).encode()
        date = mail.date.strftime("%d-%b-%Y %H:%M:%S %z").encode()
        head = b'p APPEND %s (%s) "%s" {%d+}\r\n' % (name, flags, date, len(mail.body))
        return head + mail.body + b"\r\n"


def quote(text: bytes) -> bytes:
    """An IMAP quoted string."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
