"""Where an engine runs: a private directory, and next to nothing of our environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from migrations_app.models import MigrationJob

PASSED_ON = ("PATH", "PERL5LIB", "SSL_CERT_FILE", "SSL_CERT_DIR")
MAKING, MAKING_SECONDS = ".", 60.0
"""What the name of a directory begins with that nobody could lock yet, and for how long at most."""


def child_environment(workdir: Path) -> dict[str, str]:
    """Next to nothing of our environment, which holds every key of the panel."""
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **own,
        "HOME": str(workdir),
        "TMPDIR": str(workdir),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


@contextmanager
def private_directory(job: MigrationJob) -> Iterator[Path]:
    """A place of its own for one run, gone afterwards; what killed workers left goes first."""
    clear_up()
    _base().mkdir(mode=0o700, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f"{MAKING}{job.pk}-", dir=_base()))
    lock = _lock(making)
    path = making.rename(making.with_name(making.name.removeprefix(MAKING)))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def clear_up() -> None:
    """Remove what killed workers left. Locks tell it: process ids are others' in a container."""
    with suppress(OSError):  # not there yet, or gone meanwhile
        for path in _base().iterdir():
            if path.name.startswith(MAKING) and _age(path) < MAKING_SECONDS:
                continue
            lock = _lock(path)
            if lock is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _base() -> Path:
    return Path(settings.DATA_DIR / "runs")


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _lock(path: Path) -> int | None:
    """Hold a directory until the descriptor is closed, if only by our end; None if it is held."""
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
