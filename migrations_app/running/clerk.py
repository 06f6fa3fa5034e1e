"""The thread that speaks with the database while an engine runs.

It alone waits for the database, so that a slow or absent one never keeps the engine's output from
being read or its process from being stopped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from django.db import Error as DatabaseError
from django.db import OperationalError, connections, transaction
from django.db.models import Exists

from migrations_app.engines.base import Progress
from migrations_app.engines.counts import FolderProgress
from migrations_app.models import FolderResult, Loss, MigrationJob
from migrations_app.models.results import fitting
from migrations_app.queueing import dispatch, manners, queue
from migrations_app.running import logs
from migrations_app.running.output import LogBuffer, Redactor

logger = logging.getLogger(__name__)

WRITE_SECONDS = 1.0
FENCE_SECONDS = 0.8 * queue.LEASE_SECONDS
GUARD_SECONDS = 0.9 * queue.LEASE_SECONDS
"""After which the engine's guard acts by itself, should this whole process hang or be stopped."""
SETTLE_SECONDS = 60.0
FIRST_SECONDS = 3.0
"""Before the first write: a run that is over by then writes once, at its end."""
FRESH_SECONDS = queue.BEAT_SECONDS
"""For so long after a run began its connection is taken to be alive."""
HANG_SECONDS = 15.0
NAME_CHARACTERS = 1000
REASON_CHARACTERS = 500
FOLDER_FIELDS = tuple(field.name for field in fields(FolderProgress))
facts_of = attrgetter(*FOLDER_FIELDS)


@dataclass
class News:
    """What the database does not know yet."""

    columns: dict[str, Any]
    folders: dict[int, tuple[Any, ...]]


class Clerk(threading.Thread):
    """Writes progress and log once a second, renews the lease, and notices wishes to stop."""

    def __init__(
        self, job: MigrationJob, *, progress: Progress, log: LogBuffer, redactor: Redactor
    ) -> None:
        super().__init__(name=f"clerk of job {job.pk}", daemon=True)
        self.is_lost = False
        self.is_cancelled = False
        self.is_draining = False
        self.has_to_rest = False
        """The source's hours are over, or what it allows in a day is used up."""
        self.reading = threading.Lock()
        """Held while the progress changes, or is copied."""
        self._job = job
        self._progress = progress
        self._log = log
        self._redactor = redactor
        self._made_at = self.renewed_at = time.monotonic()
        """When the lease was last renewed, by our own clock."""
        self._stored_columns: dict[str, Any] = {}
        self._stored_folders: dict[int, tuple[Any, ...]] = {}
        self._logged = 0
        """Characters, since the log was last looked after."""
        self._ended = threading.Event()
        self._writing = threading.Lock()

    @property
    def is_to_stop(self) -> bool:
        """Whether the engine is to end in good order."""
        return self.is_cancelled or self.is_draining or self.has_to_rest

    @property
    def is_fenced(self) -> bool:
        """Whether the run is lost, or must be taken for lost: the lease was not renewed in time."""
        return self.is_lost or time.monotonic() - self.renewed_at > FENCE_SECONDS

    def run(self) -> None:
        """Until `settle`. An absent database is tried again each second."""
        pause = FIRST_SECONDS
        try:
            while not self._ended.wait(pause):
                pause = WRITE_SECONDS
                try:
                    self._look_and_write()
                except MigrationJob.DoesNotExist:
                    self.is_lost = True
                except DatabaseError as error:
                    logger.warning("Job %s: %s, trying again", self._job.pk, type(error).__name__)
                    connections.close_all()
        finally:
            connections.close_all()

    def settle(self, ending: Callable[[], bool]) -> bool:
        """End the thread, then store what is left together with the run's ending.

        A connection that may be dead since an outage gives way to fresh ones, for a minute.
        False means that the run was not ours any more, or could not be written: its lease ends it.
        """
        self._ended.set()
        if self.is_alive():
            self.join(HANG_SECONDS)
        if time.monotonic() - self._made_at > FRESH_SECONDS:
            connections.close_all()
        give_up = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return self._write(ending)
            except DatabaseError:
                connections.close_all()
                if time.monotonic() > give_up:
                    logger.exception("Job %s: its ending could not be stored", self._job.pk)
                    return False
            time.sleep(WRITE_SECONDS)

    def _look_and_write(self) -> None:
        is_due = time.monotonic() - self.renewed_at >= queue.BEAT_SECONDS
        if (is_due or self._has_news()) and not self._write():
            self.is_lost = True
        self._look()

    def _look(self) -> None:
        """Whether anybody wishes it to stop; one query, where the source has no limits."""
        facts = MigrationJob.objects.values_list(
            "stop_requested",
            Exists(dispatch.draining(self._job.owner)),
            Exists(manners.limits_of(self._job)),
        )
        asks, drains, is_limited = facts.get(pk=self._job.pk)
        self.is_cancelled |= asks
        self.is_draining |= drains
        self.has_to_rest |= is_limited and manners.has_to_rest(self._job)

    def _write(self, ending: Callable[[], bool] | None = None) -> bool:
        """Store the news and renew the lease, in one transaction that proves our token."""
        if not self._writing.acquire(timeout=HANG_SECONDS):
            raise OperationalError("The write before this one hangs.")
        started = time.monotonic()
        lines = self._log.take()
        try:
            news = self._news()
            with transaction.atomic():
                rows = [self._as_row(*item) for item in news.folders.items()]
                losses = self._losses() if ending else []
                if not queue.report(self._job, rows, losses, **news.columns):
                    return False
                self._count_use(news)
                self._append("".join(lines))
                if ending:
                    ending()
            self._stored_columns = news.columns
            self._stored_folders.update(news.folders)
            self.renewed_at = started
            return True
        except DatabaseError:
            self._log.give_back(lines)
            raise
        finally:
            self._writing.release()

    def _count_use(self, news: News) -> None:
        read = news.columns["bytes_done"] - self._stored_columns.get("bytes_done", 0)
        if read > 0 and not self._job.dry_run:
            manners.count_use(self._job, read)

    def _append(self, text: str) -> None:
        logs.append(self._job, text)
        self._logged += len(text)
        if self._logged > logs.HEAD_CHARACTERS + logs.TAIL_CHARACTERS:
            logs.make_room(self._job)
            self._logged = 0

    def _has_news(self) -> bool:
        news = self._news()
        is_changed = bool(news.folders) or news.columns != self._stored_columns
        return is_changed or self._log.has_lines()

    def _news(self) -> News:
        with self.reading:
            columns = columns_of(self._progress)
            folders = {
                position: facts_of(folder)
                for position, folder in enumerate(self._progress.folders.values())
            }
        columns = {name: fitting(name, value) for name, value in columns.items()}
        columns["folder"] = self._clean(columns["folder"])
        changed = {
            position: facts
            for position, facts in folders.items()
            if self._stored_folders.get(position) != facts
        }
        return News(columns=columns, folders=changed)

    def _as_row(self, position: int, facts: tuple[Any, ...]) -> FolderResult:
        columns = {
            name: fitting(name, value) for name, value in zip(FOLDER_FIELDS, facts, strict=True)
        }
        row = FolderResult(job=self._job, position=position, **columns)
        row.source, row.destination = self._clean(row.source), self._clean(row.destination)
        return row

    def _losses(self) -> list[Loss]:
        """What did not arrive, once the run is over."""
        return [
            Loss(
                job=self._job,
                position=position,
                folder=self._clean(loss.folder),
                uid=loss.uid[:20],
                bytes=fitting("bytes", loss.bytes),
                reason=self._clean(loss.reason)[:REASON_CHARACTERS],
            )
            for position, loss in enumerate(self._progress.losses.values())
        ]

    def _clean(self, text: str) -> str:
        """What any database takes, and no password."""
        return self._redactor.clean(logs.CONTROL.sub(" ", text))[:NAME_CHARACTERS]


def columns_of(progress: Progress) -> dict[str, Any]:
    """The job's columns for a progress."""
    folders = progress.folders.values()
    return {
        "phase": progress.phase,
        "folder": progress.folder,
        "folders_done": sum(folder.is_done for folder in folders),
        "folders_total": progress.folders_total,
        "messages_done": progress.messages_done,
        "messages_total": progress.messages_total,
        "messages_copied": sum(folder.copied for folder in folders),
        "messages_present": sum(folder.present for folder in folders),
        "messages_skipped": sum(folder.skipped for folder in folders),
        "messages_failed": sum(folder.failed for folder in folders),
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
    }
