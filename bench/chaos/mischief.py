"""What befalls the two hosts, in an order that the seed decides, and how long recovery took."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.chaos.hosts import Host
from bench.chaos.processes import Engine, children, engines, parent, send

DECK = ["engine"] * 4 + ["worker"] * 4 + ["idle worker", "fork server", "sentinel", "supervisor"]
PAUSE_SECONDS = (3.0, 10.0)
MOST_TIMES = 2
"""A job that was interrupted four times in a row is a person's to judge; outages count as well."""
OUTAGES = (0.0, 10.0)
"""For how many seconds the database is away, in turn."""

Rows = dict[str, Any]
"""All jobs as the database knows them, by name."""


@dataclass
class Deed:
    """What was done to whom, and which jobs' engines died of it."""

    what: str
    host: str
    jobs: dict[str, int]
    """By name, which run of theirs it was."""
    began: float
    recovery_s: dict[str, float] = field(default_factory=dict)
    done_at: float = field(default_factory=time.monotonic)

    def look(self, rows: Rows) -> None:
        """Note which of its jobs run again, or have ended."""
        for job in self.jobs.keys() - self.recovery_s.keys():
            if rows[job].is_finished or _runs_again(rows[job], self.jobs[job]):
                self.recovery_s[job] = round(time.monotonic() - self.done_at, 1)

    def as_json(self) -> dict[str, Any]:
        return {
            "at_s": round(self.done_at - self.began, 1),
            "what": self.what,
            "host": self.host,
            "jobs": list(self.jobs),
            "recovery_s": list(self.recovery_s.values()),
        }


def _runs_again(row: Any, run: int) -> bool:
    from migrations_app.models import State

    return bool(row.state == State.RUNNING and row.run > run)


class Mischief:
    """Deeds that have been done."""

    is_over = True
    """Whether all may end now."""

    def __init__(self, hosts: list[Host], domain: str) -> None:
        self.deeds: list[Deed] = []
        self._hosts = hosts
        self._domain = domain
        self._began = time.monotonic()

    def look(self, rows: Rows) -> None:
        """Do what is due, and see who has recovered."""
        for deed in self.deeds:
            deed.look(rows)

    def _note(self, what: str, host: str, jobs: dict[str, int]) -> None:
        self.deeds.append(Deed(what, host, jobs, self._began))


class Killing(Mischief):
    """SIGKILL every few seconds, and two crashes of the database."""

    def __init__(self, hosts: list[Host], domain: str, *, database: Any, seed: int) -> None:
        super().__init__(hosts, domain)
        self._chance = random.Random(seed)
        self._deck = self._deal()
        self._next = next(self._deck)
        self._due_at = time.monotonic() + self._pause()
        self._database = database
        self._outages = list(OUTAGES)
        self._back_at: float | None = None

    def look(self, rows: Rows) -> None:
        now = time.monotonic()
        if self._back_at is not None and now >= self._back_at:
            self._database.start()
            self._back_at = None
        if not rows:
            return
        super().look(rows)
        if self._outages and _share_done(rows) > 1 - len(self._outages) / 3:
            self._crash(self._outages.pop(0))
        elif now >= self._due_at and self._do(self._next, rows):
            self._next = next(self._deck)
            self._due_at = now + self._pause()

    def _crash(self, seconds: float) -> None:
        self._database.stop()
        self._back_at = time.monotonic() + seconds
        self._note(f"database, for {seconds:.0f} s", "", {})

    def _deal(self) -> Iterator[str]:
        while True:
            yield from self._chance.sample(DECK, len(DECK))

    def _pause(self) -> float:
        return self._chance.uniform(*PAUSE_SECONDS)

    def _do(self, what: str, rows: Rows) -> bool:
        """Whether there was somebody to kill; each one's jobs must be able to stand it."""
        running = list(engines(self._domain))
        trees = {host.name: set(host.tree()) for host in self._hosts}
        victims = {
            (pid, host): hit
            for pid in self._candidates(what, running)
            for host in trees
            if pid in trees[host] and _can_stand_it(hit := _below(pid, running), rows)
        }
        if not victims:
            return False
        pid, host = self._chance.choice(sorted(victims))
        send(pid, signal.SIGKILL)
        self._note(what, host, {job: rows[job].run for job in victims[pid, host]})
        return True

    def _candidates(self, what: str, running: list[Engine]) -> set[int]:
        """The processes of that kind; an engine stands below its guard, and that below a worker."""
        guards = {parent(engine.pid) for engine in running}
        workers = {parent(guard) for guard in guards}
        sentinels = {parent(worker) for worker in workers}
        below = children()
        return {
            "engine": {engine.pid for engine in running},
            "worker": workers,
            "fork server": {pid for one in workers for pid in below.get(one, [])} - guards,
            "idle worker": {pid for one in sentinels for pid in below.get(one, [])} - workers,
            "sentinel": sentinels,
            "supervisor": {host.pid for host in self._hosts},
        }[what]


class Vanishing(Mischief):
    """One host is away for a while, stopped with all it runs, and then is back."""

    def __init__(self, hosts: list[Host], domain: str, *, seconds: float) -> None:
        super().__init__(hosts, domain)
        self.is_over = False
        self._seconds = seconds
        self._host = hosts[0]

    def look(self, rows: Rows) -> None:
        super().look(rows)
        if not self.deeds:
            self._freeze(rows)
        elif not self.is_over and time.monotonic() > self.deeds[0].done_at + self._seconds:
            self._host.thaw()
            self.is_over = True

    def _freeze(self, rows: Rows) -> None:
        """As soon as two of its jobs are in the middle."""
        running = _below(self._host.pid, list(engines(self._domain)))
        if sum(rows[job].messages_copied > 0 for job in running) > 1:
            self._host.freeze()
            jobs = {job: rows[job].run for job in running}
            self._note(f"frozen for {self._seconds:.0f} s", self._host.name, jobs)


def _share_done(rows: Rows) -> float:
    from migrations_app.models import State

    return sum(row.state == State.DONE for row in rows.values()) / len(rows)


def _below(pid: int, running: list[Engine]) -> list[str]:
    """The jobs whose engines stand somewhere below a process."""
    return [engine.job for engine in running if pid in _line_of(engine.pid)]


def _line_of(pid: int) -> Iterator[int]:
    while pid > 1:
        yield pid
        pid = parent(pid)


def _can_stand_it(jobs: list[str], rows: Rows) -> bool:
    from migrations_app.models import State

    return all(rows[job].state == State.RUNNING and rows[job].requeues < MOST_TIMES for job in jobs)
