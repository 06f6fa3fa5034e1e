"""What people do with a batch: make it, start it, let it go on, end it, take its passwords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Action
from audit.services import audited
from mailboxes.batches.models import (
    KEPT,
    TRANSFER,
    BatchKind,
    BatchState,
    MailboxBatch,
    MailboxBatchRow,
    RowState,
)
from mailboxes.batches.preview import COLUMNS, REQUIRED, rows_of
from mailboxes.batches.selectors import row_numbers, with_passwords
from mailboxes.models import Mailbox
from purelymanage.core.addresses import split_address
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.core.tables import read_table
from purelymanage.deletions.entrance import enter_queue
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.jobs.queue import enqueue

WORK = "mailboxes.tasks.work_on_batches"
MAX_ROWS = 10_000
CHUNK = 500


def preview_table(*, content: bytes, name: str) -> tuple[MailboxBatch, bool]:
    """Make a batch in preview of an uploaded CSV; also whether its letters had to be guessed.

    Passwords are encrypted from the moment they are stored.
    """
    table = read_table(content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS)
    batch = _new(BatchKind.CREATE, name=name)
    _save(batch, rows_of(batch, table))
    return batch, table.is_guessed


def preview_selection(*, kind: BatchKind, mailboxes: QuerySet[Mailbox]) -> MailboxBatch:
    """Make a batch in preview of an action on these mailboxes."""
    batch = _new(kind)
    pending: set[str] = set()
    if kind == BatchKind.DELETE:
        scheduled = PendingDeletion.objects.pending().filter(kind=DeletionKind.MAILBOX)
        pending = set(scheduled.values_list("key", flat=True))
    addresses = mailboxes.order_by("address").values_list("address", flat=True)
    rows = [
        _selected(batch, place, address, is_pending=address in pending)
        for place, address in enumerate(addresses, 1)
    ]
    if not rows:
        raise RefusedError(_("No mailbox was selected. Tick some in the list first."))
    _save(batch, rows)
    return batch


def _selected(
    batch: MailboxBatch, place: int, address: str, *, is_pending: bool
) -> MailboxBatchRow:
    local_part, domain_name = split_address(address)
    return MailboxBatchRow(
        batch=batch,
        line=place,
        local_part=local_part,
        domain_name=domain_name,
        state=RowState.SKIPPED if is_pending else RowState.READY,
        message=_("Its deletion is pending already.") if is_pending else "",
    )


def start(*, batch: MailboxBatch, all_or_nothing: bool = False) -> None:
    """Let the workers begin. With `all_or_nothing` only if every row can be done."""
    states = row_numbers(batch)
    ready = states.get(RowState.READY, 0)
    others = sum(states.values()) - ready
    with audited(
        Action.BATCH_STARTED, target=batch, after={"kind": batch.kind, "mailboxes": ready}
    ):
        if not ready:
            raise RefusedError(_("There is nothing to do in this batch. Nothing was changed."))
        if all_or_nothing and others:
            raise RefusedError(_nothing(others))
        with transaction.atomic():
            _enter_queue_for(batch)
            started = _in_preview(batch).update(
                state=BatchState.RUNNING,
                started_at=timezone.now(),
                resume_at=Now(),
                all_or_nothing=all_or_nothing,
                **_answerable(),
            )
            if not started:
                raise RefusedError(_("This batch was started already."))
            enqueue(WORK)


def _nothing(others: int) -> str:
    return ngettext(
        "%(count)d line cannot be created, so all or nothing means nothing. "
        "Correct it and upload the file again, or create the good ones.",
        "%(count)d lines cannot be created, so all or nothing means nothing. "
        "Correct them and upload the file again, or create the good ones.",
        others,
    ) % {"count": others}


def go_on(*, batch: MailboxBatch) -> None:
    """Let a batch that stopped or waits try again now, in the name of whoever says so.

    Where some rows came to nothing, all or nothing is over: the person says to do the rest.
    """
    waiting = MailboxBatch.objects.unfinished().filter(pk=batch.pk, holder=None)
    lacks_some = batch.rows.filter(state__in=(RowState.FAILED, RowState.SKIPPED)).exists()
    changes = {"all_or_nothing": batch.all_or_nothing and not lacks_some, "stopped_because": ""}
    with audited(Action.BATCH_CONTINUED, target=batch), transaction.atomic():
        _enter_queue_for(batch)
        if not waiting.update(resume_at=Now(), **changes, **_answerable()):
            raise RefusedError(_("This batch is at work or at its end; it needs no push."))
        enqueue(WORK)


def cancel(*, batch: MailboxBatch) -> None:
    """End a batch after the row that is at work; the rest is left undone, its passwords erased."""
    with audited(Action.BATCH_CANCELLED, target=batch), transaction.atomic():
        running = MailboxBatch.objects.unfinished().filter(pk=batch.pk)
        if not running.update(
            state=BatchState.CANCELLED,
            ended_at=timezone.now(),
            stopped_because="",
            resume_at=Coalesce("resume_at", Now()),  # somebody looks at a row left in mid-call
        ):
            raise RefusedError(_("This batch is not running any more."))
        leave_undone(MailboxBatch.objects.filter(pk=batch.pk))
        enqueue(WORK)


def leave_undone(batches: QuerySet[MailboxBatch]) -> None:
    """Skip what these cancelled batches had still to do, and erase its passwords."""
    MailboxBatchRow.objects.filter(batch__in=batches, state=RowState.READY).update(
        state=RowState.SKIPPED, message=_("The batch was cancelled before it."), password=""
    )


def bulk_deletions_of(person_id: int) -> list[str]:
    """In words, what a freeze of this person stops."""
    undone = Q(rows__state__in=(RowState.READY, RowState.STARTED))
    bulk = _bulk_deletions(person_id).annotate(left=Count("rows", filter=undone))
    return [
        ngettext(
            "Bulk deletion with %(count)d mailbox not yet scheduled",
            "Bulk deletion with %(count)d mailboxes not yet scheduled",
            batch.left,
        )
        % {"count": batch.left}
        for batch in bulk.order_by("-pk")
    ]


def stop_bulk_deletions(person_id: int) -> None:
    """Cancel what would go on scheduling deletions in this person's name, previews included."""
    stopped = _bulk_deletions(person_id).update(
        state=BatchState.CANCELLED,
        ended_at=timezone.now(),
        stopped_because="",
        resume_at=Coalesce("resume_at", Now()),
    )
    if stopped:
        cancelled = MailboxBatch.objects.filter(
            kind=BatchKind.DELETE, created_by_id=person_id, state=BatchState.CANCELLED
        )
        leave_undone(cancelled)
        enqueue(WORK)


def _bulk_deletions(person_id: int) -> QuerySet[MailboxBatch]:
    """That a person has asked for, or has had go on."""
    return MailboxBatch.objects.filter(
        kind=BatchKind.DELETE,
        state__in=(BatchState.PREVIEW, BatchState.RUNNING),
        created_by_id=person_id,
    )


def discard(*, batch: MailboxBatch) -> None:
    """Throw a preview away, with the passwords in it. Nothing has happened yet."""
    with audited(Action.BATCH_DISCARDED, target=batch):
        deleted, _kinds = _in_preview(batch).delete()
        if not deleted:
            raise RefusedError(_("This batch was started already."))


def take_passwords(*, batch: MailboxBatch) -> list[MailboxBatchRow]:
    """Every row, with the passwords the panel made, for the one download there is.

    Whoever asks first marks the batch; nobody else gets them then. What is sent of them goes
    through `erased_once_sent`. A transfer whose process died frees them after five minutes.
    """
    with audited(Action.BATCH_DOWNLOADED, target=batch):
        if not with_passwords(batch).exists():
            raise RefusedError(
                _("The passwords of this batch were downloaded already and are erased.")
            )
        now = timezone.now()
        free = Q(downloaded_at=None) | Q(downloaded_at__lt=now - TRANSFER)
        if not MailboxBatch.objects.filter(free, pk=batch.pk).update(downloaded_at=now):
            raise RefusedError(
                _(
                    "The passwords of this batch are being downloaded. "
                    "Should that break off, try again in five minutes."
                )
            )
    return list(batch.rows.all())


def erased_once_sent(
    chunks: Iterable[bytes], *, batch: MailboxBatch, rows: Sequence[MailboxBatchRow]
) -> Iterator[bytes]:
    """The file with these rows; the passwords in it go when its last piece was taken.

    A transfer that breaks before that frees them again at once: nothing is lost on the way out.
    What happens behind the web server we cannot see, so the page says what to do about a broken
    file.
    """
    try:
        yield from chunks
    except BaseException:
        MailboxBatch.objects.filter(pk=batch.pk).update(downloaded_at=None)
        raise
    taken = [row.pk for row in rows if row.has_new_password]
    for first in range(0, len(taken), CHUNK):
        batch.rows.filter(pk__in=taken[first : first + CHUNK]).update(password="")


def forget_old() -> None:
    """Erase passwords nobody took for a week, and end what nobody started, or let go on, by then.

    Batches themselves go with the jobs of their age.
    """
    old = timezone.now() - KEPT
    very_old = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
    MailboxBatch.objects.filter(ended_at__lt=very_old).delete()
    for batch in MailboxBatch.objects.stopped().filter(started_at__lt=old):
        cancel(batch=batch)
    for batch in MailboxBatch.objects.filter(state=BatchState.PREVIEW, created_at__lt=old):
        discard(batch=batch)
    MailboxBatchRow.objects.filter(batch__ended_at__lt=old).exclude(password="").update(password="")


def _new(kind: BatchKind, *, name: str = "") -> MailboxBatch:
    return MailboxBatch(kind=kind, state=BatchState.PREVIEW, name=name[:200], **_answerable())


def _answerable() -> dict[str, object]:
    actor = current_actor()
    return {
        "created_by_id": actor.user_id,
        "created_by_name": actor.name[:254],
        "acting_from": actor.address or None,
    }


def _save(batch: MailboxBatch, rows: Sequence[MailboxBatchRow]) -> None:
    facts = {"kind": batch.kind, "lines": len(rows)}
    with audited(Action.BATCH_PREPARED, target=batch, after=facts), transaction.atomic():
        _enter_queue_for(batch)
        batch.save(force_insert=True)
        MailboxBatchRow.objects.bulk_create(rows, batch_size=CHUNK)


def _enter_queue_for(batch: MailboxBatch) -> None:
    """Whoever a freeze has just signed out lets no bulk deletion go on in their name."""
    if batch.kind == BatchKind.DELETE:
        enter_queue()


def _in_preview(batch: MailboxBatch) -> QuerySet[MailboxBatch]:
    return MailboxBatch.objects.filter(pk=batch.pk, state=BatchState.PREVIEW)
