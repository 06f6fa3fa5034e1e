"""How long new keys take, and whether work goes on meanwhile: `python -m bench.rotation --json`.

Seals the passwords of 5,000 migration jobs, puts a new key first and starts a real supervisor with
both clusters. While `rotate_encryption_keys` works, 20 jobs are submitted; half-way the command is
killed (SIGKILL) and started again. In the end every password has to open with the new key alone and
every job has to be done. On a fresh SQLite database, or on an empty PostgreSQL one (`--postgres
URL`; it is emptied again).
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from functools import partial
from typing import Any

from bench.panel import ROOT, child, panel, wait_until

STARTING = 20
MANAGE = [sys.executable, str(ROOT / "manage.py")]
COMMAND = [*MANAGE, "rotate_encryption_keys", "--json"]
END_SECONDS = 120


def seal(jobs: int) -> None:
    """Migration jobs that were done long ago, two passwords each."""
    from migrations_app.models import MigrationJob, State
    from migrations_app.tests.factories import JobFactory

    rows = JobFactory.build_batch(
        jobs,
        state=State.DONE,
        source_password="the old one",
        destination_password="the new one",
    )
    MigrationJob.objects.bulk_create(rows, batch_size=500)


def put_a_new_key_first() -> None:
    """For this process and those it starts."""
    from django.conf import settings

    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings.ENCRYPTION_KEYS = [key, *settings.ENCRYPTION_KEYS]
    os.environ["ENCRYPTION_KEYS"] = ",".join(settings.ENCRYPTION_KEYS)


def resealed() -> int:
    from accounts.rotation import keys_in_use
    from purelymanage.crypto import known_key_ids

    return keys_in_use()[known_key_ids()[0]]


def submit(number: int) -> Any:
    from migrations_app.queueing import queue
    from migrations_app.tests.queueing import make_job

    job = make_job(f"bench{number}", source_host="192.0.2.1", destination_host="192.0.2.2")
    queue.submit(job)
    return job


def killed_half_way(passwords: int) -> tuple[list[Any], int]:
    """The jobs submitted before the command was killed, and how many were sealed by then."""
    jobs: list[Any] = []
    rotation = subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_until(resealed, END_SECONDS, what="The command did not begin.")
        jobs += [submit(number) for number in range(STARTING // 2)]
        wait_until(
            lambda: resealed() >= passwords // 2, END_SECONDS, what="It does not come half-way."
        )
    finally:
        rotation.send_signal(signal.SIGKILL)
        rotation.wait()
    return jobs, resealed()


def rotated_to_the_end(jobs: list[Any]) -> tuple[float, dict[str, Any]]:
    """Seconds the second run took, and what it said; the other jobs are submitted meanwhile."""
    began = time.monotonic()
    rotation = subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE)
    jobs += [submit(number) for number in range(STARTING // 2, STARTING)]
    output, _ = rotation.communicate(timeout=END_SECONDS)
    if rotation.returncode:
        raise SystemExit(f"Exit code {rotation.returncode}: {output.decode()}")
    return time.monotonic() - began, json.loads(output)


def all_open() -> int:
    """How many passwords open with the new key alone; raises DecryptionError."""
    from django.conf import settings

    from migrations_app.models import MigrationJob

    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    found = 0
    for job in MigrationJob.objects.iterator():
        for secret in (job.source_password, job.destination_password):
            found += bool(secret and secret.reveal())
    return found


def is_done(job: Any) -> bool:
    from migrations_app.models import State

    job.refresh_from_db(fields=["state", "requeues", "verdict"])
    if job.state in (State.FAILED, State.CANCELLED, State.DONE_WITH_ERRORS):
        raise SystemExit(f"{job}: {job.verdict}")
    return bool(job.state == State.DONE)


def uninterrupted() -> float:
    """Seconds a whole run takes beside idle workers."""
    put_a_new_key_first()
    began = time.monotonic()
    subprocess.run(COMMAND, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000, help="two passwords each")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", metavar="URL")
    options = parser.parse_args()
    with panel(options.postgres):
        seal(options.jobs)
        whole = uninterrupted()
        put_a_new_key_first()
        with child([*MANAGE, "workers"]):
            jobs, by_then = killed_half_way(2 * options.jobs)
            seconds, said = rotated_to_the_end(jobs)
            for job in jobs:
                wait_until(partial(is_done, job), END_SECONDS, what=f"{job} was not done.")
        figures = {
            "passwords": all_open(),
            "whole_run_s": round(whole, 2),
            "sealed_when_killed": by_then,
            "second_run_s": round(seconds, 2),
            "second_run_sealed": sum(table["resealed"] for table in said["tables"]),
            "jobs_done": len(jobs),
            "requeued": sum(job.requeues for job in jobs),
        }
    print(
        json.dumps(figures) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )


if __name__ == "__main__":
    main()
