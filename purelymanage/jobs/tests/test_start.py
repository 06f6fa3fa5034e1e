"""`manage.py start` as a stranger meets it: served, stopped without a trace, started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from purelymanage.jobs.management.commands import start as command
from purelymanage.tests.panel import lay_out

pytestmark = [pytest.mark.slow, pytest.mark.once]


OF_TESTS = (
    "PURELYMAIL_",
    "DNS_RESOLVERS",
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "TEST_DATA_DIR",
    "DATABASE_URL",
)


def demo_environment(directory: Path, port: int) -> dict[str, str]:
    """What a stranger's shell has: none of the settings that tests make."""
    strange = {name: value for name, value in os.environ.items() if not name.startswith(OF_TESTS)}
    return strange | {
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "DATA_DIR": str(directory),
        "PORT": str(port),
    }


class Panel:
    """A demo on ports of its own, which migrates its database first if there is none."""

    def __init__(self, directory: Path, *, database: bool = True) -> None:
        lay_out(directory, database=database)
        self.directory = directory
        self.port = free_ports()
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "start"],
            env=demo_environment(directory, self.port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, words: str, seconds: float = 60) -> str:
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            for line in self.said:
                if words in line:
                    return line
            time.sleep(0.05)
        raise AssertionError("".join(self.said))

    def processes(self) -> list[int]:
        """All that has this panel's directory in its environment."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if f"DATA_DIR={self.directory}\0".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def stop(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(40)
        self._reader.join(5)
        self.process.stdout.close()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.said.append(line)


def free_ports() -> int:
    """A port that is free together with those the demo derives from it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 65000 and not any(
            command.problem_with("127.0.0.1", port + more) for more in (0, 10, 11, 12, 13)
        ):
            return port


@pytest.fixture
def panels(tmp_path: Path) -> Iterator[list[Panel]]:
    started: list[Panel] = []
    yield started
    for panel in started:
        if panel.process.poll() is None:
            panel.stop(signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_says_where_and_leaves_no_process(tmp_path, panels, number):
    panel = Panel(tmp_path, database=number != signal.SIGINT)
    panels.append(panel)
    panel.wait_for(f"PurelyManage is ready: http://127.0.0.1:{panel.port}/")
    with urllib.request.urlopen(f"http://127.0.0.1:{panel.port}/healthz") as answer:
        assert answer.status == 200
    if number == signal.SIGINT:
        panel.wait_for("Mailboxes: 40 added")
    assert len(panel.processes()) >= 3
    panel.stop(number)
    assert panel.process.returncode == 0
    assert panel.processes() == []


def test_its_sudden_death_leaves_no_process_either(tmp_path, panels):
    panel = Panel(tmp_path)
    panels.append(panel)
    panel.wait_for("PurelyManage is ready")
    time.sleep(2)
    panel.stop(signal.SIGKILL)
    give_up = time.monotonic() + 5
    while panel.processes() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert panel.processes() == []


def test_a_killed_web_server_is_back_within_seconds(tmp_path, panels):
    panel = Panel(tmp_path)
    panels.append(panel)
    panel.wait_for("PurelyManage is ready")
    for pid in panel.processes():
        with suppress(FileNotFoundError, ProcessLookupError):  # others come and go meanwhile
            words = Path(f"/proc/{pid}/cmdline").read_text()
            if "gunicorn" in words and "guard.py" not in words:
                os.kill(pid, signal.SIGKILL)
    panel.wait_for("web ended with status -9")
    give_up = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{panel.port}/healthz").close()
            break
        except urllib.error.URLError:
            assert time.monotonic() < give_up
            time.sleep(0.1)


def test_a_taken_port_is_named_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = subprocess.run(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "start"],
            env={**os.environ, "DATA_DIR": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    first, second = started.stderr.splitlines()
    assert started.returncode == 1
    assert first == "PurelyManage cannot start."
    assert second.startswith(f"Port {port} on 127.0.0.1 cannot be used: address already in use.")


@pytest.mark.parametrize("transport", [command.TCP, command.UDP], ids=["TCP", "UDP"])
def test_the_port_of_the_demos_dns_must_be_free_too(tmp_path, transport):
    with socket.socket(type=transport) as taken:
        port = free_ports()
        taken.bind(("127.0.0.1", port + 13))
        started = subprocess.run(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "start"],
            env=demo_environment(tmp_path, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert started.returncode == 1
    assert f"Port {port + 13} on 127.0.0.1 cannot be used" in started.stderr


@pytest.mark.django_db
def test_a_full_disk_is_named_in_one_sentence(monkeypatch):
    def full() -> None:
        raise OSError(28, "No space left on device", "/var/panel/static")

    monkeypatch.setattr(command, "prepare", full)
    with pytest.raises(
        ImproperlyConfigured, match="/var/panel/static cannot be written: No space left"
    ):
        call_command("start", port=settings.PORT, skip_checks=True)
