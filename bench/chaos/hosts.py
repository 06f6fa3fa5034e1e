"""Worker hosts: a supervisor each, started again some seconds after it died, as systemd does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.chaos.processes import send, tree
from bench.panel import ROOT
from purelymanage.jobs.tests.processes import gone, settles

RESTART_SECONDS = 5.0
STOP_SECONDS = 60.0
SWEEP_SECONDS = 10.0
WORKERS = 4


class Host:
    """`manage.py workers` with a directory of its own; another host to everybody else."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.name = directory.name
        self._environment = {
            **os.environ,
            "DATA_DIR": str(directory),
            "SYNC_WORKERS": str(WORKERS),
        }
        self._due_at = 0.0
        self.start()

    def start(self) -> None:
        self._supervisor = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "workers"],
            cwd=ROOT,
            env=self._environment,
            stdout=sys.stderr,
            start_new_session=True,
        )

    @property
    def is_up(self) -> bool:
        return self._supervisor.poll() is None

    def look(self) -> None:
        """Start it again if its time has come."""
        now = time.monotonic()
        if self.is_up:
            self._due_at = now + RESTART_SECONDS
        elif now >= self._due_at:
            self.start()

    def tree(self) -> list[int]:
        """The supervisor and all below it."""
        return tree(self._supervisor.pid) if self.is_up else []

    @property
    def pid(self) -> int:
        return self._supervisor.pid

    def freeze(self) -> None:
        """Stop every process of it, also those that are being started."""
        stopped: set[int] = set()
        while found := set(self.tree()) - stopped:
            for pid in found:
                send(pid, signal.SIGSTOP)
            stopped |= found

    def thaw(self) -> None:
        """Wake all of it, from the top, so that nobody sees a stopped child."""
        for pid in self.tree():
            send(pid, signal.SIGCONT)

    def end(self) -> list[int]:
        """Stop it in good order; what is left of it."""
        family = self.tree()
        self._supervisor.terminate()
        try:
            self._supervisor.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        settles(lambda: gone(family), SWEEP_SECONDS)
        left = [pid for pid in family if not gone([pid])]
        for pid in left:
            send(pid, signal.SIGKILL)
        return left
