"""What runs on this machine, as /proc tells it: whole trees of processes, and engines."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Engine:
    """One process of an engine, told from a later one of the same number by when it started."""

    pid: int
    started: str
    job: str
    """Who it copies from; each job has one of its own."""
    mailbox: str


def engines(domain: str) -> Iterator[Engine]:
    """The engines between mailboxes of this domain, without their guards."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (words := _command_line(int(entry.name))):
            found = re.search(rf"(from-\d+@{domain})\b.*\b(to-\d+@{domain})\b", words, re.DOTALL)
            if found and "guard.py" not in words and (started := when_started(int(entry.name))):
                yield Engine(int(entry.name), started, *found.groups())


def when_started(pid: int) -> str:
    """In ticks since the machine started; empty once the process is gone."""
    facts = _facts(pid)
    return facts[19] if facts and facts[0] not in "ZX" else ""


def parent(pid: int) -> int:
    """0 once the process is gone."""
    facts = _facts(pid)
    return int(facts[1]) if facts else 0


def children() -> dict[int, list[int]]:
    """Of every process there is."""
    below: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            below.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    return below


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    below, found = children(), [pid]
    for one in found:
        found += below.get(one, [])
    return found


def send(pid: int, number: signal.Signals) -> None:
    """To a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _facts(pid: int) -> list[str]:
    """What follows the name in /proc/…/stat: the state, the parent, …"""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _command_line(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
