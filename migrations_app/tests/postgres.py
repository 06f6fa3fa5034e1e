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
from purelymanage.tests.panel import MANAGE
from purelymanage.tests.shared import copy, made_once

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
MISSING = "PostgreSQL's server programs are not installed (Debian: apt install postgresql)"


class PrivatePostgres:
    """Its data lies in a directory of its own. It refuses to run as root, so root lends a user.

    Empty at first, or with the panel's tables.
    """

    def __init__(self, *, migrated: bool = False) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="private-postgres-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
            self._as_user = ["runuser", "-u", "postgres", "--"]
        if migrated:
            copy(made_once("postgres", make_migrated), self.data)
        else:
            self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync")
        self.start()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(self) -> None:
        self._server = subprocess.Popen(
            [
                *self._as_user,
                str(BINARIES / "postgres"),
                *("-D", str(self.data), "-p", str(self.port), "-k", str(self.directory)),
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

    def stop(self, *, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", mode)
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


def make_migrated(place: Path) -> None:
    """The data of a server whose database is migrated, and that was stopped in good order."""
    server = PrivatePostgres()
    try:
        subprocess.run(
            [*MANAGE, "migrate", "--verbosity=0"], env=environment(server.url), check=True
        )
        server.stop(mode="fast")
        copy(server.data, place)
    finally:
        server.remove()


def environment(url: str) -> dict[str, str]:
    """As in production, with this database."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "purelymanage.settings", "DATABASE_URL": url}
