"""Keeps a set of programs running, restarts what ends or is stuck, and leaves none behind."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import FrameType

from django.conf import settings

from purelymanage.jobs.process import Child
from purelymanage.jobs.steward import Steward

logger = logging.getLogger(__name__)

GRACE_SECONDS = 20.0
HURRY_SECONDS = 1.0
DRAIN_SECONDS = 3.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 10.0
IDLE_SECONDS = 60.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Service:
    """A program to keep running."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    is_once: bool = False
    """Run until it ends with status 0, then no more."""
    start_after: float = 0.0
    """Seconds, so that what somebody waits for has the processors first."""
    is_needed_by_others: bool = False
    """Stopped last, after those who may still talk to it."""


def manage(name: str, *command: str, **facts: object) -> Service:
    """A service that is one of our own commands."""
    argv = (sys.executable, str(settings.BASE_DIR / "manage.py"), *command)
    return Service(name=name, argv=argv, **facts)  # type: ignore[arg-type]  # as in Service


def clusters() -> list[Service]:
    """The two clusters of workers: short tasks and schedules, and migrations."""
    return [
        manage("app", "qcluster"),
        manage("sync", "qcluster", env={"Q_CLUSTER_NAME": "sync"}),
    ]


class Post:
    """A service and its present process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.child: Child | None = None
        self.due_at: float | None = time.monotonic() + service.start_after
        self.kill_at: float | None = None
        self._started_at = 0.0
        self._pause = FIRST_PAUSE

    def start(self, environment: Mapping[str, str]) -> None:
        self.due_at = None
        self._started_at = time.monotonic()
        self.child = Child(self.service.argv, env={**environment, **self.service.env})

    def stop(self, *, seconds: float) -> None:
        """Ask it to end, and have it killed if it does not in time."""
        if self.child and self.kill_at is None:
            self.child.terminate()
            self.kill_at = time.monotonic() + seconds

    def look(self) -> bool:
        """Whether it has just ended; also kills it when its time is over."""
        if self.child is None:
            return False
        if self.kill_at is not None and time.monotonic() >= self.kill_at:
            self.child.kill()
        status = self.child.poll()
        if status is None:
            return False
        self._plan_restart(status)
        self.child, self.kill_at = None, None
        return True

    def _plan_restart(self, status: int) -> None:
        """At once at first; later and later while it keeps dying young."""
        if self.service.is_once and status == 0:
            return
        now = time.monotonic()
        if now - self._started_at > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        self.due_at = now + self._pause
        if self.kill_at is None:
            words = "%s ended with status %s and starts again in %.1f s."
            logger.warning(words, self.service.name, status, self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


class Supervisor:
    """Runs services until a signal says stop; it then drains this host and stops them in order."""

    def __init__(self, services: Sequence[Service], *, capacity: int) -> None:
        self.host = f"{socket.gethostname()}:{os.getpid()}"
        self._posts = [Post(service) for service in services]
        self._steward = Steward(self.host, capacity=capacity, on_stuck=self._note_stuck)
        self._stuck: SimpleQueue[str] = SimpleQueue()
        self._signals = 0
        self._wakeups, self._wake = os.pipe()
        os.set_blocking(self._wakeups, False)
        os.set_blocking(self._wake, False)
        self._environment = {
            name: value for name, value in os.environ.items() if name != "Q_CLUSTER_NAME"
        } | {"WORKER_HOST": self.host}

    def run(self) -> None:
        """Until SIGTERM, SIGINT or SIGHUP; afterwards no process is left."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_signal)
        try:
            self._steward.start()
            while not self._signals:
                self._restart_stuck()
                self._start_due()
                self._wait()
                self._look()
            self._stop()
        finally:
            for post in self._posts:
                if post.child:
                    post.child.kill()
            self._steward.end(seconds=DRAIN_SECONDS)
            signal.set_wakeup_fd(-1)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _note_stuck(self, name: str) -> None:
        self._stuck.put(name)
        os.write(self._wake, b"!")

    def _start_due(self) -> None:
        now = time.monotonic()
        for post in self._posts:
            if post.due_at is not None and post.due_at <= now:
                post.start(self._environment)

    def _wait(self) -> None:
        """Until something ends, a signal comes, or something is due."""
        running = {post.child.fileno(): post.child for post in self._posts if post.child}
        moments = [
            moment
            for post in self._posts
            for moment in (post.due_at, post.kill_at)
            if moment is not None
        ]
        seconds = max(min(moments, default=time.monotonic() + IDLE_SECONDS) - time.monotonic(), 0)
        readable = select.select([self._wakeups, *running], [], [], min(seconds, IDLE_SECONDS))[0]
        for number in readable:
            if child := running.get(number):
                child.wait_for_start()
            else:
                os.read(self._wakeups, 1024)

    def _look(self) -> None:
        for post in self._posts:
            was_stuck = post.kill_at is not None
            if post.look() and was_stuck:
                self._steward.resume()

    def _restart_stuck(self) -> None:
        """What it still runs is given back first, as far as it is able to."""
        while not self._stuck.empty():
            name = self._stuck.get()
            logger.error("The %s cluster takes no work although there is some: restarting.", name)
            if name == "sync":
                self._steward.drain(seconds=DRAIN_SECONDS)
            for post in self._posts:
                if post.service.name == name:
                    post.stop(seconds=GRACE_SECONDS)

    def _stop(self) -> None:
        """Nothing new is claimed and running jobs are given back, before any process is told."""
        self._steward.drain(seconds=DRAIN_SECONDS)
        for is_last in (False, True):
            wave = [post for post in self._posts if post.service.is_needed_by_others == is_last]
            for post in wave:
                post.stop(seconds=GRACE_SECONDS)
            while any(post.child for post in wave):
                self._wait()
                for post in self._posts:
                    if self._signals > 1 and post.kill_at is not None:
                        post.kill_at = min(post.kill_at, time.monotonic() + HURRY_SECONDS)
                    post.look()
                    post.due_at = None
