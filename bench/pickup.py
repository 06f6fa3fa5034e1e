"""How long a job waits from its submission until it runs: `python -m bench.pickup --json`.

Measured with a real supervisor and both clusters, on a fresh SQLite database or on an empty
PostgreSQL one (`--postgres URL`; it is emptied again). The engine is the tests' stand-in, so only
the queue is measured.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import sys
import time

from bench.panel import ROOT, child, p95, panel, wait_until

READY_SECONDS = 60
RUN_SECONDS = 30


def measure(runs: int) -> list[float]:
    """Seconds from queued to running, on the database's clock, at random moments."""
    from migrations_app.models import State
    from migrations_app.queueing import queue
    from migrations_app.tests.queueing import make_job

    waits = []
    for number in range(runs + 2):  # the first two also wait for the clusters to come up
        time.sleep(0.3 + secrets.randbelow(700) / 1000)
        job = make_job(f"bench{number}")
        queue.submit(job)

        def is_done(job=job) -> bool:
            job.refresh_from_db()
            return job.state == State.DONE

        seconds = READY_SECONDS if number == 0 else RUN_SECONDS
        wait_until(is_done, seconds, what="The workers did not do their work in time.")
        waits.append((job.started_at - job.queued_at).total_seconds())
    return waits[2:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", metavar="URL")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs: at least 1")
    workers = [sys.executable, str(ROOT / "manage.py"), "workers"]
    with panel(options.postgres), child(workers):
        waits = measure(options.runs)
    figures = {
        "median_s": round(statistics.median(waits), 3),
        "p95_s": round(p95(waits), 3),
        "runs": len(waits),
    }
    if options.json:
        print(json.dumps(figures))
    else:
        print(
            f"From submission to running: median {figures['median_s']} s,"
            f" 95 % within {figures['p95_s']} s ({figures['runs']} runs)."
        )


if __name__ == "__main__":
    main()
