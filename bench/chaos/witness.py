"""Watches real engine processes: who runs twice at once, and how many run in all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from operator import attrgetter

from bench.chaos.processes import Engine, engines, when_started

LOOK_SECONDS = 0.05


class Witness(threading.Thread):
    """Looks many times a second, from `start` until `end`."""

    def __init__(self, domain: str, *, cap: int) -> None:
        super().__init__(name="witness", daemon=True)
        self.violations: set[str] = set()
        self.most_at_once = 0
        self.looks = 0
        self._domain = domain
        self._cap = cap
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def look(self) -> None:
        """Those seen one after the other were there at once if all are still there afterwards."""
        alive = list(engines(self._domain))
        alive = [one for one in alive if when_started(one.pid) == one.started]
        self.looks += 1
        self.most_at_once = max(self.most_at_once, len(alive))
        if len(alive) > self._cap:
            self._note(f"{len(alive)} at once", alive)
        for what in ("job", "mailbox"):
            per_one = Counter(map(attrgetter(what), alive))
            for name in (name for name, times in per_one.items() if times > 1):
                self._note(
                    f"{name} twice", (one for one in alive if name in (one.job, one.mailbox))
                )

    def _note(self, words: str, culprits: Iterable[Engine]) -> None:
        pids = ", ".join(str(one.pid) for one in culprits)
        self.violations.add(f"{words}: processes {pids}")
