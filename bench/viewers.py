"""What watching costs: `python -m bench.viewers --json`.

Eight running jobs change once a second while twenty people who are signed in look on, ten at the
list and ten at a job each, polling as the pages do. The web server runs as `manage.py start` runs
it, on a fresh SQLite database or on an empty PostgreSQL one (`--postgres URL`; it is emptied
again). A request that fails makes the exit status 1.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.panel import child, p95, panel, wait_until

PORT = 8951
JOBS = 8
ENDED_JOBS = 42
VIEWERS = 20
POLL_SECONDS = 2.0
STAMP = re.compile(r"at-(\d+\.\d{3})")
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Viewer(threading.Thread):
    """One person before one page: loads it, then asks for news every two seconds."""

    cookie: str
    page: str
    live: str
    ends_at: float
    answers: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.shown = 0.0
        self.asks: dict[str, str] = {}

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        self.get(self.page, {})
        self.seconds.clear()  # the first page of a fresh server reads its templates from disk
        while time.time() < self.ends_at:
            time.sleep(POLL_SECONDS)
            self.get(f"{self.live}?{urlencode(self.asks)}", {"HX-Request": "true"})

    def get(self, address: str, headers: dict[str, str]) -> None:
        began = time.monotonic()
        try:
            status, text = self.ask(address, headers)
        except OSError as error:
            self.errors.append(type(error).__name__)
            self.connection.close()
            return
        self.seconds.append(time.monotonic() - began)
        self.answers += 1
        if status == 204:
            self.unchanged += 1
        elif status != 200:
            self.errors.append(str(status))
        else:
            self.take(text)

    def ask(self, address: str, headers: dict[str, str]) -> tuple[int, str]:
        """Like a browser: a connection that the server closed meanwhile is opened once more."""
        headers = {"Cookie": f"sessionid={self.cookie}"} | headers
        try:
            self.connection.request("GET", address, headers=headers)
            answer = self.connection.getresponse()
        except ConnectionError:
            self.connection.close()
            self.connection.request("GET", address, headers=headers)
            answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def take(self, text: str) -> None:
        """What the browser would show now, and what it would ask next."""
        form = text[text.index("data-live") :]
        form = form[: form.index("</form>")]
        self.asks = {name: unescape(value) for name, value in HIDDEN.findall(form)}
        now, stamps = time.time(), [float(stamp) for stamp in STAMP.findall(text)]
        if stamps:
            self.delays.append(now - max(stamps))
            if self.shown:  # it was right for one second, then a newer one existed
                self.behind.append(max(0.0, now - self.shown - 1))
            self.shown = max(stamps)


def make_rows() -> tuple[list[int], list[str]]:
    """The jobs and the people; gives their keys and their sessions."""
    from accounts.models import User
    from bench.panel import session_of
    from migrations_app.tests.factories import FolderFactory, JobFactory, RunningJobFactory
    from purelymanage.core.roles import Role

    jobs = [RunningJobFactory(run=1) for _ in range(JOBS)]
    for job in jobs:
        for position in range(38):
            FolderFactory(job=job, position=position)
    JobFactory.create_batch(ENDED_JOBS, verdict="All messages are there.")
    cookies = []
    for number in range(VIEWERS):
        user = User.objects.create_user(
            email=f"viewer{number}@panel.example", name=f"Viewer {number}", role=Role.ADMIN
        )
        cookies.append(session_of(user))
    return [job.pk for job in jobs], cookies


def write(pks: list[int]) -> None:
    """What the runners would store, once a second for each job, until it is stopped."""
    from django.db.models import F

    from migrations_app.models import LogChunk, MigrationJob

    while True:
        began = time.monotonic()
        for pk in pks:
            MigrationJob.objects.filter(pk=pk).update(
                version=F("version") + 1,
                messages_done=F("messages_done") + 3,
                bytes_done=F("bytes_done") + 300_000,
                folder=f"at-{time.time():.3f}",
            )
            line = f"2026-11-20T14:38:02.000+00:00 info 3 more of job {pk}\n"
            LogChunk.objects.create(job_id=pk, run=1, text=line)
            time.sleep(0.9 / len(pks))
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))


def cpu_seconds(pid: int) -> float:
    """Processor time of the web server's master and its workers."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = path.read_text().rsplit(")", 1)
        except OSError:
            continue
        facts = rest.split()
        if int(name.split()[0]) == pid or int(facts[1]) == pid:
            ticks += int(facts[11]) + int(facts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def web_answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def measure(web: int, pks: list[int], cookies: list[str], seconds: float) -> dict[str, Any]:
    ends_at = time.time() + seconds
    viewers = []
    for number, cookie in enumerate(cookies):
        pk = pks[number % len(pks)]
        on_list = number % 2 == 0
        page = "/migrations/" if on_list else f"/migrations/{pk}/"
        viewers.append(Viewer(cookie=cookie, page=page, live=f"{page}live/", ends_at=ends_at))
    for viewer in viewers:
        viewer.start()
        time.sleep(POLL_SECONDS / len(viewers))  # people do not come all at once
    time.sleep(POLL_SECONDS)  # the whole pages are loaded; from here on they only ask for news
    began, used = time.monotonic(), cpu_seconds(web)
    while time.time() < ends_at:
        time.sleep(0.1)
    percent = 100 * (cpu_seconds(web) - used) / (time.monotonic() - began)
    for viewer in viewers:
        viewer.join(15)
    seconds_all = list(chain.from_iterable(viewer.seconds for viewer in viewers))
    behind = list(chain.from_iterable(viewer.behind for viewer in viewers))
    return {
        "web_cpu_percent": round(percent, 1),
        "requests": sum(viewer.answers for viewer in viewers),
        "unchanged": sum(viewer.unchanged for viewer in viewers),
        "errors": [error for viewer in viewers for error in viewer.errors],
        "answer_median_ms": round(1000 * statistics.median(seconds_all), 1),
        "answer_p95_ms": round(1000 * p95(seconds_all), 1),
        "staleness_median_s": round(
            statistics.median(delay for viewer in viewers for delay in viewer.delays), 2
        ),
        "behind_p95_s": round(p95(behind), 2),
        "behind_max_s": round(max(behind), 2),
    }


def run(seconds: float) -> dict[str, Any]:
    from django.core.management import call_command

    from purelymanage.jobs.management.commands.start import web

    call_command("collectstatic", interactive=False, verbosity=0)
    pks, cookies = make_rows()
    writer = [sys.executable, "-m", "bench.viewers", "--write", *map(str, pks)]
    with child(web("127.0.0.1", PORT).argv) as server:
        wait_until(web_answers, 30, what="The web server did not start.")
        with child(writer):
            return measure(server.pid, pks, cookies, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--postgres", default="", metavar="URL")
    parser.add_argument("--write", nargs="+", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        import django

        django.setup()
        write(options.write)
        return
    with panel(options.postgres):
        result = run(options.seconds)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:20} {value}")
    if result["errors"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
