"""The worker's side of an action on many jobs: job by job, each once, going on where it stopped.

One worker at a time has one work in hand, for a slice, so that other tasks have their turn. The
job in hand is noted before it is done and counted after it: where a worker died in between, the
job is done if it still wants that, and counted as done if it does not.
"""

from __future__ import annotations

import time

from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.models import Batch, BulkWork, MigrationJob
from migrations_app.selectors import JobFilter, matching
from migrations_app.selectors.jobs import meant
from migrations_app.services.batch_control import remove_empty_batch
from migrations_app.services.bulk import WORK, act_on_job, in_turn
from purelymanage.core.context import Actor, acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role, has_role
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue

LOCK = "migrations.bulk"
LOCK_SECONDS = 120.0
SLICE_SECONDS = 20.0
JOBS_AT_ONCE = 100
REFUSALS_KEPT = 20


def work() -> None:
    """A slice of the work whose turn it is; nothing where another worker has one in hand."""
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        first = _unfinished().first() if alone else None
        if first is None:
            return
        _slice(first)
    if _unfinished().exists():
        enqueue(WORK)


def _unfinished() -> QuerySet[BulkWork]:
    """What cancels comes first, then in turn."""
    rank = Case(When(action="cancel", then=Value(0)), default=Value(1), output_field=IntegerField())
    works = BulkWork.objects.filter(ended_at=None).select_related("created_by", "batch")
    return works.order_by(rank, "pk")


def _ours(work: BulkWork) -> QuerySet[BulkWork]:
    """The row, unless somebody stopped the work."""
    return BulkWork.objects.filter(pk=work.pk, ended_at=None)


def _slice(work: BulkWork) -> None:
    actor = _actor(work)
    if actor is None:
        why = _("%(name)s may not change anything here any more.") % {"name": work.created_by_name}
        _ours(work).update(ended_at=timezone.now(), refusals=[*work.refusals, why])
        return
    with acting_as(actor):
        _settle_in_hand(work)
        give_back_at = time.monotonic() + SLICE_SECONDS
        while jobs := _next_jobs(work):
            for job in jobs:
                if time.monotonic() >= give_back_at or not _do(work, job):
                    return
        if work.action == "delete_batch" and work.batch:
            _delete_batch(work, work.batch)
    _ours(work).update(ended_at=timezone.now())


def _delete_batch(work: BulkWork, batch: Batch) -> None:
    """What was queued again meanwhile keeps its batch."""
    try:
        remove_empty_batch(batch=batch)
    except RefusedError as error:
        refusals = [*work.refusals, error.message]
        _ours(work).update(refusals=refusals)


def _actor(work: BulkWork) -> Actor | None:
    user = work.created_by
    if user is None or not has_role(user, Role.ADMIN):
        return None
    return person(user, address=work.acting_from or "", may_act=_ours(work).exists)


def _next_jobs(work: BulkWork) -> list[MigrationJob]:
    jobs = matching(JobFilter(**work.wanted), action=work.action, as_of=work.created_at)
    return list(in_turn(jobs.filter(pk__gt=work.reached_id, pk__lte=work.last_id))[:JOBS_AT_ONCE])


def _settle_in_hand(work: BulkWork) -> None:
    """The job that a worker died with."""
    if work.in_hand_id is None:
        return
    in_hand = MigrationJob.objects.filter(pk=work.in_hand_id)
    job = in_turn(meant(in_hand, work.action, work.created_at)).first()
    if job:
        _do(work, job)
    else:
        _count(work, work.in_hand_id)


def _do(work: BulkWork, job: MigrationJob) -> bool:
    """One job. False: somebody stopped the work."""
    pk = job.pk  # a deleted job has none
    if not _ours(work).update(in_hand_id=pk):
        return False
    _count(work, pk, refusal=act_on_job(action=work.action, job=job))
    return True


def _count(work: BulkWork, pk: int, *, refusal: str = "") -> None:
    changes: dict[str, object] = {"done": F("done") + 1}
    if refusal:
        work.refusals = [*work.refusals, refusal][:REFUSALS_KEPT]
        changes = {"refused": F("refused") + 1, "refusals": work.refusals}
    work.reached_id = pk
    BulkWork.objects.filter(pk=work.pk).update(reached_id=pk, in_hand_id=None, **changes)
