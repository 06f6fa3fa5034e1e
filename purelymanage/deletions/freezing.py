"""Freeze a person: all they queued is cancelled, their sessions end; and take that back.

One of both at a time, under the lock of the queue, so that nothing slips in beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import sessions_of
from accounts.services.sessions import end_sessions
from audit.actions import Action
from audit.services import audited
from purelymanage.core.context import Actor, current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.entrance import enter_queue
from purelymanage.deletions.impact import SHOWN, Group
from purelymanage.deletions.models import (
    DELAY,
    DeletionKind,
    DeletionState,
    Freeze,
    PendingDeletion,
    PendingDeletionQuerySet,
)
from purelymanage.deletions.registry import deletable, stops
from purelymanage.jobs.clock import seconds_from_now


@dataclass(frozen=True)
class Prospect:
    """What a freeze would do now."""

    person: User
    deletions: Group
    due_at: datetime | None
    """When the first of them would happen."""
    too_late: Group
    stopped: Group
    sessions: int
    last: Freeze | None
    """The freeze of this person before this one."""

    @property
    def groups(self) -> list[Group]:
        """Those with something in them."""
        every = (self.deletions, self.stopped, self.too_late)
        return [group for group in every if group.total]

    @property
    def after(self) -> str:
        """What the answer to the question says it knew of: see `freeze_person`."""
        return str(self.last.pk if self.last else 0)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to freeze."""
        return not (self.groups or self.sessions)


def prospect(*, person: User) -> Prospect:
    """What a freeze of this person would cancel, end and stop."""
    _refuse_oneself(person)
    kept = _queued_by(person).unclaimed()
    first = kept.first()
    return Prospect(
        person=person,
        deletions=_group(_("Deletions that are cancelled:"), kept, icon="trash"),
        due_at=first.due_at if first else None,
        too_late=_group(_("Being deleted at this moment, too late:"), _late(person), icon="loader"),
        stopped=Group.of(_("What stops as well:"), _named_stops(person), icon="list-checks"),
        sessions=sessions_of(person),
        last=_last_freeze(person),
    )


def freeze_person(*, person: User, after: str = "") -> Freeze:
    """Cancel every deletion this person queued, stop what queues more, end their sessions.

    `after`: the primary key of the freeze that was the last one when the owner was asked, "0" for
    none; where another has come in between, the answer is stale and refused. Empty: not asked.
    """
    with audited(Action.PERSON_FROZEN, target=person.email) as change:
        _refuse_oneself(person)
        with transaction.atomic():
            enter_queue()
            _refuse_repeated(person, after)
            freeze = _freeze(person, current_actor())
        change.after = {
            "deletions": freeze.cancelled,
            "sessions": freeze.sessions,
            "stopped": freeze.stopped,
            "too_late": freeze.too_late,
        }
    return freeze


def undo_freeze(*, freeze: Freeze) -> int:
    """Have what the freeze cancelled wait again, 24 hours from now; how many deletions that is.

    Left out is what is gone, or another one by now, or pending again already. Sessions stay ended.
    """
    target = freeze.person.email if freeze.person else freeze.person_name
    with audited(Action.PERSON_UNFROZEN, target=target) as change:
        gone = [row.pk for row in cancelled_by(freeze) if not _is_still_there(row)]
        with transaction.atomic():
            enter_queue()
            _take_undo(freeze)
            restored = _restore(cancelled_by(freeze).exclude(pk__in=gone))
            PendingDeletion.objects.pending().filter(freeze=freeze).update(freeze=None)
            left_out = _tell_left_out(freeze, gone)
        change.after = {"deletions": restored, "left_out": left_out}
    return restored


def _queued_by(person: User) -> PendingDeletionQuerySet:
    return PendingDeletion.objects.pending().filter(requested_by=person).defer("dossier")


def _late(person: User) -> PendingDeletionQuerySet:
    """What a worker holds at this moment, and no freeze keeps from being tried again."""
    return _queued_by(person).filter(lease_until__gt=seconds_from_now(0), freeze=None)


def _group(heading: str, rows: PendingDeletionQuerySet, *, icon: str) -> Group:
    labels = list(rows.values_list("label", flat=True)[:SHOWN])
    return Group.of(heading, labels, total=rows.count(), icon=icon)


def _named_stops(person: User) -> list[str]:
    return [name for stop in stops() for name in stop.names(person.pk)]


def _last_freeze(person: User) -> Freeze | None:
    return Freeze.objects.filter(person=person).first()


def _refuse_oneself(person: User) -> None:
    if current_actor().user_id == person.pk:
        raise RefusedError(
            _(
                "You cannot freeze yourself. Cancel your own deletions in their list; a new "
                "password ends your other sessions."
            )
        )


def _refuse_repeated(person: User, after: str) -> None:
    last = _last_freeze(person)
    if last and after and after != str(last.pk):
        words = {"name": person.name, "who": last.frozen_by_name}
        raise RefusedError(
            _("%(who)s has frozen %(name)s already. Nothing more was changed.") % words
        )
    if prospect(person=person).is_empty:
        raise RefusedError(
            _(
                "%(name)s has no deletion that could still be cancelled, and is not signed in. "
                "Nothing was changed."
            )
            % {"name": person.name}
        )


def _freeze(person: User, actor: Actor) -> Freeze:
    stopped = _named_stops(person)
    for stop in stops():
        stop.stop(person.pk)
    freeze = Freeze.objects.create(
        person=person,
        person_name=person.name,
        frozen_by_name=actor.name,
        stopped=stopped,
        sessions=end_sessions(person=person),
    )
    queued = _queued_by(person)
    queued.update(freeze=freeze)  # also what a worker holds: it is not tried again
    freeze.cancelled = queued.unclaimed().update(
        state=DeletionState.CANCELLED,
        ended_at=freeze.frozen_at,
        ended_by_name=actor.name,
        note=freeze.note,
        token=None,
        lease_until=None,
    )
    freeze.too_late = list(queued.values_list("label", flat=True))
    freeze.save(update_fields=["cancelled", "too_late"])
    return freeze


def cancelled_by(freeze: Freeze) -> PendingDeletionQuerySet:
    """What it cancelled, and no undo has brought back."""
    rows: PendingDeletionQuerySet = PendingDeletion.objects.filter(
        freeze=freeze, state=DeletionState.CANCELLED
    )
    return rows.defer("dossier")


def _is_still_there(deletion: PendingDeletion) -> bool:
    """Whether the copy has it, and it is the one that was meant."""
    identity = deletable(DeletionKind(deletion.kind)).identity(deletion.key)
    return bool(identity) and deletion.identity in ("", identity)


def _take_undo(freeze: Freeze) -> None:
    """Of two who undo it, one does."""
    not_undone = Freeze.objects.filter(pk=freeze.pk, undone_at=None)
    if not not_undone.update(undone_at=timezone.now(), undone_by_name=current_actor().name):
        freeze.refresh_from_db(fields=["undone_by_name"])
        words = {"name": freeze.person_name, "who": freeze.undone_by_name}
        raise RefusedError(
            _("%(who)s has undone the freeze of %(name)s already. Nothing was changed.") % words
        )


def _restore(cancelled: PendingDeletionQuerySet) -> int:
    """As they were when they were scheduled, but for what PurelyMail was told since.

    Left out are those that are pending again by now.
    """
    others = PendingDeletion.objects.pending().filter(kind=OuterRef("kind"), key=OuterRef("key"))
    as_new: dict[str, Any] = {
        "state": DeletionState.PENDING,
        "due_at": timezone.now() + DELAY,
        "token": None,
        "lease_until": None,
        "tries": 0,
        "first_tried_at": None,
        "try_after": None,
        "problem": "",
        "ended_at": None,
        "ended_by_name": "",
        "note": "",
        "freeze": None,
    }
    return cancelled.filter(~Exists(others)).update(**as_new)


def _tell_left_out(freeze: Freeze, gone: list[int]) -> int:
    """Note why they stay cancelled; how many they are."""
    left = cancelled_by(freeze)
    count = left.filter(pk__in=gone).update(
        note=_("The freeze was undone; this was not there any more.")
    )
    return count + left.exclude(pk__in=gone).update(
        note=_("The freeze was undone; another deletion of it was pending.")
    )
