"""The supervisor's thread for all that needs the database, which may be slow or absent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import connections
from django.db.models.functions import Now

import purelymanage
from purelymanage.jobs import registry, schedules
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.queue import enqueue, waiting

logger = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
CANARY_SECONDS = 10.0
MOST_CANARIES = 20
APP_STUCK_SECONDS = 90.0
SYNC_STUCK_SECONDS = 60.0
AWAY_SECONDS = 45.0
"""Between two rounds: so long nobody but a host that was frozen, or a database that hung, takes."""
FORGET_SECONDS = 86400.0


class Steward(threading.Thread):
    """Keeps this host's heartbeat, does the registered chores, and finds stuck clusters.

    It calls `on_stuck` with the name of a cluster that takes no work although there is some.
    """

    def __init__(self, host: str, *, capacity: int, on_stuck: Callable[[str], None]) -> None:
        super().__init__(name="steward", daemon=True)
        self._host = host
        self._capacity = capacity
        self._on_stuck = on_stuck
        self._is_draining = False
        self._is_installed = False
        self._is_absent = False
        self._canary_at = 0.0
        self._answered_at: object = None
        self._looked_at = time.monotonic()
        self._take_all_for_alive()
        self._news = threading.Event()
        self._told = threading.Event()
        self._ended = threading.Event()

    def run(self) -> None:
        """A round every few seconds, until `end`."""
        try:
            while not self._ended.is_set():
                self._try_round()
                self._news.wait(ROUND_SECONDS)
                self._news.clear()
        finally:
            connections.close_all()

    def drain(self, *, seconds: float) -> None:
        """Let this host claim nothing and give back what it runs; wait until that is written."""
        self._set_draining(is_draining=True)
        self._told.wait(seconds)

    def resume(self) -> None:
        """Take work again, after a restart of the cluster."""
        self._set_draining(is_draining=False)
        self._take_all_for_alive()

    def end(self, *, seconds: float) -> None:
        """Stop, and take the host off the list."""
        self._ended.set()
        self._news.set()
        self.join(seconds)
        if not self.is_alive():
            try:
                WorkerHost.objects.filter(name=self._host).delete()
            except DatabaseError:
                logger.warning("No database to say goodbye to.")
            connections.close_all()

    def _set_draining(self, *, is_draining: bool) -> None:
        self._is_draining = is_draining
        self._told.clear()
        self._news.set()

    def _try_round(self) -> None:
        """Nothing that goes wrong here may end the thread: the host would look dead."""
        try:
            self._round()
        except DatabaseError as error:
            if not self._is_absent:
                logger.warning("The database does not answer (%s).", type(error).__name__)
            self._is_absent = True
            connections.close_all()
        except Exception:
            logger.exception("A chore failed; it is tried again.")
        else:
            if self._is_absent:
                logger.warning("The database is back.")
                self._take_all_for_alive()
            self._is_absent = False

    def _round(self) -> None:
        self._show_presence()
        if self._is_draining:
            return
        if not self._is_installed:
            schedules.install()
            self._is_installed = True
        for chore in registry.upkeep():
            chore()
        self._send_canary()
        self._look_for_stuck_clusters()

    def _show_presence(self) -> None:
        is_draining = self._is_draining
        facts = {
            "seen_at": Now(),
            "is_draining": is_draining,
            "capacity": self._capacity,
            "version": purelymanage.__version__,
        }
        if not WorkerHost.objects.filter(name=self._host).update(**facts):
            WorkerHost.objects.create(name=self._host, started_at=Now(), **facts)
            WorkerHost.objects.filter(seen_at__lt=seconds_from_now(-FORGET_SECONDS)).delete()
        if is_draining:
            self._told.set()

    def _send_canary(self) -> None:
        """Any host's app cluster may take it; with one per host and beat each gets its share."""
        now = time.monotonic()
        if now - self._canary_at >= CANARY_SECONDS:
            self._canary_at = now
            if waiting("app") < MOST_CANARIES:
                enqueue("purelymanage.jobs.tasks.answer_canary")

    def _take_all_for_alive(self) -> None:
        self._app_alive_at = self._sync_alive_at = time.monotonic()

    def _look_for_stuck_clusters(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > AWAY_SECONDS:
            self._take_all_for_alive()
        self._looked_at = now
        row = WorkerHost.objects.get(name=self._host)
        if row.app_answered_at != self._answered_at:
            self._answered_at = row.app_answered_at
            self._app_alive_at = now
        if not registry.is_kept_waiting(self._host):
            self._sync_alive_at = now
        if now - self._app_alive_at > APP_STUCK_SECONDS:
            self._app_alive_at = now
            self._on_stuck("app")
        if now - self._sync_alive_at > SYNC_STUCK_SECONDS:
            self._sync_alive_at = now
            self._on_stuck("sync")
