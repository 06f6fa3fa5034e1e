"""What each line of an uploaded table would come to. No call to PurelyMail, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from domains.models import Domain
from mailboxes.batches.models import MailboxBatch, MailboxBatchRow, RowState
from mailboxes.models import Mailbox
from mailboxes.passwords import MAX_LENGTH, MIN_LENGTH, generate_password
from purelymanage.core.addresses import (
    CONTROL,
    MAX_ADDRESS,
    clean_domain,
    clean_local_part,
    shown_domain,
)
from purelymanage.core.errors import InvalidError
from purelymanage.core.tables import FORMULA, Row, Table
from purelymanage.deletions.models import DeletionKind, PendingDeletion

COLUMNS = ("local_part", "domain", "password")
REQUIRED = ("local_part", "domain")
MAX_SHOWN = 254


class LineError(Exception):
    """Why a line makes no mailbox, in a sentence."""


def rows_of(batch: MailboxBatch, table: Table) -> list[MailboxBatchRow]:
    """One unsaved row for each line, judged.

    Where no line at all has a domain, another column stands in its place; it may hold passwords,
    so such a table is refused before anything of it is stored or shown.
    """
    judge = _Judge()
    rows = [judge.row(batch, line) for line in table.rows]
    if not judge.has_seen_domain:
        raise InvalidError(
            _("No line has a domain in the column domain. Begin the file with the line %(header)s")
            % {"header": ",".join(COLUMNS)}
        )
    return rows


class _Judge:
    """Knows what is there already, in three queries however long the table is."""

    def __init__(self) -> None:
        self._is_shared: Mapping[str, bool] = dict(Domain.objects.values_list("name", "is_shared"))
        self._existing = set(Mailbox.objects.values_list("address", flat=True))
        pending = PendingDeletion.objects.pending().filter(kind=DeletionKind.MAILBOX)
        self._due: Mapping[str, datetime] = dict(pending.values_list("key", "due_at"))
        self.has_seen_domain = False
        self._lines: dict[str, int] = {}
        self._domain: Callable[[str], str] = cache(self._ours)

    def row(self, batch: MailboxBatch, line: Row) -> MailboxBatchRow:
        """The row of one line: ready, existing already, or not usable, and why."""
        typed = {name: CONTROL.sub(" ", line.values.get(name, "")).strip() for name in REQUIRED}
        row = MailboxBatchRow(
            batch=batch,
            line=line.line,
            local_part=typed["local_part"][:MAX_SHOWN],
            domain_name=typed["domain"][:MAX_SHOWN],
            state=RowState.INVALID,
            message=line.error[:500],
        )
        if line.error:
            return row
        try:
            row.local_part = _local_part(line.values["local_part"])
            row.domain_name = self._domain(line.values["domain"])
            self._judge(row)
            password = _password(line.values.get("password", ""))
        except LineError as error:
            row.message = str(error)
            return row
        if row.state != RowState.SKIPPED:
            row.state = RowState.READY
            row.is_generated = not password
            row.password = password or _generated()
        return row

    def _judge(self, row: MailboxBatchRow) -> None:
        address = row.address
        if len(address) > MAX_ADDRESS:
            raise LineError(_("An address has at most 254 characters."))
        first = self._lines.setdefault(address, row.line)
        if first != row.line:
            raise LineError(_("The same address stands in line %(line)d.") % {"line": first})
        if address in self._existing:
            row.state = RowState.SKIPPED
            row.message = _("It exists already.")
            if due := self._due.get(address):
                row.message = _("It exists still: its deletion is due on %(date)s.") % {
                    "date": date_format(due, "j F, H:i")
                }

    def _ours(self, text: str) -> str:
        """The domain's name as PurelyMail knows it."""
        if not text.strip():
            raise LineError(_("The domain is missing."))
        try:
            name = clean_domain(text)
        except ValidationError as error:
            raise LineError(error.messages[0]) from None
        self.has_seen_domain = True
        if name not in self._is_shared:
            raise LineError(
                _("%(domain)s is not one of your domains.") % {"domain": shown_domain(name)}
            )
        if self._is_shared[name]:
            raise LineError(
                _("%(domain)s belongs to PurelyMail. Choose one of your own domains.")
                % {"domain": shown_domain(name)}
            )
        return name


def _local_part(text: str) -> str:
    if not text.strip():
        raise LineError(_("The local part is missing."))
    if "@" in text:
        raise LineError(_("Write only what stands before the @ as the local part."))
    try:
        return clean_local_part(text)
    except ValidationError as error:
        raise LineError(error.messages[0]) from None


def _password(text: str) -> str:
    """As written: PurelyMail takes every character. Empty means that the panel makes one."""
    if not text:
        return ""
    if CONTROL.search(text):
        raise LineError(
            _("The password contains a line break or control character. Choose another.")
        )
    if text != text.strip():
        raise LineError(_("The password begins or ends with a space. Remove it."))
    if len(text) < MIN_LENGTH:
        raise LineError(
            _("The password has less than %(number)d characters.") % {"number": MIN_LENGTH}
        )
    if len(text) > MAX_LENGTH:
        raise LineError(
            _("The password has more than %(number)d characters.") % {"number": MAX_LENGTH}
        )
    return text


def _generated() -> str:
    """A password that can leave in a CSV as it is: no spreadsheet takes it for a formula."""
    password = generate_password()
    while password.startswith(FORMULA):
        password = generate_password()
    return password
