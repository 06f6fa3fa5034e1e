"""Runs an engine once as the runner does, without queue and database, and looks at everything."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from migrations_app.engines.base import Engine, LogLine, Progress, Verdict
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.tests.dovecot import Dovecot, Pair


@dataclass
class Outcome:
    """One finished run."""

    status: int
    verdict: Verdict
    progress: Progress
    log: list[LogLine]
    output: str
    seconds: float
    peak_kib: int
    argv: list[str] = field(default_factory=list)

    def total(self, count: str) -> int:
        """Sum of one count over all folders."""
        return sum(getattr(folder, count) for folder in self.progress.folders.values())

    @property
    def text(self) -> str:
        """The log as one text."""
        return "\n".join(line.text for line in self.log)


def endpoint(server: Dovecot, user: str, security: str = "tls") -> Endpoint:
    """One end at a test server."""
    port = server.port_tls if security == "tls" else server.port
    return Endpoint("localhost", port, security, user)


def plan_for(
    pair: Pair,
    source: str,
    destination: str,
    *,
    dry_run: bool = False,
    security: str = "tls",
    options: Options | None = None,
) -> Plan:
    """From one user of the pair to another."""
    return Plan(
        endpoint(pair.source, source, security),
        endpoint(pair.destination, destination, security),
        dry_run,
        options or Options(),
    )


def peak_kib(pid: int) -> int:
    """The most memory the process ever held, in KiB; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(line.split()[1])


@contextmanager
def started(
    engine: Engine, plan: Plan, passwords: tuple[str, str]
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The engine's process, its passwords in memory files, its work directory gone afterwards."""
    files = []
    for number, password in enumerate(passwords, start=1):
        handle = os.memfd_create(f"pass{number}", 0)
        os.write(handle, password.encode() + b"\n")
        files.append(handle)
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        argv = engine.argv(
            plan,
            passfile1=f"/dev/fd/{files[0]}",
            passfile2=f"/dev/fd/{files[1]}",
            workdir=Path(folder),
        )
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=files,
            cwd=folder,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        for handle in files:
            os.close(handle)
        try:
            yield process, argv
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


def run(
    engine: Engine,
    plan: Plan,
    passwords: tuple[str, str],
    *,
    on_progress: Callable[[Progress, subprocess.Popen[str]], None] | None = None,
    seconds: float = 120,
) -> Outcome:
    """Run to the end; `on_progress` is called after every line."""
    reader = engine.reader(plan)
    log: list[LogLine] = []
    lines: list[str] = []
    peak = 0
    begin = time.monotonic()
    with started(engine, plan, passwords) as (process, argv):
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        for line in process.stdout:
            lines.append(line)
            log.extend(reader.feed(line.rstrip("\n")))
            peak = max(peak, peak_kib(process.pid))
            if on_progress:
                on_progress(reader.progress, process)
        process.wait()
        watchdog.cancel()
    verdict = reader.conclude(process.returncode)
    return Outcome(
        process.returncode,
        verdict,
        reader.progress,
        log,
        "".join(lines),
        time.monotonic() - begin,
        peak,
        argv,
    )


def run_pair(engine: Engine, pair: Pair, plan: Plan, **more: object) -> Outcome:
    """Run with the passwords the users of the pair really have."""
    passwords = (
        pair.source.passwords[plan.source.user],
        pair.destination.passwords[plan.destination.user],
    )
    return run(engine, plan, passwords, **more)
