"""The command line and the run as a whole: connect, list, compare and copy, report."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.arrival import count_arrived
from migrations_app.engines.builtin.events import Events
from migrations_app.engines.builtin.folder_copy import copy_folder
from migrations_app.engines.builtin.folders import Folders, in_order, map_folders, read_folders
from migrations_app.engines.builtin.job import Job, Pace
from migrations_app.engines.builtin.options import Settings, read_settings
from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import (
    DESTINATION,
    SOURCE,
    Exit,
    GiveUp,
    Stopped,
    TroubleError,
    exit_value,
    most_frequent,
)
from migrations_app.engines.counts import FolderProgress
from migrations_app.engines.selection import is_selected
from migrations_app.engines.wording import counted, host_and_port, readable_folder


def main(arguments: list[str]) -> int:
    """Run once. The exit values are imapsync's."""
    signal.signal(signal.SIGTERM, _stop)
    events = Events()
    try:
        settings = read_settings(arguments)
    except argparse.ArgumentError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.USAGE
    except OSError as error:
        events.log(f"A password file cannot be read: {error.strerror}", "error")
        return Exit.NO_INPUT
    except Stopped:
        return _die()
    events.secrets = settings.passwords
    try:
        status = Run(settings, events).run()
    except Stopped:
        events.log("Stopped by SIGTERM", "warning")
        events.end(Exit.BY_SIGNAL)
        return _die()
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback with secrets
        events.log(f"Unexpected: {_place(error)}", "error")
        events.end(Exit.SOFTWARE)
        return Exit.SOFTWARE
    events.end(status)
    return status


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def _die() -> int:
    """End as a process ends that SIGTERM stopped, so that the wait status says so."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    return Exit.BY_SIGNAL


def _place(error: BaseException) -> str:
    """The kind of an error and where it came from; its text may hold anything."""
    trace = error.__traceback__
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' '.join(places[-4:])}"


class Run:
    """One mailbox into another."""

    def __init__(self, settings: Settings, events: Events) -> None:
        self.settings = settings
        self.events = events
        self.begun: list[tuple[FolderProgress, str]] = []
        """Folders looked at, each with the name of its destination."""
        plan = settings.plan
        self.source, self.destination = (
            Session(
                side,
                end,
                password,
                settings.ca_file,
                plan.options.timeout_seconds,
                settings.allows_local,
            )
            for side, end, password in (
                (SOURCE, plan.source, settings.passwords[0]),
                (DESTINATION, plan.destination, settings.passwords[1]),
            )
        )

    def run(self) -> Exit:
        """From the first connection to the last; a stop leaves them to the end of the process."""
        status = self._run()
        self.source.close()
        self.destination.close()
        return status

    def _run(self) -> Exit:
        self.events.phase("connect")
        refusals = [
            error for error in (self._open(self.source), self._open(self.destination)) if error
        ]
        if refusals:
            return exit_value(refusals[0])
        self.events.phase("compare")
        try:
            pairs, there = self._plan_folders()
            self._measure([name for name, _ in pairs])
            self.events.phase("copy")
            status = self._copy_all(pairs, there)
        except TroubleError as error:
            self.events.trouble(error, "The run cannot go on")
            return exit_value(error)
        self.events.phase("verify")
        count_arrived(self.destination, self.events, self.begun)
        return status

    def _copy_all(self, pairs: list[tuple[str, str]], there: Folders) -> Exit:
        try:
            self._copy(pairs, there)
        except GiveUp as end:
            self.events.end_folder()
            return end.status
        return most_frequent(self.events.exits)

    def _open(self, session: Session) -> TroubleError | None:
        end = session.endpoint
        place = host_and_port(end.host, end.port)
        try:
            session.open()
        except TroubleError as error:
            missed = "sign-in at" if error.stage == "login" else "connection to"
            self.events.trouble(error, f"No {missed} the {session.name} {place}")
            return error
        self.events.log(f"Signed in to the {session.name} {place} as {end.user}")
        return None

    def _plan_folders(self) -> tuple[list[tuple[str, str]], Folders]:
        ours, theirs = read_folders(self.source), read_folders(self.destination)
        for side, folders in (("Source", ours), ("Destination", theirs)):
            prefix = f", prefix “{folders.prefix}”" if folders.prefix else ""
            self.events.log(
                f"{side}: {counted(len(folders.names), 'folder')}, "
                f"separator “{folders.separator}”{prefix}"
            )
        options = self.settings.plan.options
        mapped = map_folders(ours, theirs, by_use=options.map_special_folders)
        pairs = [
            (name, mapped[name])
            for name in sorted(mapped, key=in_order)
            if name not in ours.unselectable
            and is_selected(name, include=options.include, exclude=options.exclude)
        ]
        return pairs, theirs

    def _measure(self, names: list[str]) -> None:
        """How many messages, and how many bytes where the server can say so at once."""
        messages = 0
        for name in names:
            try:
                with self.source.talking() as client:
                    knows_size = client.has_capability("STATUS=SIZE")
                    wanted = ["MESSAGES", "SIZE"] if knows_size else ["MESSAGES"]
                    answer = client.folder_status(name, wanted)
            except IMAPClientError:
                continue
            messages += answer.get(b"MESSAGES", 0)
            self.events.sizes[name] = answer.get(b"SIZE")
        size = self.events.total_size()
        self.events.write("totals", folders=len(names), messages=messages, bytes=size)

    def _copy(self, pairs: list[tuple[str, str]], there: Folders) -> None:
        plan = self.settings.plan
        job = Job(
            source=self.source,
            destination=self.destination,
            options=plan.options,
            is_dry_run=plan.dry_run,
            events=self.events,
            pace=Pace(plan.options.bytes_per_second),
            most_bytes=plan.most_bytes,
        )
        known = {*there.names, "INBOX"} - there.unselectable
        for number, (name, target) in enumerate(pairs, start=1):
            counts = FolderProgress(readable_folder(name), readable_folder(target))
            self.begun.append((counts, target))
            self.events.begin_folder(counts, number=number, total=len(pairs))
            try:
                copy_folder(job, name, target, creates=target not in known, counts=counts)
                known.add(target)
            except TroubleError as error:
                if error.stage == "lost":
                    raise
                what = f"Folder {counts.source} not copied"
                self.events.trouble(error, what, uid=None, bytes=None)
            self.events.end_folder()
