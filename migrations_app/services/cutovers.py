"""The day a domain's mail moves, step by step. A worker takes each step when the one before it is
over; a person may take it earlier.

A step and what it sets off are one transaction, and what a step leaves to workers is found again
by looking at the jobs: a killed worker loses nothing, and looking twice does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Action
from audit.services import Happened, audited, record_all
from domains.models import Domain
from migrations_app.engines.plan import Options
from migrations_app.models import Batch, BatchState, CutOver, CutOverStep, MigrationJob
from migrations_app.queueing import queue
from migrations_app.selectors import cutovers as selectors
from migrations_app.selectors.repeats import LEFT_OUT, UNDER_WAY, jobs_of
from migrations_app.services import repeats, retention
from migrations_app.services.jobs import MAX_NAME, copy_of, facts_of, queue_lock
from purelymanage.core.addresses import shown_domain
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.core.errors import RefusedError
from purelymanage.jobs.locks import only_one, prolong
from purelymanage.jobs.queue import enqueue
from purelymanage.ui.tags.words import grouped

logger = logging.getLogger(__name__)

ADVANCE = "migrations_app.tasks.advance_cut_overs"
LOCK, LOCK_SECONDS = "migrations.cut_overs", 300.0
SLICE = 500
INBOX = "INBOX"


def begin_cut_over(*, batch: Batch, every_hours: int) -> CutOver:
    """Take the mail of a batch's domain through its move. Its jobs go to one domain of ours."""
    cut_over = CutOver(
        domain=_domain_of(batch),
        batch=batch,
        every_hours=every_hours,
        step_times={CutOverStep.COPY: timezone.now().isoformat()},
    )
    facts = {"batch": str(batch), "every_hours": every_hours}
    with audited(Action.CUT_OVER_BEGUN, target=cut_over.domain, after=facts), queue_lock():
        _refuse_erased(batch)
        if not selectors.batches_to_cut_over().filter(pk=batch.pk).exists():
            raise RefusedError(
                _("“%(batch)s” has a cut-over already, or its jobs are not made yet.")
                % {"batch": batch},
                field="batch",
            )
        cut_over.save(force_insert=True)
        enqueue(ADVANCE)
    return cut_over


def advance_by_hand(*, cut_over: CutOver, step: str) -> None:
    """Begin the step after `step` now; refused where it is not at that step any more."""
    if step != cut_over.step or not cut_over.is_open:
        raise RefusedError(_moved_on(cut_over))
    if not jobs_of(cut_over.batch).filter(dry_run=False).exists():
        raise RefusedError(
            _("“%(batch)s” has dry runs only. Run them for real first.") % {"batch": cut_over.batch}
        )
    if step == CutOverStep.PURGE:
        _erase_all(cut_over)
    _advance(cut_over, _next(cut_over))


def _erase_all(cut_over: CutOver) -> None:
    """Before it is over: where this breaks off, a worker goes on."""
    jobs = selectors.jobs_of_cut_over(cut_over)
    if jobs.filter(UNDER_WAY).exists():
        raise RefusedError(
            _("Jobs of this cut-over still wait or run. Cancel them, or wait for their end.")
        )
    retention.erase_passwords(jobs)


def stop_cut_over(*, cut_over: CutOver) -> None:
    """Let no further step begin, and its jobs repeat no more; what runs goes on to its end."""
    with audited(Action.CUT_OVER_STOPPED, target=cut_over.domain), queue_lock():
        unfinished = CutOver.objects.filter(pk=cut_over.pk, stopped_at=None, ended_at=None)
        if not unfinished.update(stopped_at=timezone.now()):
            raise RefusedError(_moved_on(cut_over))
        repeats.repeat(jobs_of(cut_over.batch), None)


def resume_cut_over(*, cut_over: CutOver) -> None:
    """Let a stopped one go on with the step it was at; what stopping ended begins again."""
    with audited(Action.CUT_OVER_RESUMED, target=cut_over.domain), queue_lock():
        stopped = CutOver.objects.filter(pk=cut_over.pk, stopped_at__isnull=False, ended_at=None)
        if not stopped.update(stopped_at=None):
            raise RefusedError(_moved_on(cut_over))
        if cut_over.step != CutOverStep.PURGE:
            _refuse_erased(cut_over.batch)
        if cut_over.step == CutOverStep.DELTA:
            _repeat(cut_over)
        elif cut_over.step == CutOverStep.FINAL:
            repeats.sync_finally(jobs_of(cut_over.batch))
        enqueue(ADVANCE)


def advance_all() -> None:
    """Do what each open cut-over is at, and take the next step where that is over."""
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone, acting_as(SYSTEM):
        for cut_over in selectors.open_cut_overs() if alone else ():
            try:
                _work_on(cut_over)
            except Exception:  # one that breaks keeps no other from going on
                logger.exception("Cut-over %s", cut_over.pk)
            prolong(LOCK, seconds=LOCK_SECONDS)


def _work_on(cut_over: CutOver) -> None:
    if not _as_read(cut_over).exists():
        return
    if _finished_too_early(cut_over):
        _advance(cut_over, CutOverStep.FINAL)
        return
    if cut_over.step == CutOverStep.CATCH_UP:
        _make_catch_up(cut_over)
    elif cut_over.step == CutOverStep.PURGE:
        retention.erase_passwords(selectors.to_erase(cut_over))
    if not selectors.waits_for(cut_over):
        _advance(cut_over, _next(cut_over))


def _finished_too_early(cut_over: CutOver) -> bool:
    """Its final sync was begun by hand, and MX has moved only since: what came in between counts
    as well, and so do the 24 hours.
    """
    is_final = cut_over.step == CutOverStep.FINAL and cut_over.mx_seen_at is None
    return is_final and not selectors.mx_problem(cut_over.domain)


def _next(cut_over: CutOver) -> CutOverStep:
    return selectors.NEXT[CutOverStep(cut_over.step)]


def _advance(cut_over: CutOver, step: CutOverStep) -> None:
    """From the step it was read with to this one, unless somebody else was faster."""
    now, here = timezone.now(), _as_read(cut_over)
    before, after = {"step": cut_over.step}, {"step": step}
    with (
        audited(Action.CUT_OVER_ADVANCED, target=cut_over.domain, before=before, after=after),
        queue_lock(),
    ):
        times = {**cut_over.step_times, step: now.isoformat()}
        if not here.update(step=step, step_since=now, step_times=times):
            raise RefusedError(_moved_on(cut_over))
        cut_over.refresh_from_db()
        if begin := _BEGINNINGS.get(step):
            begin(cut_over)
        enqueue(ADVANCE)


def _as_read(cut_over: CutOver) -> QuerySet[CutOver]:
    """Its row, if it is still open and where it was when it was read."""
    return CutOver.objects.filter(
        pk=cut_over.pk,
        step=cut_over.step,
        mx_seen_at=cut_over.mx_seen_at,
        stopped_at=None,
        ended_at=None,
    )


def _repeat(cut_over: CutOver) -> None:
    repeats.repeat(jobs_of(cut_over.batch), cut_over.every_hours)


def _sync_finally(cut_over: CutOver) -> None:
    if not selectors.mx_problem(cut_over.domain):
        CutOver.objects.filter(pk=cut_over.pk).update(mx_seen_at=cut_over.step_since)
    repeats.sync_finally(jobs_of(cut_over.batch))


def _make_batch(cut_over: CutOver) -> None:
    """Jobs of their own, so that what the others copied stays on their pages."""
    batch = cut_over.batch
    words = _("%(batch)s: old inboxes once more") % {"batch": batch.name[: MAX_NAME - 30]}
    cut_over.catch_up = Batch.objects.create(
        name=words[:MAX_NAME],
        state=BatchState.ACTIVE,
        created_by_id=batch.created_by_id,
        created_by_name=batch.created_by_name,
        source_server_id=batch.source_server_id,
        destination_server_id=batch.destination_server_id,
        dry_run=False,
        engine_wanted=batch.engine_wanted,
        uses_app_password=batch.uses_app_password,
    )
    cut_over.save(update_fields=["catch_up"])


def _end(cut_over: CutOver) -> None:
    CutOver.objects.filter(pk=cut_over.pk).update(ended_at=cut_over.step_since)


_BEGINNINGS: dict[CutOverStep, Callable[[CutOver], None]] = {
    CutOverStep.DELTA: _repeat,
    CutOverStep.FINAL: _sync_finally,
    CutOverStep.CATCH_UP: _make_batch,
    CutOverStep.DONE: _end,
}


def _make_catch_up(cut_over: CutOver) -> None:
    """Make the jobs that are missing yet, slice by slice."""
    reached = 0
    while reached := _make_some(cut_over, after=reached):
        prolong(LOCK, seconds=LOCK_SECONDS)


def _make_some(cut_over: CutOver, *, after: int) -> int:
    """A slice of them, and how far it reached: 0 where nothing is missing.

    What is missing is asked under the lock, so that no two workers make the same.
    """
    with queue_lock():
        missing = selectors.to_catch_up(cut_over).filter(pk__gt=after)
        jobs = list(missing[:SLICE]) if _as_read(cut_over).exists() else []
        made = [_catching_up(cut_over, job) for job in jobs]
        queue.submit_new(made)
        record_all(Happened(Action.JOB_CREATED, job, after=facts_of(job)) for job in made)
    return jobs[-1].pk if jobs else 0


def _catching_up(cut_over: CutOver, job: MigrationJob) -> MigrationJob:
    """What came into the old inbox since the final sync; all of it where that did not end well."""
    try:
        catching_up = copy_of(job)
    except RefusedError:
        catching_up = copy_of(job, with_passwords=False)  # its run says what to do
    catching_up.batch = cut_over.catch_up
    if selectors.is_synced(cut_over, job):
        options = Options.from_json(job.options)
        days = selectors.days_to_catch_up(cut_over)
        wanted = replace(options, include=(INBOX,), exclude=(), max_age_days=days)
        catching_up.options = wanted.as_json()
    return catching_up


def _domain_of(batch: Batch) -> str:
    """The one domain of ours that all its mail goes to."""
    found = selectors.domains_of(batch)
    if len(found) > 1:
        raise RefusedError(
            ngettext(
                "“%(batch)s” goes to %(count)d domain. A cut-over moves one domain: make a batch "
                "for each.",
                "“%(batch)s” goes to %(count)d domains. A cut-over moves one domain: make a batch "
                "for each.",
                len(found),
            )
            % {"batch": batch, "count": len(found)},
            field="batch",
        )
    domain = next(iter(found), "")
    if not Domain.objects.ours().filter(name=domain).exists():
        raise RefusedError(
            _("%(domain)s is no domain of yours, so nobody looks whether its MX moves.")
            % {"domain": shown_domain(domain) or batch},
            field="batch",
        )
    return domain


def _refuse_erased(batch: Batch) -> None:
    """A mailbox without passwords would be passed over by every step, and counted as moved."""
    if count := jobs_of(batch).filter(LEFT_OUT).count():
        words = ngettext(
            "The passwords of %(count)s mailbox of “%(batch)s” were erased, so it cannot be copied "
            "again. Type them with “Edit and re-run”, or delete its job.",
            "The passwords of %(count)s mailboxes of “%(batch)s” were erased, so they cannot be "
            "copied again. Type them with “Edit and re-run”, or delete their jobs.",
            count,
        )
        raise RefusedError(words % {"count": grouped(count), "batch": batch}, field="batch")


def _moved_on(cut_over: CutOver) -> str:
    return _("The cut-over of %(domain)s has moved on meanwhile. Look at it again.") % {
        "domain": shown_domain(cut_over.domain)
    }
