"""Jobs between real servers that refuse, fill up and die: the cause, and what is done about it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from migrations_app.engines.base import Engine
from migrations_app.engines.causes import Cause
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.running import runner
from migrations_app.tests.dovecot import Dovecot, Mail, Pair
from migrations_app.tests.queueing import make_job
from purelymanage.jobs.tests.processes import processes_with

pytestmark = [pytest.mark.imap, pytest.mark.django_db(transaction=True)]
PASSWORDS = ("source pass", "dest pass")
_numbers = count()


@pytest.fixture(autouse=True)
def _engine(engine: Engine, settings: object, tmp_path: Path) -> None:
    settings.MIGRATION_ENGINE = engine.name
    settings.DATA_DIR = tmp_path


def mails_of(*sizes: int) -> list[Mail]:
    line = b"x" * 70 + b"\r\n"
    return [
        Mail(("INBOX",), b"Message-ID: <%d@%d>\r\n\r\n" % (number, size) + line * (size // 72))
        for number, size in enumerate(sizes)
    ]


def job_between(pair: Pair, mails: list[Mail] | None = None, **more: Any) -> MigrationJob:
    """A job of two new people; `more` is of the job, `quota` and `largest_mail` of its end."""
    number = next(_numbers)
    limits = {name: more.pop(name) for name in ("quota", "largest_mail") if name in more}
    source = pair.source.add_user(f"cure{number}@old.example", PASSWORDS[0])
    destination = pair.destination.add_user(f"cured{number}@new.example", PASSWORDS[1], **limits)
    if mails:
        pair.source.fill(source, mails)
    facts = {
        "source_address": source,
        "source_password": PASSWORDS[0],
        "source_host": "localhost",
        "source_port": pair.source.port_tls,
        "destination_address": destination,
        "destination_password": PASSWORDS[1],
        "destination_host": "localhost",
        "destination_port": pair.destination.port_tls,
        "options": {"timeout_seconds": 5},
    }
    return make_job(**{**facts, **more})


def run(job: MigrationJob) -> MigrationJob:
    """Run it as a worker does, as soon as its time has come."""
    waits = MigrationJob.objects.filter(try_after__isnull=False)
    waits.update(try_after=timezone.now() - timedelta(seconds=1))
    runner.run(queue.claim("a:1"))
    job.refresh_from_db()
    return job


def ending(job: MigrationJob) -> tuple[str, str, int, bool]:
    return job.state, job.cause, job.retries, job.try_after is not None


@contextmanager
def meanwhile(action: Callable[[], object], job: MigrationJob) -> Iterator[None]:
    """Do something as soon as the job has copied some messages."""

    def work() -> None:
        try:
            give_up = time.monotonic() + 20
            while time.monotonic() < give_up:
                if MigrationJob.objects.get(pk=job.pk).messages_done >= 20:
                    action()
                    return
                time.sleep(0.05)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize(
    ("side", "cause"),
    [("source", Cause.SOURCE_PASSWORD), ("destination", Cause.DESTINATION_PASSWORD)],
)
def test_a_wrong_password_fails_at_once(imap_pair: Pair, side: str, cause: Cause) -> None:
    job = run(job_between(imap_pair, **{f"{side}_password": "wrong"}))
    assert ending(job) == (State.FAILED, cause, 0, False)


def test_a_full_destination_fails_at_once_and_says_what_is_missing(imap_pair: Pair) -> None:
    job = run(job_between(imap_pair, mails_of(*[50_000] * 60), quota="1M"))
    assert ending(job) == (State.FAILED, Cause.DESTINATION_FULL, 0, False)
    losses = list(job.losses.all())
    assert len(losses) == job.messages_failed >= 10
    assert all("uota" in loss.reason and loss.folder == "INBOX" for loss in losses)
    assert job.messages_copied == imap_pair.destination.count(job.destination_address)


def test_a_message_too_large_is_named_and_not_tried_again(imap_pair: Pair) -> None:
    job = run(job_between(imap_pair, mails_of(100, 500_000, 100), largest_mail="100k"))
    assert ending(job) == (State.DONE_WITH_ERRORS, Cause.MESSAGES_TOO_LARGE, 0, False)
    loss = job.losses.get()
    assert (loss.folder, loss.uid) == ("INBOX", "2")
    assert loss.bytes is not None
    assert 490_000 < loss.bytes < 510_000
    assert "larger than the maximum" in loss.reason


def test_too_many_connections_are_waited_for(imap_pair: Pair) -> None:
    host = imap_pair.destination.limited_host
    job = job_between(imap_pair, mails_of(100, 200), destination_host=host)
    with imap_pair.destination.client(job.destination_address):
        run(job)
    assert ending(job) == (State.QUEUED, Cause.DESTINATION_BUSY, 1, True)
    run(job)
    assert ending(job) == (State.DONE, "", 1, False)
    assert job.messages_copied == 2


@pytest.mark.parametrize(
    ("side", "lost", "away"),
    [
        ("source", Cause.SOURCE_LOST, Cause.SOURCE_UNREACHABLE),
        ("destination", Cause.DESTINATION_LOST, Cause.DESTINATION_UNREACHABLE),
    ],
)
def test_a_server_that_dies_is_waited_for_and_nothing_is_copied_twice(
    own_pair: Pair, settings: object, side: str, lost: Cause, away: Cause
) -> None:
    settings.IMAP_CA_FILE = str(own_pair.ca_file)
    server: Dovecot = getattr(own_pair, side)
    facts = {"timeout_seconds": 3, "bytes_per_second": 30_000}
    job = job_between(own_pair, mails_of(*[1000] * 200), options=facts)
    with meanwhile(server.kill, job):
        run(job)
    if job.exit_status == -signal.SIGPIPE:  # imapsync wrote before it looked
        lost = Cause.CONNECTION_LOST
    assert ending(job) == (State.QUEUED, lost, 1, True)
    assert ending(run(job)) == (State.QUEUED, away, 2, True)
    server.start()
    job.options = {}
    job.save(update_fields=["options"])
    assert ending(run(job)) == (State.DONE, "", 2, False)
    assert own_pair.destination.count(job.destination_address) == 200


def test_a_killed_engine_starts_again_at_once_and_nothing_is_copied_twice(imap_pair: Pair) -> None:
    facts = {"bytes_per_second": 30_000}
    job = job_between(imap_pair, mails_of(*[1000] * 200), options=facts)

    def kill() -> None:
        for pid in processes_with(f"--user1={job.source_address}"):
            os.kill(pid, signal.SIGKILL)

    with meanwhile(kill, job):
        run(job)
    assert (job.state, job.cause, job.requeues) == (State.INTERRUPTED, Cause.STOPPED, 1)
    job.options = {}
    job.save(update_fields=["options"])
    assert ending(run(job)) == (State.DONE, "", 0, False)
    assert imap_pair.destination.count(job.destination_address) == 200
