"""What each line of a file would come to. No connection is made, nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from domains.models import Domain
from mailboxes.models import Mailbox
from migrations_app.imap.presets import is_purelymail
from migrations_app.models import Batch, BatchLine, LineState, Server
from migrations_app.selectors.twins import Pair, pair_of, place_of, unfinished_jobs
from migrations_app.services.jobs import MAX_PASSWORD
from purelymanage.core.addresses import (
    CONTROL,
    MAX_ADDRESS,
    NO_ADDRESS,
    clean_address,
    shown_domain,
    split_address,
)
from purelymanage.core.tables import Row, Table

COLUMNS = ("source_email", "source_password", "dest_email", "dest_password")
ADDRESSES = ("source_email", "dest_email")


class LineError(Exception):
    """Why a line makes no migration, in a sentence."""


def required_columns(batch: Batch) -> Sequence[str]:
    """What a header has to name; the panel makes temporary passwords itself."""
    return COLUMNS[:-1] if batch.uses_app_password else COLUMNS


def lines_of(batch: Batch, table: Table, *, source: Server, destination: Server) -> list[BatchLine]:
    """One unsaved line for each of the table, judged."""
    judge = _Judge(batch, source, destination)
    return [judge.line(row) for row in table.rows]


def unfinished_pairs(batch: Batch, lines: Sequence[BatchLine] | None = None) -> dict[Pair, str]:
    """Whose migration, as this batch would do it, waits or runs already, and the job's name.

    With `lines` only those into their mailboxes are looked for.
    """
    source, destination = batch.source_server, batch.destination_server
    if source is None or destination is None:
        return {}
    jobs = unfinished_jobs(
        place_of(source.host, source.port),
        place_of(destination.host, destination.port),
        dry_run=batch.dry_run,
        mailboxes=None if lines is None else [line.destination_address for line in lines],
    )
    return {
        pair_of(job.source_address, job.destination_address): job.name for job in jobs.reverse()
    }


def taken_words(name: str) -> str:
    """Why a line makes no job that is there already."""
    return _("The same migration is unfinished as “%(job)s”. Wait for it or cancel it.") % {
        "job": name
    }


class _Judge:
    """Knows what is there already, in three queries however long the table is."""

    def __init__(self, batch: Batch, source: Server, destination: Server) -> None:
        self._batch = batch
        self._is_ours = is_purelymail(destination.host, destination.port)
        self._is_one_server = place_of(source.host, source.port) == place_of(
            destination.host, destination.port
        )
        self._unfinished = unfinished_pairs(batch)
        self._domains: Collection[str] = ()
        self._mailboxes: Collection[str] = ()
        if self._is_ours:
            self._domains = set(Domain.objects.values_list("name", flat=True))
            self._mailboxes = set(Mailbox.objects.values_list("address", flat=True))
        self._pairs: dict[Pair, int] = {}
        self._destinations: dict[str, int] = {}

    def line(self, row: Row) -> BatchLine:
        """Good, or not usable and why. What makes no address is not kept: it may be a password."""
        line = BatchLine(batch=self._batch, line=row.line, state=LineState.BAD)
        try:
            self._judge(line, row)
        except LineError as error:
            line.problem = str(error)[:500]
            return line
        line.state = LineState.GOOD
        return line

    def _judge(self, line: BatchLine, row: Row) -> None:
        if row.error:
            raise LineError(row.error)
        problems = []
        for column, field in zip(ADDRESSES, ("source_address", "destination_address"), strict=True):
            try:
                setattr(line, field, self._address(column, row.values.get(column, "")))
            except LineError as error:
                problems.append(str(error))
        if problems:
            raise LineError(" ".join(problems))
        self._judge_mailboxes(line)
        source = _password("source_password", row.values.get("source_password", ""))
        destination = ""
        if not self._batch.uses_app_password:
            destination = _password("dest_password", row.values.get("dest_password", ""))
        line.note = self._note(line, source, destination)
        line.source_password, line.destination_password = source, destination

    def _address(self, column: str, text: str) -> str:
        """As typed for a server of others, which may mind the case; as we write it for ours."""
        typed = text.strip()
        if not typed:
            raise LineError(_("%(column)s is missing.") % {"column": column})
        try:
            address = clean_address(typed)
        except ValidationError as error:
            raise LineError(f"{column}: {error.messages[0]}") from None
        if column == "dest_email" and self._is_ours:
            return address
        if CONTROL.search(typed) or len(typed) > MAX_ADDRESS:  # which the address as we write lost
            raise LineError(f"{column}: {NO_ADDRESS}")
        return typed

    def _judge_mailboxes(self, line: BatchLine) -> None:
        source, destination = line.source_address, line.destination_address
        pair = pair_of(source, destination)
        first = self._pairs.setdefault(pair, line.line)
        if first != line.line:
            raise LineError(_("The same migration stands in line %(line)d.") % {"line": first})
        if self._is_one_server and pair[0] == pair[1]:
            raise LineError(_("Source and destination are the same mailbox."))
        if self._is_ours:
            self._judge_ours(destination)
        if name := self._unfinished.get(pair):
            raise LineError(taken_words(name))

    def _judge_ours(self, address: str) -> None:
        domain = split_address(address)[1]
        if domain not in self._domains:
            raise LineError(
                _("%(domain)s is not one of your domains at PurelyMail.")
                % {"domain": shown_domain(domain)}
            )
        if self._batch.uses_app_password and address not in self._mailboxes:
            raise LineError(
                _("%(address)s is not one of your mailboxes, so it gets no temporary password.")
                % {"address": address}
            )

    def _note(self, line: BatchLine, source: str, destination: str) -> str:
        notes = []
        address = line.destination_address
        if self._is_ours and address not in self._mailboxes:
            notes.append(_("There is no such mailbox at PurelyMail yet. Create it first."))
        first = self._destinations.setdefault(address.lower(), line.line)
        if first != line.line:
            notes.append(_("Line %(line)d goes into the same mailbox.") % {"line": first})
        if source != source.strip() or destination != destination.strip():
            notes.append(_("A password begins or ends with a space."))
        return " ".join(notes)


def _password(column: str, text: str) -> str:
    """To the letter. Raises LineError, which never tells any of it."""
    words = {"column": column}
    if not text:
        raise LineError(_("%(column)s is missing.") % words)
    if CONTROL.search(text):
        raise LineError(
            _("%(column)s holds a line break or control character. Write it without.") % words
        )
    if len(text) > MAX_PASSWORD:
        words["most"] = f"{MAX_PASSWORD:,}"
        raise LineError(_("%(column)s has more than %(most)s characters.") % words)
    return text
