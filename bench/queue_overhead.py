"""What the queue adds to its engines: `python -m bench.queue_overhead --json`.

Forty mailboxes of fifty mails are copied from one Dovecot to another, once through the panel's
queue (a real `manage.py workers`, four jobs at a time, PostgreSQL), and once by the very same
commands under `xargs -P4`. `ratio` is the queue's seconds by those of xargs, median by median, for
the engine that fares worst; imapsync is measured where IMAPSYNC_PATH names it.

Both ways take turns at being the first, so that whatever else the machine does slows both. Each
writes into mailboxes that were not there before, and afterwards every mail must have arrived.
Nothing of the panel runs beside xargs but PostgreSQL, which then has nothing to do. `load` is how
busy the processors were in the second before a way began. Exit status 1 above 1.05.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bench.panel import ROOT, child, panel, wait_until
from bench.postgres import database

MOST = 1.05
AT_ONCE = 4
FOLDERS = (*[("INBOX",)] * 3, ("Sent Items",), ("Archiv",))
"""Where every five mails lie."""
READY_SECONDS = 60
END_SECONDS = 900
LOOK_SECONDS = 0.25
WORKERS = [sys.executable, str(ROOT / "manage.py"), "workers"]


@dataclass
class Way:
    """One of the two ways of an engine, and what it took."""

    seconds: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def measure(self, take: Callable[[], float]) -> None:
        self.load.append(busy_share())
        self.seconds.append(take())


class Post:
    """The old server with its full mailboxes, and the new one with ever new empty ones."""

    def __init__(self, directory: Path, *, mailboxes: int, mails: int) -> None:
        from migrations_app.tests.dovecot import make_pair

        self.pair = make_pair(directory)
        self.mails = mails
        self._round = count()
        self.people = [f"person-{number:02}@company.example" for number in range(mailboxes)]

    def fill(self) -> None:
        from migrations_app.tests.dovecot import Mail
        from migrations_app.tests.mailgen import message

        chance = random.Random(7)
        for who in self.people:
            self.pair.source.add_user(who, password_of(who))
            mails = [
                Mail(FOLDERS[number % len(FOLDERS)], message(chance, number))
                for number in range(self.mails)
            ]
            self.pair.source.fill(who, mails)

    @contextmanager
    def empty_mailboxes(self) -> Iterator[dict[str, str]]:
        """From whom to whom; afterwards all of it must have arrived."""
        number = next(self._round)
        people = {who: f"{number}-{who}" for who in self.people}
        for new in people.values():
            self.pair.destination.add_user(new, password_of(new))
        yield people
        arrived = [self._count(new) for new in people.values()]
        if any(found != self.mails for found in arrived):
            raise SystemExit(f"Of {self.mails} mails each there arrived {arrived}.")

    def _count(self, who: str) -> int:
        with self.pair.destination.client(who) as client:
            names = [name for _flags, _separator, name in client.list_folders()]
            return sum(client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in names)

    def jobs(self, people: dict[str, str], engine: str) -> list[Any]:
        from migrations_app.models import MigrationJob

        source, destination = self.pair.source, self.pair.destination
        return [
            MigrationJob(
                name=new,
                engine_wanted=engine,
                source_host=source.host,
                source_port=source.port_tls,
                source_security="tls",
                source_address=who,
                source_password=password_of(who),
                destination_host=destination.host,
                destination_port=destination.port_tls,
                destination_security="tls",
                destination_address=new,
                destination_password=password_of(new),
                dry_run=False,
            )
            for who, new in people.items()
        ]


def password_of(who: str) -> str:
    """Everybody has another one, as in life."""
    return f"the password of {who}"


def busy_share() -> float:
    """How much of the processors others use, looked at for a second."""
    before = _ticks()
    time.sleep(1)
    busy, idle = (after - then for after, then in zip(_ticks(), before, strict=True))
    return round(busy / (busy + idle), 2)


def _ticks() -> tuple[int, int]:
    user, nice, system, idle, waiting, *others = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return user + nice + system + sum(others), idle + waiting


def by_xargs(post: Post, engine: str) -> float:
    """Seconds of the commands alone; each has its directory, its passwords and its log there."""
    with post.empty_mailboxes() as people, tempfile.TemporaryDirectory() as directory:
        lines = [
            command(job, engine, Path(directory) / str(number))
            for number, job in enumerate(post.jobs(people, engine))
        ]
        began = time.monotonic()
        subprocess.run(
            ["xargs", "-0", "-n1", f"-P{AT_ONCE}", "sh", "-c"],
            input="\0".join(lines).encode(),
            check=True,
        )
        return time.monotonic() - began


def command(job: Any, engine: str, place: Path) -> str:
    """What the runner would start, for a shell.

    In a session of its own as there: Linux shares busy processors out by session.
    """
    from migrations_app.engines.choice import choose
    from migrations_app.running.start import plan_of

    place.mkdir()
    passfiles = [place / "passfile1", place / "passfile2"]
    for passfile, who in zip(passfiles, (job.source_address, job.name), strict=True):
        passfile.write_text(f"{password_of(who)}\n")
        passfile.chmod(0o600)
    first, second = map(str, passfiles)
    argv = choose(engine).argv(plan_of(job), passfile1=first, passfile2=second, workdir=place)
    return f"exec setsid {shlex.join(argv)} >{shlex.quote(str(place / 'log'))} 2>&1"


def by_queue(post: Post, engine: str) -> float:
    """Seconds from the moment all are queued to the end of the last, with workers that wait."""
    with child(WORKERS):
        wait_until(workers_idle, READY_SECONDS, what="The workers did not come to rest.")
        with post.empty_mailboxes() as people:
            return queued(post.jobs(people, engine))


def workers_idle() -> bool:
    """Whether the workers are there and what is due at their start has been done."""
    from django.utils import timezone
    from django_q.models import OrmQ, Schedule

    from purelymanage.jobs.models import WorkerHost

    answered = WorkerHost.objects.filter(app_answered_at__isnull=False)
    due = Schedule.objects.filter(next_run__lte=timezone.now())
    return answered.exists() and not due.exists() and not OrmQ.objects.exists()


def queued(jobs: list[Any]) -> float:
    from django.db.models import Max
    from django.utils import timezone

    from migrations_app.models import FINISHED, MigrationJob, State
    from migrations_app.queueing import queue

    began = timezone.now()
    queue.submit_new(jobs)
    ours = MigrationJob.objects.filter(pk__in=[job.pk for job in jobs])

    def are_over() -> bool:
        time.sleep(LOOK_SECONDS)
        return ours.filter(state__in=FINISHED).count() == len(jobs)

    wait_until(are_over, END_SECONDS, what="The workers did not do their work in time.")
    if failed := ours.exclude(state=State.DONE).first():
        raise SystemExit(f"{failed}: {failed.verdict}")
    seconds: float = (ours.aggregate(Max("ended_at"))["ended_at__max"] - began).total_seconds()
    return seconds


def measure(post: Post, engine: str, rounds: int) -> dict[str, Any]:
    """One pass that is not counted warms the old server's caches; then they take turns."""
    alone, queue = Way(), Way()
    by_xargs(post, engine)
    ways = [(alone, by_xargs), (queue, by_queue)]
    for _ in range(rounds):
        for way, take in ways:
            way.measure(lambda take=take: take(post, engine))  # type: ignore[misc]
        ways.reverse()
    return {
        "ratio": round(queue.median / alone.median, 3),
        "queue_s": rounded(queue.seconds),
        "xargs_s": rounded(alone.seconds),
        "queue_load": queue.load,
        "xargs_load": alone.load,
    }


def rounded(figures: list[float]) -> list[float]:
    return [round(figure, 2) for figure in figures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=40)
    parser.add_argument("--mails", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", choices=["builtin", "imapsync"], help="only this one")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", metavar="URL", help="on whose server to measure")
    options = parser.parse_args()
    imapsync = os.environ.get("IMAPSYNC_PATH", "")
    engines = [options.engine] if options.engine else ["builtin", *["imapsync"] * bool(imapsync)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        database(options.postgres) as url,
    ):
        post = Post(Path(directory), mailboxes=options.mailboxes, mails=options.mails)
        try:
            facts = {
                "IMAPSYNC_PATH": imapsync,
                "IMAP_CA_FILE": str(post.pair.ca_file),
                "MIGRATION_CONCURRENCY": str(AT_ONCE),
            }
            with panel(url, **facts):
                post.fill()
                found = {engine: measure(post, engine, options.rounds) for engine in engines}
        finally:
            post.pair.stop()
    figures = {"ratio": max(one["ratio"] for one in found.values()), **found}
    print(
        json.dumps(figures) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )
    if figures["ratio"] > MOST:
        sys.exit(1)


if __name__ == "__main__":
    main()
