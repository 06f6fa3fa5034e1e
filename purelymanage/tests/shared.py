"""What takes seconds to make and is the same for every test: made once in a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The directory that `make` has filled for whoever came first; to be copied, not changed.

    All processes of a test run share it, and it goes with what else they share.
    """
    shared = Path(os.environ["TEST_DATA_DIR"])
    done = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            draft = shared / f"{name}.draft"
            make(draft)
            draft.rename(done)
    return done


def copy(original: Path, place: Path) -> None:
    """A file or directory, with its owner and rights."""
    subprocess.run(["cp", "-a", str(original), str(place)], check=True)
