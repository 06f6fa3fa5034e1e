"""A PostgreSQL database of a measurement's own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg


@contextmanager
def database(url: str = "") -> Iterator[str]:
    """The URL of an empty database: on the server that is named, or on one of our own."""
    url = url or os.environ.get("DATABASE_URL", "")
    if not url:
        with _server() as url, database(url) as ours:
            yield ours
        return
    name = f"bench_{uuid.uuid4().hex[:12]}"
    _execute(url, f"CREATE DATABASE {name}")
    try:
        yield f"{url.rsplit('/', 1)[0]}/{name}"
    finally:
        _execute(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)


@contextmanager
def _server() -> Iterator[str]:
    """As bin/test has one: on a free loopback port, run by `postgres` where we are root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise SystemExit("Name a database with --postgres, or install postgresql.")
    directory = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    is_root = os.geteuid() == 0
    if is_root:
        shutil.chown(directory, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def program(name: str, *arguments: str) -> None:
        subprocess.run(
            [programs[-1] / name, "-D", directory / "data", *arguments],
            check=True,
            cwd=directory,
            stdout=subprocess.DEVNULL,
            user="postgres" if is_root else None,
            extra_groups=[] if is_root else None,
        )

    try:
        program("initdb", "-U", "postgres", "-A", "trust")
        options = f"-h 127.0.0.1 -p {port} -k {directory}"
        program("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        with suppress(subprocess.CalledProcessError):
            program("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(directory, ignore_errors=True)
