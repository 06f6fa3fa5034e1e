"""The door by which a worker comes in."""

from __future__ import annotations

import socket
import time

from django.conf import settings

from migrations_app.batches import bulk_worker
from migrations_app.checks import checkup
from migrations_app.engines import choice
from migrations_app.queueing import dispatch, queue
from migrations_app.running import runner
from migrations_app.services import (
    batches,
    cutovers,
    notices,
    repeats,
    retention,
    temporary_passwords,
)

TURN_SECONDS = 600
"""After which a worker takes a message anew, so that its cluster replaces it now and then."""


def run_next() -> None:
    """Run one job after the other, as long as there is one and the limits allow it."""
    turn_ends = time.monotonic() + TURN_SECONDS
    owner = settings.WORKER_HOST or socket.gethostname()
    queue.reap()
    job = queue.claim(owner)
    if job is None:
        return
    try:
        while job:
            runner.run(job)
            job = queue.claim(owner) if time.monotonic() < turn_ends else None
    finally:
        dispatch.kick()


def revoke_passwords() -> None:
    """Revoke the temporary app passwords whose run is over; by the clock as well, after crashes."""
    temporary_passwords.revoke_due()


def import_batches() -> None:
    """Make the jobs of batches to be imported; also by the clock, for what a dead worker left."""
    batches.import_waiting()


def discard_old_previews() -> None:
    """Erase the passwords of previews that nobody came back to."""
    batches.discard_old_previews()


def work_on_jobs() -> None:
    """A slice of an action on many jobs; by the clock as well, for what a dead worker left."""
    bulk_worker.work()


def check_mailboxes() -> None:
    """A slice of the checks that wait; by the clock as well, for what a dead worker left."""
    checkup.work()


def repeat_jobs() -> None:
    """Queue the jobs that are to run once more; by the clock, and where somebody asked for it."""
    repeats.run_due()


def advance_cut_overs() -> None:
    """Take the cut-overs a step on where the one before is over."""
    cutovers.advance_all()


def purge_expired() -> None:
    """Erase passwords, logs and jobs that are older than they may be."""
    retention.purge_expired()


def probe_engine() -> None:
    """Find out which engine runs here before a page or a job has to wait for the answer."""
    choice.probe()


def tell_of_ends() -> None:
    """Tell whoever started them which migrations have ended."""
    notices.tell()
