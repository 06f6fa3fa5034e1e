"""The door by which a worker comes in."""

from __future__ import annotations

import socket

from django.conf import settings

from migrations_app import queue, runner


def run_next() -> None:
    """Run the next job, if there is one and the limits allow it."""
    queue.reap()
    job = queue.claim(settings.WORKER_HOST or socket.gethostname())
    if job is None:
        return
    try:
        runner.run(job)
    finally:
        queue.kick()
