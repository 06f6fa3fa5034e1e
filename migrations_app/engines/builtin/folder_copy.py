"""Copies one folder: what is missing, message by message, and the flags of what is there.

A message counts as copied only when the server said OK to it. After a broken connection the
destination is looked at again before anything is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imapclient.exceptions import IMAPClientError

from migrations_app.engines.builtin.identity import added_header
from migrations_app.engines.builtin.index import Contents, Entry, flags_for, read_contents
from migrations_app.engines.builtin.job import Job
from migrations_app.engines.builtin.session import said
from migrations_app.engines.builtin.troubles import (
    DESTINATION,
    SOURCE,
    Exit,
    GiveUp,
    LostError,
    TroubleError,
    exit_value,
    is_over_quota,
)
from migrations_app.engines.counts import FolderProgress

WINDOW_MESSAGES = 50
WINDOW_BYTES = 4_000_000
MAX_TROUBLES = 500
MAX_QUOTA_REFUSALS = 10
ATTEMPTS = 3


def copy_folder(job: Job, name: str, target: str, *, creates: bool, counts: FolderProgress) -> None:
    """One folder into its destination; begun again where a connection breaks while comparing."""
    events = job.events
    for attempt in range(1, ATTEMPTS + 1):
        done_before = events.done - counts.copied
        try:
            FolderCopy(job, name, target, counts).run(creates=creates)
        except LostError as error:
            if attempt == ATTEMPTS:
                raise
            job.reopen(error)
            events.begin_folder_again()
            counts.found = counts.present = counts.skipped = counts.failed = 0
            counts.skipped_why = {}
            counts.copied *= not job.is_dry_run
            counts.bytes_copied *= not job.is_dry_run
            events.done = done_before + counts.copied
        else:
            return


class FolderCopy:
    """One folder of a run, between two losses of a connection while it is being compared."""

    def __init__(self, job: Job, name: str, target: str, counts: FolderProgress) -> None:
        self.job = job
        self.events = job.events
        self.name = name
        self.target = target
        self.counts = counts
        self.permanent: tuple[bytes, ...] = ()
        self.theirs = Contents({}, 0, 0, 0, 1)

    def run(self, *, creates: bool) -> None:
        """Compare, then copy."""
        self._select_source()
        is_there = self._open_target(creates=creates)
        tick = self.events.progress
        ours = read_contents(self.job.source, tick=tick, max_age_days=self.job.options.max_age_days)
        if is_there:
            self.theirs = read_contents(self.job.destination, tick=tick)
        self.counts.found, self.counts.bytes_found = ours.found, ours.size
        self._note_duplicates(ours)
        self._note_silent(ours)
        missing = []
        shared = []
        for entry in ours.entries.values():
            if entry.key in self.theirs.entries:
                shared.append(entry)
            elif self._is_small_enough(entry):
                missing.append(entry)
        self.counts.present = max(len(shared) - self.counts.copied, 0)
        self.events.done += self.counts.present
        to_copy = sum(entry.size for entry in missing)
        self.events.compared(self.name, self.counts.bytes_copied + to_copy)
        self.events.progress()
        self._sync_flags(shared)
        if self.job.is_dry_run:
            self._pretend(missing)
        else:
            self._copy_all(missing)
        self.counts.is_done = True

    # Opening

    def _select_source(self) -> None:
        try:
            with self.job.source.talking() as client:
                client.select_folder(self.name, readonly=True)
        except IMAPClientError as error:
            raise TroubleError("folder", SOURCE, said(error)) from error

    def _open_target(self, *, creates: bool) -> bool:
        """Create it where needed, subscribe, select. False where a dry run finds nothing."""
        if creates and self.job.is_dry_run:
            return False
        try:
            with self.job.destination.talking() as client:
                if creates:
                    self._create(client)
                if self.job.options.subscribe and not self.job.is_dry_run:
                    client.subscribe_folder(self.target)
                self._select_target(client)
        except IMAPClientError as error:
            raise TroubleError("folder", DESTINATION, said(error)) from error
        return True

    def _create(self, client: Any) -> None:
        try:
            client.create_folder(self.target)
        except IMAPClientError:
            if not client.folder_exists(self.target):
                raise

    def _select_target(self, client: Any) -> None:
        answer = client.select_folder(self.target, readonly=self.job.is_dry_run)
        if not self.permanent:
            self.permanent = answer.get(b"PERMANENTFLAGS", ())

    # Comparing

    def _note_duplicates(self, ours: Contents) -> None:
        self.counts.skip("duplicate", ours.duplicates)
        self.events.done += ours.duplicates
        if ours.duplicates:
            self.events.log(
                f"{self.counts.source}: {ours.duplicates} duplicates within the folder "
                "are copied once"
            )

    def _note_silent(self, ours: Contents) -> None:
        """What the source does not hand out has not arrived, and the run has to say so."""
        for uid in ours.silent:
            trouble = TroubleError("fetch", SOURCE, "the server did not hand it out")
            self.events.failed(trouble, uid, None)

    def _is_small_enough(self, entry: Entry) -> bool:
        limit = self.job.options.max_message_bytes
        if limit is None or entry.size <= limit:
            return True
        self.events.too_large(entry.uid, f"{entry.size} bytes are more than the limit of {limit}")
        return False

    def _sync_flags(self, shared: list[Entry]) -> None:
        """Make the flags of what is there equal to the source's, one STORE per set of flags."""
        wanted: dict[frozenset[bytes], list[int]] = {}
        for entry in shared:
            other = self.theirs.entries[entry.key]
            flags = flags_for(entry.flags, self.permanent)
            if flags != other.flags - {b"\\Recent"}:
                wanted.setdefault(flags, []).append(other.uid)
        if self.job.is_dry_run:
            return
        for flags, uids in wanted.items():
            for start in range(0, len(uids), WINDOW_MESSAGES):
                self._store_flags(uids[start : start + WINDOW_MESSAGES], flags)

    def _store_flags(self, uids: list[int], flags: frozenset[bytes]) -> None:
        try:
            with self.job.destination.talking() as client:
                client.set_flags(uids, sorted(flags), silent=True)
        except IMAPClientError as error:
            trouble = TroubleError("flags", DESTINATION, said(error))
            self.events.trouble(trouble, f"{self.counts.destination}: flags not set")

    # Copying

    def _pretend(self, missing: list[Entry]) -> None:
        for entry in missing:
            self._count_copied(entry.size)

    def _count_copied(self, size: int) -> None:
        self.counts.copied += 1
        self.counts.bytes_copied += size
        self.events.done += 1
        if not self.job.is_dry_run:
            self.events.bytes_done += size
        self.events.progress()

    def _copy_all(self, missing: list[Entry]) -> None:
        for window in _windows(missing):
            bodies = self._fetch(window)
            for entry in window:
                body = bodies.pop(entry.uid, None)
                if body is None:
                    trouble = TroubleError("fetch", SOURCE, "the server no longer has it")
                    self.events.failed(trouble, entry.uid, entry.size)
                else:
                    self._copy_one(entry, body)

    def _fetch(self, window: list[Entry]) -> dict[int, bytes]:
        """The bodies of some messages; one by one where the server stumbles over them."""
        uids = [entry.uid for entry in window]
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.job.source.talking() as client:
                    answers = client.fetch(uids, ["BODY.PEEK[]"])
            except LostError as error:
                if attempt == ATTEMPTS:
                    raise
                self._come_back(error)
            except IMAPClientError:
                return self._fetch_singly(uids)
            else:
                return _bodies(answers)
        raise AssertionError

    def _fetch_singly(self, uids: list[int]) -> dict[int, bytes]:
        bodies = {}
        for uid in uids:
            try:
                with self.job.source.talking() as client:
                    bodies.update(_bodies(client.fetch([uid], ["BODY.PEEK[]"])))
            except IMAPClientError as error:
                self.events.log(f"{self.counts.source}/{uid}: {said(error)}", "warning")
        return bodies

    def _copy_one(self, entry: Entry, body: bytes) -> None:
        if entry.needs_header:
            body = added_header(entry.uid) + b"\r\n" + body
        flags = b"(%s)" % b" ".join(sorted(flags_for(entry.flags, self.permanent)))
        self.job.pace.wait(len(body))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.job.destination.talking() as client:
                    refusal = client.store(self.target, body, flags, entry.date)
                break
            except LostError as error:
                self._come_back(error)
                if self._has_arrived(entry):
                    refusal = None
                    break
                if attempt == ATTEMPTS:
                    refusal = f"connection lost at each of {ATTEMPTS} attempts"
        if refusal is None:
            self.job.quota_refusals = 0
            self._count_copied(len(body))
            self._end_when_over()
        else:
            self._note_refusal(entry, refusal)

    def _end_when_over(self) -> None:
        most = self.job.most_bytes
        if most is not None and self.events.bytes_done >= most:
            self.events.log("What may be copied for now is copied.")
            raise GiveUp(Exit.EXCEEDED)

    def _note_refusal(self, entry: Entry, refusal: str) -> None:
        trouble = TroubleError("append", DESTINATION, refusal)
        self.events.failed(trouble, entry.uid, entry.size)
        if is_over_quota(refusal):
            self.job.quota_refusals += 1
            if self.job.quota_refusals >= MAX_QUOTA_REFUSALS:
                raise GiveUp(Exit.OVER_QUOTA)
        if sum(self.events.exits.values()) >= MAX_TROUBLES:
            raise GiveUp(exit_value(trouble))

    def _come_back(self, error: LostError) -> None:
        """Open the lost connection again, in the same folder."""
        self.job.reopen(error)
        if error.side == SOURCE:
            self._select_source()
        else:
            self._open_target(creates=False)

    def _has_arrived(self, entry: Entry) -> bool:
        """Whether the message is there although its OK never came."""
        new = read_contents(
            self.job.destination, tick=self.events.progress, from_uid=self.theirs.next_uid
        )
        return entry.key in new.entries


def _windows(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Some messages at a time, bounded in number and in bytes; a large one comes alone."""
    window: list[Entry] = []
    size = 0
    for entry in entries:
        if window and (len(window) >= WINDOW_MESSAGES or size + entry.size > WINDOW_BYTES):
            yield window
            window, size = [], 0
        window.append(entry)
        size += entry.size
    if window:
        yield window


def _bodies(answers: dict[int, dict[bytes, Any]]) -> dict[int, bytes]:
    return {uid: answer[b"BODY[]"] for uid, answer in answers.items() if answer.get(b"BODY[]")}
