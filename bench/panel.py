"""A panel of its own for a measurement: an empty database, no outside world, no trace left."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 60


@contextmanager
def panel(postgres: str = "", **facts: str) -> Iterator[None]:
    """Django, set up on a fresh SQLite database or on an empty PostgreSQL one.

    `facts` are settings that are to be other than for most measurements.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="purelymanage.settings",
            DATA_DIR=directory,
            DATABASE_URL=postgres or f"sqlite:///{directory}/bench.sqlite3",
            PURELYMAIL_API_TOKEN="bench",
            PURELYMAIL_API_URL="http://127.0.0.1:9",
            SECRET_KEY=secrets.token_urlsafe(50),
            ENCRYPTION_KEYS=base64.b64encode(secrets.token_bytes(32)).decode(),
            MIGRATION_ENGINE="imapsync",
            IMAPSYNC_PATH=str(ROOT / "migrations_app/tests/fake_imapsync.py"),
            IMAP_ALLOW_LOCAL="on",  # the addresses of the stand-in are nobody's
            LOG_LEVEL="WARNING",
        )
        os.environ.update(facts)
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        if connection.introspection.table_names():
            raise SystemExit("The database is not empty. Name one that may be emptied afterwards.")
        try:
            call_command("migrate", verbosity=0)
            call_command("createcachetable", verbosity=0)
            yield
        finally:
            if postgres:
                with connection.cursor() as cursor:
                    cursor.execute("DROP SCHEMA public CASCADE")
                    cursor.execute("CREATE SCHEMA public")


@contextmanager
def child(argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block; stdout is for the result alone."""
    process = subprocess.Popen(argv, cwd=ROOT, stdout=sys.stderr)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(question: Callable[[], object], seconds: float, *, what: str) -> None:
    """Until the answer is yes; ends the measurement with `what` if it never is."""
    give_up = time.monotonic() + seconds
    while not question():
        if time.monotonic() > give_up:
            raise SystemExit(what)
        time.sleep(0.02)


def p95(figures: Sequence[float]) -> float:
    """What 95 of 100 do not exceed."""
    return sorted(figures)[max(-(-95 * len(figures) // 100) - 1, 0)]


def session_of(user: Any) -> str:
    """The cookie of a browser in which `user` has just signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.sessions.store import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key or ""
