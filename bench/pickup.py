"""How long a job waits from its submission until it runs: `python -m bench.pickup --json`.

Measured with a real supervisor and both clusters, on a fresh SQLite database or on an empty
PostgreSQL one (`--postgres URL`). The engine is the tests' stand-in, so only the queue is measured.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60
RUN_SECONDS = 30


def configure(directory: str, postgres: str) -> None:
    """A panel of its own, that talks to nobody."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="purelymanage.settings",
        DATA_DIR=directory,
        DATABASE_URL=postgres or f"sqlite:///{directory}/bench.sqlite3",
        PURELYMAIL_API_TOKEN="bench",
        PURELYMAIL_API_URL="http://127.0.0.1:9",
        SECRET_KEY=secrets.token_urlsafe(50),
        ENCRYPTION_KEYS=base64.b64encode(secrets.token_bytes(32)).decode(),
        MIGRATION_ENGINE="imapsync",
        IMAPSYNC_PATH=str(ROOT / "migrations_app/tests/fake_imapsync.py"),
        LOG_LEVEL="WARNING",
    )


def wait_until(question, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not question():
        if time.monotonic() > give_up:
            raise SystemExit("The workers did not do their work in time.")
        time.sleep(0.02)


def measure(runs: int) -> list[float]:
    """Seconds from queued to running, on the database's clock, at random moments."""
    from migrations_app import queue
    from migrations_app.models import State
    from migrations_app.tests.queueing import make_job

    waits = []
    for number in range(runs + 2):  # the first two also wait for the clusters to come up
        time.sleep(0.3 + secrets.randbelow(700) / 1000)
        job = make_job(f"bench{number}")
        queue.submit(job)

        def is_done(job=job) -> bool:
            job.refresh_from_db()
            return job.state == State.DONE

        wait_until(is_done, READY_SECONDS if number == 0 else RUN_SECONDS)
        waits.append((job.started_at - job.queued_at).total_seconds())
    return waits[2:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", help="URL of an empty PostgreSQL database")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pickup-") as directory:
        configure(directory, arguments.postgres)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        workers = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), "workers"])
        try:
            waits = measure(arguments.runs)
        finally:
            workers.send_signal(signal.SIGTERM)
            workers.wait(60)
    figures = {
        "median_s": round(statistics.median(waits), 3),
        "p95_s": round(sorted(waits)[max(int(len(waits) * 0.95 + 0.5) - 1, 0)], 3),
        "runs": len(waits),
    }
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(
            f"From submission to running: median {figures['median_s']} s,"
            f" 95 % within {figures['p95_s']} s ({figures['runs']} runs)."
        )


if __name__ == "__main__":
    main()
