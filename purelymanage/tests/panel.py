"""A whole panel as its user starts it: web, workers and demo, in processes of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests

from purelymanage.jobs.tests.processes import settles
from purelymanage.tests.shared import copy, made_once

ROOT = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, str(ROOT / "manage.py"))
READY_SECONDS = 120
DATABASE = "purelymanage.sqlite3"
PREPARE = "from purelymanage.jobs.preparation import prepare; prepare()"
MAIL = "demo-mail"
MAIL_IS_WRITTEN = f"{MAIL}/old/seeded"


def free_ports(count: int) -> int:
    """The first of `count` neighbouring loopback ports that nobody listens on right now.

    Below the range from which the system serves outgoing connections: those come and go meanwhile.
    """
    while True:
        first = random.randrange(20_000, 32_000)
        if all(_is_free(first + offset) for offset in range(count)):
            return first


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError):
        return False
    return True


def database_of_its_own(data_dir: Path) -> str:
    """A URL for an empty database of the kind the test run uses."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return f"sqlite:///{data_dir / DATABASE}"
    name = f"panel_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.rsplit("/", 1)[0] + f"/{name}"


def lay_out(data_dir: Path, *, database: bool = True) -> None:
    """Give a panel that was never started what every first start makes in seconds of work."""
    prepared = made_once("panel", _prepare)
    for name in ("static", MAIL, *([DATABASE] if database else [])):
        if not (data_dir / name).exists():
            copy(prepared / name, data_dir / name)


def _prepare(data_dir: Path) -> None:
    data_dir.mkdir()
    environment = demo_environment(data_dir, free_ports(1), free_ports(4))
    subprocess.run([*MANAGE, "shell", "-c", PREPARE], env=environment, check=True)
    servers = subprocess.Popen([*MANAGE, "demo_imap"], env=environment)
    try:
        assert settles((data_dir / MAIL_IS_WRITTEN).exists), "the demo's mail was not written"
    finally:
        servers.terminate()
        servers.wait()


def demo_environment(data_dir: Path, port: int, demo_port: int) -> dict[str, str]:
    """All that a demo needs to know, and nothing of what tests set."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir),
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "DEMO_PORT": str(demo_port),
    }


def drop_database(url: str) -> None:
    """Remove what `database_of_its_own` made, whoever is still connected."""
    if url.startswith("sqlite"):
        return
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")


@dataclass
class Panel:
    """`manage.py start` in demo mode, on free ports and data of its own."""

    data_dir: Path
    extra: dict[str, str] = field(default_factory=dict)
    database_url: str = ""
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.demo_port = free_ports(4)
        self.has_own_database = not self.database_url
        self.database_url = self.database_url or database_of_its_own(self.data_dir)
        self.log = self.data_dir / "panel.log"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **demo_environment(self.data_dir, self.port, self.demo_port),
            "DATABASE_URL": self.database_url,
            "EMAIL_URL": f"filemail:///{self.data_dir}/mail",  # the last slash begins its path
            **self.extra,
        }

    def start(self) -> Panel:
        """Start and wait until everything is ready, workers included."""
        lay_out(self.data_dir, database=self.database_url.startswith("sqlite"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*MANAGE, "start"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.is_ready():
                return self
            time.sleep(0.1)
        raise AssertionError(f"The panel did not start:\n{self.log.read_text()[-4000:]}")

    def is_ready(self) -> bool:
        """Whether database, migrations and workers answer."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, as Ctrl-C or systemd would; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(40)

    def remove(self) -> None:
        """Stop it if it runs, and drop its database."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.has_own_database:
            drop_database(self.database_url)

    def purelymail(self) -> dict[str, Any]:
        """What the demo's PurelyMail holds: users, domains, rules and DNS, without passwords."""
        return self._simulator("GET", "state")

    def verifies(self, address: str, password: str) -> bool:
        """Whether a mail program could sign in."""
        return self._simulator("POST", "verify", address=address, password=password)["valid"]

    def purelymail_is_down(self) -> None:
        """From now on PurelyMail hangs up on everybody, before anything has an effect."""
        self._simulator("POST", "faults", operation="*", kind="drop_before", times=None)

    def purelymail_is_back(self) -> None:
        """Switch all faults off."""
        self._simulator("DELETE", "faults")

    def purelymail_begins_anew(self) -> None:
        """The account as at first, no faults."""
        self._simulator("POST", "reset")

    def _simulator(self, method: str, name: str, **values: object) -> Any:
        url = f"http://127.0.0.1:{self.demo_port}/_simulator/{name}"
        answer = requests.request(method, url, json=values, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def processes(self) -> list[int]:
        """All processes that carry this panel's DATA_DIR in their environment."""
        marker = f"DATA_DIR={self.data_dir}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marker in entry.read_bytes().split(b"\0"):
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        return found
