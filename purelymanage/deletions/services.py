"""Schedule a deletion, or take it back. Executing them is the workers' business."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import Happened, audited, record_all
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.alarm import raise_alarm, record_alarm
from purelymanage.deletions.entrance import enter_queue
from purelymanage.deletions.models import (
    DELAY,
    DeletionKind,
    DeletionState,
    PendingDeletion,
    PendingDeletionQuerySet,
)
from purelymanage.deletions.registry import deletable
from purelymanage.jobs.queue import enqueue
from purelymanage.ui.tags.words import clock_time


def schedule_deletion(*, kind: DeletionKind, key: str) -> PendingDeletion:
    """Have a resource deleted in exactly 24 hours; nothing happens to it until then.

    The dossier is taken here: at once from the local copy, and by a worker from PurelyMail.
    """
    resource = deletable(kind)
    label = resource.label(key)
    actor = current_actor()
    now = timezone.now()
    with audited(Action.DELETION_SCHEDULED, target=label, after={"due_at": now + DELAY}):
        deletion = PendingDeletion(
            kind=kind,
            key=key,
            label=label,
            identity=resource.identity(key),
            dossier=resource.facts(key),
            requested_by_id=actor.user_id,
            requested_by_name=actor.name,
            requested_at=now,
            due_at=now + DELAY,
            dossier_read_at=None if resource.facts_there else now,
        )
        try:
            with transaction.atomic():
                enter_queue()
                deletion.save(force_insert=True)
                alarm = raise_alarm(person_id=actor.user_id)
        except IntegrityError:
            raise RefusedError(
                _("The deletion of %(label)s is pending already. Nothing was changed.")
                % {"label": label}
            ) from None
    if alarm:
        record_alarm(alarm)
    _have_dossier_completed(deletion)
    return deletion


def _have_dossier_completed(deletion: PendingDeletion) -> None:
    """Unless another is waiting: whoever completes that one takes this along."""
    waiting = PendingDeletion.objects.without_dossier().filter(dossier_try_after=None)
    if deletion.dossier_read_at is None and not waiting.exclude(pk=deletion.pk).exists():
        enqueue("purelymanage.deletions.tasks.complete_dossiers")


def cancel_deletion(*, deletion: PendingDeletion) -> None:
    """Keep the resource. Any admin may, but while a worker is at it.

    Where `called_at` is set, PurelyMail was told to delete it: it may be gone nevertheless.
    """
    with audited(Action.DELETION_CANCELLED, target=deletion.label):
        waiting = PendingDeletion.objects.pending().unclaimed().filter(pk=deletion.pk)
        is_cancelled = _cancel(waiting)
        deletion.refresh_from_db()
        if not is_cancelled:
            raise RefusedError(_why_not_cancelled(deletion))


def cancel_deletions(
    *, deletions: Iterable[PendingDeletion]
) -> tuple[list[PendingDeletion], list[str]]:
    """Cancel those that no worker holds, with an entry each, however many they are.

    Gives those that were cancelled, and a sentence for each that was not.
    """
    chosen = PendingDeletion.objects.filter(pk__in=[deletion.pk for deletion in deletions])
    chosen = chosen.defer("dossier")
    with transaction.atomic():
        cancelled = list(chosen.pending().unclaimed().select_for_update())
        pks = [deletion.pk for deletion in cancelled]
        _cancel(PendingDeletion.objects.filter(pk__in=pks))
        record_all(Happened(Action.DELETION_CANCELLED, row.label) for row in cancelled)
    return cancelled, [_why_not_cancelled(deletion) for deletion in chosen.exclude(pk__in=pks)]


def _cancel(deletions: PendingDeletionQuerySet) -> int:
    return deletions.update(
        state=DeletionState.CANCELLED,
        ended_at=timezone.now(),
        ended_by_name=current_actor().name,
        token=None,
        lease_until=None,
    )


def _why_not_cancelled(deletion: PendingDeletion) -> str:
    words = {"label": deletion.label, "who": deletion.ended_by_name}
    if deletion.is_pending and deletion.lease_until:
        return _(
            "%(label)s is being deleted just now, which cannot be stopped. Look again in a minute: "
            "it may not have worked. If its worker has died, it can be cancelled from %(time)s on."
        ) % (words | {"time": clock_time(deletion.lease_until)})
    if deletion.is_pending:
        return _("A try to delete %(label)s ended only now. Cancel it again.") % words
    if deletion.state == DeletionState.CANCELLED:
        return _("%(who)s has kept %(label)s already: its deletion is cancelled.") % words
    if deletion.state == DeletionState.EXECUTED:
        return _("%(label)s is deleted already, so there is nothing to cancel.") % words
    return _("The deletion of %(label)s is not pending any more. Nothing was changed.") % words
