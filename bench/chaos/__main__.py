"""Whether anything gets lost or doubled when processes die: `python -m bench.chaos --json`.

Two worker hosts copy a hundred mailboxes from one Dovecot to another, on a PostgreSQL server of
their own. Every few seconds something is killed (SIGKILL): an engine, the worker that runs one, its
fork server, a process beside it, a cluster's sentinel with all its workers, or a whole supervisor,
which starts again after five seconds. The database crashes twice, the second time for ten seconds.
`--seed` decides the order of the deeds. With `--vanish SECONDS` nobody is killed: one of the two
hosts is stopped (SIGSTOP) with all it runs while it copies, and wakes after so many seconds.

`lost` counts jobs that did not get done and messages that are not where they belong,
`duplicated_messages` those that are there more than once, `cap_violations` what was seen of engine
processes: two of one job, two that write into one mailbox (ten jobs share one with another), or
more than the cap allows; `orphans` is what was left when both hosts had ended. `recovery_p95_s` is
the time from a kill until the job runs again, or is done. Exit status 1 unless all are done, the
rest is 0 and recovery took 90 seconds at the most.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.chaos.hosts import Host
from bench.chaos.mailboxes import Mailboxes
from bench.chaos.mischief import Killing, Mischief, Rows, Vanishing
from bench.chaos.witness import Witness
from bench.panel import p95, panel
from purelymanage.jobs.tests.processes import processes_with

RECOVERY_SECONDS = 90.0
END_SECONDS = 3600.0
LOOK_SECONDS = 0.3


def measure(
    mailboxes: Mailboxes, database: Any, directory: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Two hosts at work until all jobs have ended, and what is to be said of it."""
    set_cap(options.cap)
    mailboxes.fill()
    mailboxes.submit()
    began = time.monotonic()
    witness = Witness(mailboxes.domain, cap=options.cap)
    witness.start()
    hosts = [Host(directory / name) for name in ("one", "two")]
    try:
        if options.vanish:
            mischief: Mischief = Vanishing(hosts, mailboxes.domain, seconds=options.vanish)
        else:
            mischief = Killing(hosts, mailboxes.domain, database=database, seed=options.seed)
        rows = passed_by(hosts, mischief)
        seconds = time.monotonic() - began
    finally:
        left = {pid for host in hosts for pid in host.end()}
        witness.end()
    left |= set(processes_with(mailboxes.domain))
    return {**judge(rows, mailboxes, mischief, witness), "orphans": len(left), "seconds": seconds}


def set_cap(cap: int) -> None:
    """All read from one host, so both limits are the same."""
    from migrations_app.queueing.dispatch import limits

    most = limits()
    most.concurrency = most.per_source_host = cap
    most.save()


def passed_by(hosts: list[Host], mischief: Mischief) -> Rows:
    """The jobs when all have ended; hosts that died are started again meanwhile."""
    give_up = time.monotonic() + END_SECONDS
    rows: Rows = {}
    while time.monotonic() < give_up:
        time.sleep(LOOK_SECONDS)
        for host in hosts:
            host.look()
        present = all_jobs()
        mischief.look(present)
        rows = present or rows
        if present and mischief.is_over and all(row.is_finished for row in present.values()):
            break
    return rows


def all_jobs() -> Rows:
    """By name; nothing while the database is away."""
    from django.db import Error, connections

    from migrations_app.models import MigrationJob

    try:
        return {job.name: job for job in MigrationJob.objects.all()}
    except Error:
        connections.close_all()
        return {}


def judge(rows: Rows, mailboxes: Mailboxes, mischief: Mischief, witness: Witness) -> dict[str, Any]:
    from migrations_app.models import State

    undone = [row for row in rows.values() if row.state != State.DONE]
    for row in undone:
        print(f"{row.name}: {row.state}. {row.verdict}", file=sys.stderr)
    missing, doubled = mailboxes.compare()
    for who in missing.keys() | doubled.keys():
        print(f"{who}: {missing[who]} missing, {doubled[who]} doubled", file=sys.stderr)
    for words in witness.violations:
        print(words, file=sys.stderr)
    recoveries = [seconds for deed in mischief.deeds for seconds in deed.recovery_s.values()]
    return {
        "done": len(rows) - len(undone),
        "lost": len(undone) + missing.total(),
        "duplicated_messages": doubled.total(),
        "cap_violations": len(witness.violations),
        "recovery_p95_s": p95(recoveries) if recoveries else 0.0,
        "recovery_max_s": max(recoveries, default=0.0),
        "recoveries": len(recoveries),
        "most_at_once": witness.most_at_once,
        "looks": witness.looks,
        "runs": sum(row.run for row in rows.values()),
        "killed": Counter(deed.what for deed in mischief.deeds),
        "deeds": [deed.as_json() for deed in mischief.deeds],
    }


def is_as_it_must_be(figures: dict[str, Any], *, mailboxes: int) -> bool:
    evils = ("lost", "duplicated_messages", "cap_violations", "orphans")
    return (
        figures["done"] == mailboxes
        and not any(figures[name] for name in evils)
        and figures["recovery_p95_s"] <= RECOVERY_SECONDS
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=100)
    parser.add_argument("--messages", type=int, default=40, help="in each mailbox")
    parser.add_argument("--slow", type=float, default=15, help="seconds a copy takes at least")
    parser.add_argument("--cap", type=int, default=6, help="jobs at once, on both hosts together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vanish", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--engine", choices=["builtin", "imapsync"], default="builtin")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    from migrations_app.tests.postgres import PrivatePostgres

    database = PrivatePostgres()
    with tempfile.TemporaryDirectory(prefix="bench-chaos-") as name:
        directory = Path(name)
        mailboxes = Mailboxes(
            directory, count=options.mailboxes, messages=options.messages, seconds=options.slow
        )
        facts = {
            "MIGRATION_ENGINE": options.engine,
            "IMAPSYNC_PATH": os.environ.get("IMAPSYNC_PATH", "imapsync"),
            "IMAP_CA_FILE": str(mailboxes.pair.ca_file),
        }
        try:
            with panel(database.url, **facts):
                figures = measure(mailboxes, database, directory, options)
        finally:
            mailboxes.pair.stop()
            database.remove()
    print(
        json.dumps(figures) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )
    if not is_as_it_must_be(figures, mailboxes=options.mailboxes):
        sys.exit(1)


if __name__ == "__main__":
    main()
