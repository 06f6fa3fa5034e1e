"""Private Dovecot servers on loopback, started and stopped by the tests; root or not."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from migrations_app.tests.certificates import Certificates, make_certificates
from migrations_app.tests.dovecot_configuration import configuration
from migrations_app.tests.mails import Appender, Mail
from purelymanage.jobs.tests.processes import free_port

DOVECOT = shutil.which("dovecot") or (
    "/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None
)
MISSING = "Dovecot is not installed: apt-get install dovecot-imapd"


Message = tuple[str, frozenset[str], datetime, int]
"""What must be the same on both sides: SHA-256 of the body, flags, internal date, size."""
View = Callable[[int, bytes], bytes | None]
"""Makes of a UID and a body what is to be compared, or None to leave it out."""
Snapshot = dict[str, Counter[Message]]
"""By folder path, its parts joined by `/`."""


@dataclass
class Dovecot:
    """One server. `prefix` and `separator` are those of its private namespace."""

    certificates: Certificates
    prefix: str = ""
    separator: str = "/"
    special_use: bool = False
    tls: bool = True
    self_signed: bool = False
    host: str = "127.0.0.1"
    misnamed_host: str = "127.0.0.2"
    """The same server; its certificate does not speak of this name."""
    limited_host: str = "127.0.0.3"
    """The same server; one connection for each user, no more."""
    port_tls: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    base: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    passwords: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.base.chmod(0o755)
        for name in ("mail", "run", "state"):
            (self.base / name).mkdir(mode=0o755)
        self.users = self.base / "users"
        self.users.mkdir(mode=0o755)
        os.chown(self.base / "mail", self.mail_uid, -1)
        self.start()

    # Running

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    @property
    def mail_uid(self) -> int:
        return pwd.getpwnam("dovecot").pw_uid if self.is_root else os.geteuid()

    def start(self) -> None:
        """Start the server and wait until it greets."""
        (self.base / "dovecot.conf").write_text(configuration(self))
        assert DOVECOT is not None, MISSING
        with (self.base / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [DOVECOT, "-F", "-c", str(self.base / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection((self.host, self.port), timeout=2) as probe,
            ):
                if probe.recv(64).startswith(b"* OK"):
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        logs = self.logs()
        self.remove()
        raise AssertionError(f"Dovecot did not start:\n{logs}")

    def stop(self) -> None:
        """Stop the server and everything it serves; its mail stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def kill(self) -> None:
        """End the server and all its sessions at once, as a crash would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self._wait_until_released()
        shutil.rmtree(self.base / "run", ignore_errors=True)
        (self.base / "run").mkdir(mode=0o755, exist_ok=True)
        self.process = None

    def _wait_until_released(self) -> None:
        """The killed children of the master hold its ports for a moment longer than it lives."""
        deadline = time.monotonic() + 10
        for port in (self.port, self.port_tls):
            while not self._can_listen(port) and time.monotonic() < deadline:
                time.sleep(0.02)

    def _can_listen(self, port: int) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, port))
                probe.listen()
            except OSError:
                return False
            return True

    def restart(self) -> None:
        """Stop, then start on the same ports with the same mail."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.base, ignore_errors=True)

    def drop_sessions(self) -> None:
        """Cut every signed-in connection; the server goes on."""
        self._signal_sessions(signal.SIGKILL)

    def freeze_sessions(self) -> None:
        """Every signed-in connection stays open and falls silent; `drop_sessions` ends it."""
        self._signal_sessions(signal.SIGSTOP)

    def _signal_sessions(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        for pid in self._children(self.process.pid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "imap":
                    os.kill(pid, number)

    @staticmethod
    def _children(pid: int) -> list[int]:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(child) for child in text.split()]
        return []

    def logs(self) -> str:
        """What the server wrote."""
        return "\n".join(
            path.read_text(errors="replace") for path in sorted(self.base.glob("*.log"))
        )

    # People and mail

    def add_user(
        self,
        name: str,
        password: str,
        *,
        quota: str = "",
        largest_mail: str = "",
    ) -> str:
        """Add a mailbox. `quota` and `largest_mail` as Dovecot writes sizes: `10M`."""
        home = self.base / "mail" / hashlib.sha256(name.encode()).hexdigest()[:16]
        extra = []
        if quota:
            extra.append(f"userdb_quota_rule=*:storage={quota}")
        if largest_mail:
            extra.append(f"userdb_quota_max_mail_size={largest_mail}")
        secret = base64.b64encode(password.encode()).decode()
        rest = f"{{PLAIN.b64}}{secret}::::{home}::{' '.join(extra)}\n"
        # A file for each user: Dovecot looks only once a second whether a file has changed.
        # In it, it looks for the name with quotes and backslashes escaped.
        escaped = re.sub(r"([\\\"'])", r"\\\1", name)
        file = self.users / hashlib.md5(name.encode()).hexdigest()
        if file.exists():
            time.sleep(1.1)
        file.write_text(f"{escaped}:{rest}")
        file.chmod(0o644)
        self.passwords[name] = password
        return name

    def mailbox(self, folder: Sequence[str]) -> str:
        """The server's name of a folder path."""
        path = self.separator.join(folder)
        return path if folder[0] == "INBOX" and len(folder) == 1 else self.prefix + path

    def path(self, mailbox: str) -> str:
        """The reverse, its parts joined by `/`."""
        if mailbox.upper() == "INBOX":
            return "INBOX"
        return mailbox.removeprefix(self.prefix).replace(self.separator, "/")

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[IMAPClient]:
        """A signed-in connection that has nothing to do with the engines."""
        client = IMAPClient(self.host, port=self.port, ssl=False, timeout=30)
        client.normalise_times = False
        try:
            client.plain_login(user, self.passwords[user])
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.logout()

    def fill(self, user: str, mails: Iterable[Mail]) -> int:
        """Append mails, many at a time; folders are created and subscribed. Returns how many."""
        by_folder: dict[tuple[str, ...], list[Mail]] = {}
        for mail in mails:
            by_folder.setdefault(mail.folder, []).append(mail)
        with self.client(user) as client:
            for folder in by_folder:
                with contextlib.suppress(IMAPClientError):  # it exists
                    client.create_folder(self.mailbox(folder))
                client.subscribe_folder(self.mailbox(folder))
        Appender(self, user).run(by_folder)
        return sum(len(items) for items in by_folder.values())

    def count(self, user: str) -> int:
        """Messages in all folders."""
        return sum(sum(messages.values()) for messages in self.snapshot(user).values())

    def snapshot(self, user: str, view: View | None = None) -> Snapshot:
        """Everything in the mailbox, empty folders included; bodies as `view` wants them seen."""
        result: Snapshot = {}
        with self.client(user) as client:
            for flags, _separator, name in client.list_folders():
                if b"\\Noselect" in flags or b"\\NonExistent" in flags:
                    continue
                client.select_folder(name, readonly=True)
                result[self.path(name)] = self._messages(client, view)
        return result

    @staticmethod
    def _messages(client: IMAPClient, view: View | None) -> Counter[Message]:
        messages: Counter[Message] = Counter()
        uids = sorted(client.search("ALL"))
        for start in range(0, len(uids), 200):
            answers = client.fetch(
                uids[start : start + 200], ["BODY.PEEK[]", "FLAGS", "INTERNALDATE", "RFC822.SIZE"]
            )
            for uid, data in sorted(answers.items()):
                body, size = data[b"BODY[]"], data[b"RFC822.SIZE"]
                if view is not None:
                    body = view(uid, body)
                    size = len(body or b"")
                if body is not None:
                    flags = {flag.decode() for flag in data[b"FLAGS"]} - {"\\Recent"}
                    digest = hashlib.sha256(body).hexdigest()
                    messages[(digest, frozenset(flags), data[b"INTERNALDATE"], size)] += 1
        return messages

    def folders(self, user: str) -> set[str]:
        """Folder paths, `/` between their parts."""
        with self.client(user) as client:
            return {self.path(name) for _flags, _separator, name in client.list_folders()}

    def subscribed(self, user: str) -> set[str]:
        """Subscribed folder paths."""
        with self.client(user) as client:
            return {self.path(name) for _flags, _separator, name in client.list_sub_folders()}


@dataclass
class Pair:
    """Where mail comes from and where it goes to."""

    source: Dovecot
    destination: Dovecot

    @property
    def ca_file(self) -> Path:
        """The authority that signed both certificates; for `IMAP_CA_FILE`."""
        return self.source.certificates.ca

    def stop(self) -> None:
        """Stop both and leave nothing behind."""
        self.source.remove()
        self.destination.remove()


def make_pair(folder: Path) -> Pair:
    """A source with prefix `INBOX.` and separator `.`, a destination with none and `/`."""
    certificates = make_certificates(folder)
    return Pair(
        source=Dovecot(certificates, prefix="INBOX.", separator="."),
        destination=Dovecot(certificates, special_use=True),
    )


class SilentServer:
    """Accepts connections and never says a word."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._open.append(self._listener.accept()[0])

    def close(self) -> None:
        """Stop listening, and hang up on whoever had come in until then."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for connection in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextlib.contextmanager
def talking_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that hands each connection to `talk`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                talk(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
