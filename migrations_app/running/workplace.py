"""Where an engine runs: a private directory, and next to nothing of our environment."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from migrations_app.models import MigrationJob

PASSED_ON = ("PATH", "PERL5LIB", "SSL_CERT_FILE", "SSL_CERT_DIR")


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
    base = settings.DATA_DIR / "runs"
    base.mkdir(mode=0o700, exist_ok=True)
    for old in base.iterdir():
        pid = old.name.partition("-")[0]
        if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
            shutil.rmtree(old, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{job.pk}-", dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
