"""The door by which a worker comes in."""

from __future__ import annotations

import socket

from django.conf import settings

from migrations_app import dispatch, queue, runner
from migrations_app.engines import choice


def run_next() -> None:
    """Run the next job, if there is one and the limits allow it."""
    queue.reap()
    job = queue.claim(settings.WORKER_HOST or socket.gethostname())
    if job is None:
        return
    try:
        runner.run(job)
    finally:
        dispatch.kick()


def probe_engine() -> None:
    """Find out which engine runs here before a page or a job has to wait for the answer."""
    choice.probe()
