"""What tests of processes share: find them, wait for them, and a port to give them."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHORTEST_PAUSE, LONGEST_PAUSE = 0.03, 0.25


def settles(question: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The answer as soon as it is true, or the last one; the longer it waits, the less it asks."""
    began = time.monotonic()
    while not (answer := question()) and (waited := time.monotonic() - began) < seconds:
        time.sleep(min(SHORTEST_PAUSE + waited / 20, LONGEST_PAUSE))
    return answer


def processes_with(marker: str) -> list[int]:
    """The processes that have `marker` on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def gone(pids: list[int]) -> bool:
    """Whether none of these runs any more; zombies of somebody else's do not."""
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                return False
    return True


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
