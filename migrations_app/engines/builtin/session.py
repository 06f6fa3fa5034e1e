"""One signed-in IMAP connection, and how it comes back after it broke."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError
from imapclient.imapclient import _literal  # marks what must be sent as a literal

from migrations_app.engines.builtin.troubles import SOURCE, GoneError, LostError, TroubleError
from migrations_app.engines.plan import Endpoint
from migrations_app.imap.connections import connect, judge, look_up

CONNECT_SECONDS = 30
LOGOUT_SECONDS = 3
RECONNECT_PAUSES = (0.5, 2, 5)
_MAX_LINE = 64 * 1024 * 1024
_BYTES_TEXT = re.compile(r"b'(.*?)'|b\"(.*?)\"", re.DOTALL)

# A folder of 200,000 messages answers SEARCH with one line longer than imaplib allows.
imaplib._MAXLINE = _MAX_LINE  # type: ignore[attr-defined]  # noqa: SLF001  it has no setting


class _Imap(imaplib.IMAP4):
    """imaplib on a socket that is connected already."""

    def __init__(self, host: str, port: int, connected: socket.socket, most: float) -> None:
        self.connected = connected
        self.allowance = most
        try:
            super().__init__(host, port)
        except self.error as error:
            text = str(error)
            if "BYE" in text or (isinstance(error, self.abort) and "unexpected" not in text):
                raise
            # What is no mail server is not quoted in the log that people read
            raise self.abort("the server does not answer as an IMAP server does") from None

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self.connected

    def read(self, size: int) -> bytes:
        self._use_up(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._use_up(len(line))
        return line

    def _use_up(self, size: int) -> None:
        self.allowance -= size
        if self.allowance < 0:
            raise self.abort("the server says more than it should")


class Connection(IMAPClient):  # type: ignore[misc]  # imapclient is not typed
    """imapclient on a socket of ours, with the two commands it does not send as we need them."""

    def __init__(
        self, connected: socket.socket, end: Endpoint, timeout: SocketTimeout, most: float = inf
    ) -> None:
        self.connected = connected
        self.most = most
        super().__init__(
            end.host, port=end.port, ssl=isinstance(connected, ssl.SSLSocket), timeout=timeout
        )

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802  overrides
        return _Imap(self.host, self.port, self.connected, self.most)

    def sign_in(self, user: str, password: str) -> None:
        """AUTHENTICATE PLAIN, which carries any character; LOGIN where that is not offered."""
        if self.has_capability("AUTH=PLAIN"):
            self.plain_login(user, password)
            return
        if self.has_capability("LOGINDISABLED"):
            raise LoginError("LOGINDISABLED: the server takes no password on this connection")
        kind, data = self._raw_command(b"LOGIN", [_astring(user), _astring(password)], uid=False)
        if kind != "OK":
            raise LoginError(_text(data))
        self._imap.state = "AUTH"

    def store(self, folder: str, body: bytes, flags: bytes, date: bytes) -> str | None:
        """APPEND, byte for byte. Returns the refusal, or None once the server said OK."""
        arguments = [self._normalise_folder(folder).encode("ascii"), flags, date, _literal(body)]
        try:
            kind, data = self._raw_command(
                b"APPEND", [word for word in arguments if word], uid=False
            )
        except _RefusedLiteral as refusal:
            return str(refusal)
        except imaplib.IMAP4.abort:
            raise
        except IMAPClientError as error:
            return said(error)
        return None if kind == "OK" else f"{kind} {_text(data)}"

    def _send_literal(self, tag: Any, item: bytes, has_literal_plus: bool) -> None:  # noqa: FBT001  overrides
        """As imapclient does, without copying the body and with the refusal kept."""
        mark = b"+" if has_literal_plus else b""
        self._imap.send(b" {%d%s}\r\n" % (len(item), mark))
        while not has_literal_plus and self._imap._get_response():  # noqa: SLF001  imaplib's only way
            answer = self._imap.tagged_commands.get(tag)
            if answer:
                self._imap.tagged_commands.pop(tag, None)
                raise _RefusedLiteral(f"{answer[0]} {_text(answer[1])}")
        self._imap.send(item)


class _RefusedLiteral(Exception):  # noqa: N818  never leaves this module
    """The server said NO before it took the body."""


def _astring(text: str) -> bytes:
    data = text.encode()
    if all(32 <= byte < 127 for byte in data):
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return data


def _text(data: Any) -> str:
    parts = data if isinstance(data, list) else [data]
    return " ".join(
        part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts
    )


def said(error: BaseException) -> str:
    """What an exception of imaplib or the network says, without Python's wrapping."""
    text = _BYTES_TEXT.sub(lambda match: match[1] or match[2] or "", str(error))
    return text or type(error).__name__


@dataclass
class Session:
    """One end of the run: opens its connection, and opens it again."""

    side: int
    endpoint: Endpoint
    password: str = field(repr=False)
    ca_file: str
    timeout: float
    allows_local: bool = False
    most_bytes: float = inf
    """Of all that the server may say over one connection."""
    client: Connection | None = None
    reconnections: int = 0
    line: socket.socket | None = None
    """What the connection goes over, for `cut`."""
    is_cut: bool = False

    @property
    def name(self) -> str:
        return "source" if self.side == SOURCE else "destination"

    def open(self) -> None:
        """Connect, protect, sign in. Raises TroubleError naming the step."""
        try:
            client = self._connect()
        except socket.gaierror as error:
            text = f"Name or service not known: {error.strerror}"
            raise TroubleError("connect", self.side, text) from error
        except (OSError, UnicodeError, IMAPClientError) as error:
            raise TroubleError("connect", self.side, said(error)) from error
        client.normalise_times = False
        client.folder_encode = False
        client._imap.debug = 0  # noqa: SLF001  imapclient turns imaplib's own log on
        try:
            self._protect(client)
            self._sign_in(client)
        except BaseException:
            with contextlib.suppress(Exception):
                client.shutdown()
            raise
        self.client = client

    def _connect(self) -> Connection:
        """To an address that was judged, and greeted as IMAP servers greet."""
        end, limit = self.endpoint, min(CONNECT_SECONDS, self.timeout)
        addresses = look_up(end.host, end.port, seconds=limit)
        judge(addresses, allows_local=self.allows_local, in_plain=end.security == "none")
        connected = connect(addresses, end.port, seconds=limit)
        try:
            connected.settimeout(limit)
            if end.security == "tls":
                connected = self._context().wrap_socket(connected, server_hostname=end.host)
            self._goes_over(connected)
            return Connection(connected, end, SocketTimeout(limit, self.timeout), self.most_bytes)
        except BaseException:
            connected.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # also where OpenSSL allows older
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context

    def _protect(self, client: Connection) -> None:
        if self.endpoint.security != "starttls":
            return
        try:
            client.starttls(self._context())
            self._goes_over(client.socket())
        except CapabilityError as error:
            raise TroubleError("tls", self.side, "the server does not offer STARTTLS") from error
        except (OSError, IMAPClientError) as error:
            raise TroubleError("tls", self.side, said(error)) from error

    def _sign_in(self, client: Connection) -> None:
        try:
            client.sign_in(self.endpoint.user, self.password)
        except (OSError, IMAPClientError) as error:
            raise TroubleError("login", self.side, said(error)) from error

    def close(self) -> None:
        """Hang up; politely where the connection still works."""
        client, self.client = self.client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.socket().settimeout(LOGOUT_SECONDS)
                client.logout()

    def _goes_over(self, line: socket.socket) -> None:
        self.line = line
        if self.is_cut:  # while there was no line to break
            self.cut()

    def cut(self) -> None:
        """Break the connection, from another thread: whoever waits for the server wakes up."""
        self.is_cut = True
        if self.line is not None:
            with contextlib.suppress(OSError):
                self.line.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        """Connect anew after a loss. Raises the last trouble when it stays gone."""
        client, self.client = self.client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.shutdown()
        for pause in (*RECONNECT_PAUSES, None):
            try:
                self.open()
            except TroubleError as error:
                if pause is None:
                    raise GoneError(self.side, error.text) from error
                time.sleep(pause)
            else:
                self.reconnections += 1
                return

    @contextlib.contextmanager
    def talking(self) -> Iterator[Connection]:
        """The connection, its loss told apart from a refusal: LostError, or imaplib's error."""
        if self.client is None:
            raise LostError(self.side, "not connected")
        try:
            yield self.client
        except (imaplib.IMAP4.abort, OSError, EOFError) as error:
            raise LostError(self.side, said(error)) from error
