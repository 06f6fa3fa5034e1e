"""A PostgreSQL server of one test alone: to be stopped and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from purelymanage.jobs.tests.processes import free_port

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
MISSING = "PostgreSQL's server programs are not installed (Debian: apt install postgresql)"


class PrivatePostgres:
    """Its data lies in a directory of its own. It refuses to run as root, so root lends a user."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="private-postgres-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
            self._as_user = ["runuser", "-u", "postgres", "--"]
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "--no-sync")
        self.start()

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    def start(self) -> None:
        self._server = subprocess.Popen(
            [
                *self._as_user,
                str(BINARIES / "postgres"),
                *("-D", self._data, "-p", str(self.port), "-k", str(self.directory)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
            ],
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
        )
        give_up = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=1).close()
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-D", self._data, "-m", "immediate")
        self._server.wait(20)

    def remove(self) -> None:
        if self._server.poll() is None:
            self.stop()
        shutil.rmtree(self.directory)

    def ask(self, query: str) -> tuple[object, ...]:
        """The first row of an answer."""
        with psycopg.connect(self.url) as connection:
            row: tuple[object, ...] = connection.execute(query).fetchone()
            return row

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(BINARIES / program), *arguments],
            check=True,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
        )
