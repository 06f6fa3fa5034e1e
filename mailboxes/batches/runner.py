"""The worker's side of a batch: row by row, never twice, never lost.

One worker at a time has one batch in hand, on all hosts together, so that PurelyMail is asked one
question after the other. It works for a slice, so that other tasks have their turn, and passes on;
batches take turns. A row is `started` before its call and settled after it. The lease is renewed
while a call takes long; where a worker died it lapses, and whoever takes the batch up next looks
at the row in mid-call before anything else.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connections, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailboxes.batches.deeds import DEEDS
from mailboxes.batches.models import (
    BatchKind,
    BatchState,
    MailboxBatch,
    MailboxBatchRow,
    RowState,
)
from mailboxes.batches.services import WORK, leave_undone
from purelymanage.core.context import SYSTEM, acting_as, person
from purelymanage.core.errors import MissingError, RefusedError, UnavailableError
from purelymanage.core.locks import lock_transaction
from purelymanage.core.roles import Role, has_role
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import InvalidTokenError, NotReachedError

logger = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
LEASE_SECONDS = 60.0
BEAT_SECONDS = 15.0
PAUSES = (30.0, 60.0, 120.0, 240.0, 480.0, 600.0)
"""Seconds that PurelyMail is given while it does not answer, one after the other; then the last."""
LONGEST_ASKED = 3600.0
"""Seconds; PurelyMail may ask for a longer pause than ours, but not for one that never ends."""
MOST_TRIES = 8
ROWS_AT_ONCE = 100


class StoppedError(Exception):
    """The batch goes on only when a person says so; the text says why."""


class LostError(Exception):
    """The batch is not in our hands any more: cancelled, or the lease ran out."""


def work() -> None:
    """One slice of the batch whose turn it is; nothing where another worker has one in hand."""
    batch = _claim()
    if batch is None:
        return
    try:
        with _kept(batch):
            is_over = _slice(batch)
    except StoppedError as reason:
        _let_go(batch, resume_at=None, stopped_because=str(reason)[:500])
    except UnavailableError as error:
        pause = PAUSES[min(batch.failures, len(PAUSES) - 1)]
        asked = min(getattr(error, "retry_after", 0), LONGEST_ASKED)
        _let_go(
            batch,
            resume_at=seconds_from_now(max(pause, asked)),
            stopped_because=error.message[:500],
            failures=F("failures") + 1,
        )
    except LostError:
        _let_go(batch, resume_at=Now())
    else:
        _let_go(batch, resume_at=None if is_over else Now())
    if MailboxBatch.objects.due().exists():
        enqueue(WORK)


def _claim() -> MailboxBatch | None:
    with transaction.atomic():
        lock_transaction("mailboxes.batches")
        if MailboxBatch.objects.at_work().exists():
            return None
        batch = MailboxBatch.objects.due().select_related("created_by").first()
        if batch is not None:
            batch.holder = uuid.uuid4()
            MailboxBatch.objects.filter(pk=batch.pk).update(
                holder=batch.holder, resume_at=seconds_from_now(LEASE_SECONDS)
            )
        return batch


def _ours(batch: MailboxBatch) -> QuerySet[MailboxBatch]:
    """The batch, as long as nobody took it over."""
    return MailboxBatch.objects.filter(pk=batch.pk, holder=batch.holder)


def _let_go(batch: MailboxBatch, **changes: object) -> None:
    """A cancelled batch that has a row in mid-call is taken up again, everything else as told."""
    _ours(batch).filter(state=BatchState.RUNNING).update(holder=None, **changes)
    ended = _ours(batch).exclude(state=BatchState.RUNNING)
    leave_undone(ended)  # what was put back while it was cancelled
    if batch.rows.filter(state=RowState.STARTED).exists():
        ended.update(holder=None, resume_at=changes["resume_at"] or seconds_from_now(PAUSES[0]))
    else:
        ended.update(holder=None, resume_at=None)


@contextmanager
def _kept(batch: MailboxBatch) -> Iterator[None]:
    """Renew the lease while the block runs: one answer of PurelyMail may take minutes."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(BEAT_SECONDS):
            try:
                _ours(batch).update(resume_at=seconds_from_now(LEASE_SECONDS))
            except DatabaseError as error:  # the next beat may find it back, before the lease ends
                logger.warning(
                    "The lease of batch %s was not renewed: %s", batch.pk, type(error).__name__
                )
                connections.close_all()
        connections.close_all()

    thread = threading.Thread(target=renew, name="batch-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _slice(batch: MailboxBatch) -> bool:
    """Work for a while; whether the batch is at its end by then."""
    user = batch.created_by
    if batch.is_running and not (user and has_role(user, Role.ADMIN)):
        raise StoppedError(
            _("%(name)s may not change anything here any more. Somebody else can have it go on.")
            % {"name": batch.created_by_name}
        )
    running = _ours(batch).filter(state=BatchState.RUNNING)
    with acting_as(
        person(user, address=batch.acting_from or "", may_act=running.exists) if user else SYSTEM
    ):
        for row in batch.rows.filter(state=RowState.STARTED):
            _look_at(batch, row)
        if not batch.is_running:
            return True
        _ask_first(batch)
        give_back_at = time.monotonic() + SLICE_SECONDS  # so that each slice gets something done
        while rows := _next_rows(batch):
            for row in rows:
                if time.monotonic() >= give_back_at:
                    return False
                _do(batch, row)
    _ours(batch).filter(state=BatchState.RUNNING).update(
        state=BatchState.DONE, ended_at=timezone.now(), stopped_because="", failures=0
    )
    return True


def _next_rows(batch: MailboxBatch) -> list[MailboxBatchRow]:
    """What failed before comes last, so that one bad row keeps nobody waiting."""
    rows = batch.rows.filter(state=RowState.READY).order_by("tries", "line")[:ROWS_AT_ONCE]
    return list(rows.select_related("batch"))


def _ask_first(batch: MailboxBatch) -> None:
    """One question before the first row, and after a pause: who is there, and does anybody answer.

    The list may end at PurelyMail's limit, so each creation still asks for its own address.
    """
    tried = batch.rows.filter(state__in=(RowState.DONE, RowState.FAILED)).exists()
    if batch.kind == BatchKind.DELETE or (tried and not batch.failures):
        return
    with _told_by_purelymail():
        there = {address.lower() for address in get_client().list_users().addresses}
    if batch.kind == BatchKind.CREATE:
        taken = _skip_existing(batch, there)
        if taken and batch.all_or_nothing and not tried:
            raise StoppedError(_nothing_created(taken))


def _skip_existing(batch: MailboxBatch, there: set[str]) -> int:
    """Leave out what PurelyMail has already, with one statement; how many that are."""
    ready = batch.rows.filter(state=RowState.READY, batch__in=_ours(batch))
    taken = [row.pk for row in ready.defer("password") if row.address in there]
    return ready.filter(pk__in=taken).update(
        state=RowState.SKIPPED, message=_("It exists at PurelyMail already."), password=""
    )


def _nothing_created(taken: int) -> str:
    return ngettext(
        "%(count)d mailbox exists at PurelyMail already, so nothing was created. "
        "Let the others be created, or cancel.",
        "%(count)d mailboxes exist at PurelyMail already, so nothing was created. "
        "Let the others be created, or cancel.",
        taken,
    ) % {"count": taken}


@contextmanager
def _told_by_purelymail() -> Iterator[None]:
    """A refused token concerns every row, so no row is blamed for it."""
    try:
        yield
    except InvalidTokenError as error:
        raise StoppedError(error.message) from None


def _do(batch: MailboxBatch, row: MailboxBatchRow) -> None:
    """One row; on record as started before the call, so that a crash in it is seen."""
    running = _ours(batch).filter(state=BatchState.RUNNING)
    ready = MailboxBatchRow.objects.filter(pk=row.pk, state=RowState.READY, batch__in=running)
    if not ready.update(state=RowState.STARTED, message=""):
        raise LostError
    try:
        with _told_by_purelymail():
            state, message = DEEDS[BatchKind(batch.kind)].do(row)
    except StoppedError:
        _settle(batch, row, RowState.READY)
        raise
    except NotReachedError:  # it was not sent, which says nothing about this row
        _put_back(batch, row)
        raise
    except UnavailableError as error:  # it may have been done: looked at when the batch goes on
        _settle(batch, row, RowState.STARTED, error.message)
        raise
    except (RefusedError, MissingError) as error:
        state, message = RowState.FAILED, error.message
    if batch.failures:  # PurelyMail is back
        batch.failures = 0
        _ours(batch).update(failures=0, stopped_because="")
    _settle(batch, row, state, message)


def _look_at(batch: MailboxBatch, row: MailboxBatchRow) -> None:
    """Settle a row whose end nobody saw, or have it done again."""
    with _told_by_purelymail():
        try:
            settled = DEEDS[BatchKind(batch.kind)].look(row)
        except RefusedError as error:
            if isinstance(error, InvalidTokenError):
                raise
            settled = RowState.FAILED, error.message
    if settled is None and row.tries + 1 >= MOST_TRIES:
        settled = (
            RowState.FAILED,
            row.message or _("The worker ended in the middle of it, many times."),
        )
    if settled is None:
        _put_back(batch, row)
    else:
        _settle(batch, row, *settled)


def _put_back(batch: MailboxBatch, row: MailboxBatchRow) -> None:
    """For another try, after the others."""
    _settle(batch, row, RowState.READY, tries=row.tries + 1)


def _settle(
    batch: MailboxBatch,
    row: MailboxBatchRow,
    state: RowState,
    message: str = "",
    **changes: object,
) -> None:
    """Write down how a row ended; whoever lost the batch meanwhile has no say any more."""
    keeps_password = state in (RowState.READY, RowState.STARTED) or (
        state == RowState.DONE and row.is_generated
    )
    if not keeps_password:
        changes["password"] = ""
    started = MailboxBatchRow.objects.filter(pk=row.pk, state=RowState.STARTED)
    changes |= {"state": state, "message": message[:500]}
    if not started.filter(batch__in=_ours(batch)).update(**changes):
        raise LostError
    if state == RowState.FAILED and batch.all_or_nothing:
        raise StoppedError(
            _("%(address)s could not be created, so nothing after it was. %(reason)s")
            % {"address": row.address, "reason": message}
        )
