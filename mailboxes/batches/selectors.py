"""What pages need to know about batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.paginator import Page
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailboxes.batches.models import (
    KEPT,
    BatchKind,
    BatchState,
    MailboxBatch,
    MailboxBatchRow,
    RowState,
)
from mailboxes.rules import book
from purelymanage.core.paging import page_of
from purelymanage.ui.states import Look

NAMED = 10
FAILURES_SHOWN = 5
ETA_AFTER = timedelta(seconds=30)
SETTLED = (RowState.DONE, RowState.SKIPPED, RowState.FAILED)


LOOKS = {
    RowState.INVALID: Look("bad", "circle-x", _("Not usable")),
    RowState.READY: Look("idle", "clock", _("To do")),
    RowState.STARTED: Look("info", "loader", _("At work")),
    RowState.SKIPPED: Look("idle", "circle-minus", _("Skipped")),
    RowState.FAILED: Look("bad", "circle-x", _("Failed")),
}
GOOD = Look("ok", "circle-check", _("Good"))
DONE = {
    BatchKind.CREATE: Look("ok", "circle-check", _("Created")),
    BatchKind.REQUIRE_2FA: Look("ok", "shield-check", _("Required")),
    BatchKind.DELETE: Look("warn", "clock", _("Deletion pending")),
}


def look_of(state: str, batch: MailboxBatch) -> Look:
    """How a row of this state is shown."""
    if state == RowState.DONE:
        return DONE[BatchKind(batch.kind)]
    if state == RowState.READY and batch.is_preview and batch.kind == BatchKind.CREATE:
        return GOOD
    return LOOKS[RowState(state)]


def row_numbers(batch: MailboxBatch) -> dict[str, int]:
    """How many rows stand where; states without a row are left out."""
    rows = batch.rows.order_by().values_list("state").annotate(number=Count("pk"))
    return dict(rows)


def without_recovery(batch: MailboxBatch) -> int:
    """How many of its mailboxes need a second factor now and have no recovery method."""
    if batch.kind != BatchKind.REQUIRE_2FA:
        return 0
    return batch.rows.filter(state=RowState.DONE).exclude(message="").count()


def with_passwords(batch: MailboxBatch) -> QuerySet[MailboxBatchRow]:
    """The new mailboxes whose password only we know, not downloaded yet."""
    return batch.rows.filter(state=RowState.DONE, is_generated=True).exclude(password="")


def password_lines(
    rows: Iterable[MailboxBatchRow], batch: MailboxBatch
) -> Iterator[tuple[str, ...]]:
    """Each row, how it ended, and its password where only we know it."""
    for row in rows:
        password = row.password.reveal() if row.has_new_password else ""
        result = row.message or str(look_of(row.state, batch).word)
        yield row.local_part, row.domain_name, row.address, password, result


@dataclass(frozen=True)
class Progress:
    """How far a batch got. Lines that were never usable are no part of it."""

    ready: int
    started: int
    done: int
    skipped: int
    failed: int
    invalid: int
    seconds_left: float | None
    """None until it has worked for half a minute, and while it waits."""

    @property
    def total(self) -> int:
        return self.ready + self.settled + self.started

    @property
    def settled(self) -> int:
        return self.done + self.skipped + self.failed

    @property
    def problems(self) -> int:
        """Lines that cannot be created, existing ones included."""
        return self.invalid + self.skipped

    @property
    def lines(self) -> int:
        return self.total + self.invalid


def progress_of(batch: MailboxBatch) -> Progress:
    """One query."""
    numbers = row_numbers(batch)
    worked_on = numbers.get(RowState.DONE, 0) + numbers.get(RowState.FAILED, 0)
    to_do = numbers.get(RowState.READY, 0) + numbers.get(RowState.STARTED, 0)
    seconds_left = None
    at_work = batch.is_running and not batch.stopped_because and not batch.is_left
    if at_work and batch.started_at and worked_on:
        worked = timezone.now() - batch.started_at
        if worked >= ETA_AFTER:
            seconds_left = worked.total_seconds() / worked_on * to_do
    return Progress(
        ready=numbers.get(RowState.READY, 0),
        started=numbers.get(RowState.STARTED, 0),
        done=numbers.get(RowState.DONE, 0),
        skipped=numbers.get(RowState.SKIPPED, 0),
        failed=numbers.get(RowState.FAILED, 0),
        invalid=numbers.get(RowState.INVALID, 0),
        seconds_left=seconds_left,
    )


def rows_page(batch: MailboxBatch, *, state: str, page: str | None) -> Page[MailboxBatchRow]:
    """One page of the rows, in the order of the file; all of them for an unknown `state`."""
    rows = batch.rows.defer("password")
    if state in RowState.values:
        rows = rows.filter(state=state)
    found = page_of(rows, page)
    for row in found:
        row.look = look_of(row.state, batch)
    return found


def failures_of(batch: MailboxBatch) -> list[MailboxBatchRow]:
    """The first few rows that could not be done, for those who watch."""
    return list(batch.rows.filter(state=RowState.FAILED).defer("password")[:FAILURES_SHOWN])


@dataclass(frozen=True)
class Affected:
    """What an action on a selection would touch."""

    names: Sequence[str]
    """The first few."""
    more: int
    rules: int
    """Routing rules that deliver to at least one of them."""


def affected_by(batch: MailboxBatch, progress: Progress) -> Affected:
    """For the question before it starts."""
    rows = batch.rows.filter(state=RowState.READY).defer("password")
    names = [row.address for row in rows[:NAMED]]
    rules = 0
    if batch.kind == BatchKind.DELETE:
        rules = book.delivering_to([row.address for row in rows])
    return Affected(names=names, more=progress.ready - len(names), rules=rules)


def recent_batches(page: str | None) -> Page[MailboxBatch]:
    """All batches, the newest first, with the number of their rows."""
    batches = page_of(MailboxBatch.objects.all(), page)
    rows = MailboxBatchRow.objects.filter(batch__in=[batch.pk for batch in batches])
    numbers = dict(rows.order_by().values_list("batch").annotate(number=Count("pk")))
    for batch in batches:
        batch.number = numbers.get(batch.pk, 0)
    return batches


def unfinished_batches() -> list[MailboxBatch]:
    """For the banners of the list of mailboxes: at work, waiting, stopped, or with new passwords.

    One query, and one more where there are batches of the last days.
    """
    if not MailboxBatch.objects.filter(_recent()).exists():
        return []
    settled = Count("rows", filter=Q(rows__state__in=SETTLED))
    total = Count("rows", filter=~Q(rows__state=RowState.INVALID))
    rows = _open().annotate(settled=settled, total=total)
    return list(rows.order_by("started_at"))


@dataclass(frozen=True)
class Waiting:
    """A batch that needs a person, and why."""

    batch: MailboxBatch
    title: str
    text: str


def batches_needing_a_person() -> list[Waiting]:
    """Those that go on only when somebody says so, and new passwords nobody took. One query."""
    needing = _open().filter(Q(state=BatchState.RUNNING, resume_at=None) | Q(has_passwords=True))
    return [_waiting(batch) for batch in needing.order_by("started_at")]


def _waiting(batch: MailboxBatch) -> Waiting:
    words = {"batch": batch}
    if batch.is_stopped:
        return Waiting(
            batch, gettext("Bulk work stopped: %(batch)s") % words, batch.stopped_because
        )
    return Waiting(
        batch,
        gettext("New passwords wait to be downloaded: %(batch)s") % words,
        gettext("They are erased on %(date)s.")
        % {"date": date_format(batch.erased_on, "j F") if batch.erased_on else ""},
    )


def _open() -> QuerySet[MailboxBatch]:
    """Unfinished, or ended with passwords that left neither by a download nor by their age.

    They are asked for themselves: a download that broke off may have marked its batch.
    """
    passwords = MailboxBatchRow.objects.filter(
        batch=OuterRef("pk"), state=RowState.DONE, is_generated=True
    ).exclude(password="")
    open_ones = Q(state=BatchState.RUNNING) | Q(has_passwords=True)
    recent = MailboxBatch.objects.filter(_recent())
    return recent.annotate(has_passwords=Exists(passwords)).filter(open_ones)


def _recent() -> Q:
    """Unfinished, or ended so lately that its passwords may still be stored."""
    return Q(state=BatchState.RUNNING) | Q(ended_at__gt=timezone.now() - KEPT)
