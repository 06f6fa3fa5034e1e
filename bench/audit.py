"""What the audit log's chain costs: `python -m bench.audit --json`.

Appends a second by one writer and by twenty at once, each a process of its own, on PostgreSQL and
on SQLite, and how long it takes to verify a log of many entries. One append is one entry with its
outcome, each in a transaction of its own, as `audited` writes them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from bench.panel import ROOT, panel
from bench.postgres import database

WRITERS = 20
BATCH = 5000


def write(seconds: float) -> None:
    """Say that we are ready, append for so many seconds once told to; prints how many that were."""
    import django

    django.setup()
    from audit.actions import Action
    from audit.services import audited

    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with audited(Action.RULE_CHANGED, target="info@lindenhof.example", after={"to": ["a@b.c"]}):
            done += 1
    print(done)


def appends_per_second(writers: int, seconds: float) -> float:
    """Entries a second, by so many processes at once."""
    argv = [sys.executable, "-m", "bench.audit", "--write", str(seconds)]
    running = [
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(writers)
    ]
    for process in running:
        process.stdout.readline()
    began = time.monotonic()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    done = sum(int(process.communicate()[0]) for process in running)
    return round(done / (time.monotonic() - began), 1)


def verification_seconds(entries: int) -> float:
    """How long a log of at least so many entries takes, with what the writers left in it."""
    from audit.actions import Action
    from audit.services import Happened, record_all
    from audit.verification import Verdict, verify

    for _ in range(0, entries, BATCH):
        record_all(
            Happened(Action.RULE_CHANGED, f"rule {number}", after={"to": ["a@b.c"]})
            for number in range(BATCH)
        )
    began = time.monotonic()
    report = verify()
    seconds = time.monotonic() - began
    if report.verdict != Verdict.GOOD:
        raise SystemExit(f"The log does not verify: {report.finding}")
    return round(seconds * entries / report.entries, 1)


def measure(postgres: str, options: argparse.Namespace) -> dict[str, float]:
    """All figures of one database, in a process of its own: Django is set up once in each."""
    argv = [sys.executable, "-m", "bench.audit", "--on", postgres]
    argv += ["--seconds", str(options.seconds), "--entries", str(options.entries)]
    return json.loads(subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def measure_here(postgres: str, options: argparse.Namespace) -> dict[str, float]:
    """The figures of the database that this process works with."""
    with panel(postgres):
        return {
            "alone_per_s": appends_per_second(1, options.seconds),
            "twenty_writers_per_s": appends_per_second(WRITERS, options.seconds),
            "verification_s": verification_seconds(options.entries),
            "entries": options.entries,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", metavar="URL")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--write", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--on", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write)
        return
    if options.on is not None:
        print(json.dumps(measure_here(options.on, options)))
        return
    with database(options.postgres) as url:
        figures = {"postgresql": measure(url, options), "sqlite": measure("", options)}
    if options.json:
        print(json.dumps(figures))
        return
    for name, one in figures.items():
        print(
            f"{name}: {one['alone_per_s']} entries a second alone, {one['twenty_writers_per_s']} by"
            f" {WRITERS} writers; {one['entries']} verified in {one['verification_s']} s"
        )


if __name__ == "__main__":
    main()
