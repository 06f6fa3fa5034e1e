"""The life of a migration job: the only place where its state changes.

The row is the truth. A message in the queue only says that there may be something to claim, so a
lost, doubled or late one does no harm. Whoever runs a job holds it by a token and a lease; every
word about the run carries the token and is void without it. Leases are on the database's clock.

`submit` and `cancel` are for services, which put them on record with `audited`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import record
from migrations_app.engines.base import Verdict
from migrations_app.models import (
    ENDED_WELL,
    HELD_BACK,
    MAX_REQUEUES,
    WAITING,
    FolderResult,
    Loss,
    MigrationJob,
    State,
)
from migrations_app.queueing import aftercare, dispatch
from migrations_app.running import credentials, logs
from purelymanage.core.context import SYSTEM, acting_as, current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.core.locks import lock_transaction
from purelymanage.jobs.clock import seconds_from_now

LEASE_SECONDS = 30.0
BEAT_SECONDS = 10.0

NO_PROGRESS: dict[str, Any] = {
    "phase": "",
    "folder": "",
    "folders_done": 0,
    "folders_total": None,
    "messages_done": 0,
    "messages_total": None,
    "messages_copied": 0,
    "messages_present": 0,
    "messages_skipped": 0,
    "messages_failed": 0,
    "bytes_done": 0,
    "bytes_total": None,
}
NO_FAILURES: dict[str, Any] = {"requeues": 0, "retries": 0}
NO_RUN: dict[str, Any] = {"token": None, "lease_until": None}
NO_REPEAT: dict[str, Any] = {"repeat_hours": None, "repeat_at": None}
NO_ENDING: dict[str, Any] = {"ended_at": None, "exit_status": None, "cause": "", "verdict": ""}


def submit(job: MigrationJob) -> None:
    """Put a job at the end of the queue, for the first time or once more."""
    credentials.refuse_erased(job)
    queued = MigrationJob.objects.filter(pk=job.pk).exclude(state=State.RUNNING)
    if not queued.update(
        state=State.QUEUED,
        queued_at=Now(),
        tries=0,
        try_after=None,
        stop_requested=False,
        stopped_by="",
        started_at=None,
        started_by=current_actor().user_id or job.started_by_id,
        repeat_at=_next_turn(job),
        version=F("version") + 1,
        **NO_FAILURES,
        **NO_RUN,
        **NO_ENDING,
        **NO_PROGRESS,
    ):
        raise RefusedError(_("“%(job)s” is running already. Cancel it first.") % {"job": job})
    job.refresh_from_db()
    transaction.on_commit(dispatch.kick)


def submit_new(jobs: list[MigrationJob]) -> None:
    """Store new jobs at the end of the queue, in this order."""
    MigrationJob.objects.bulk_create(jobs)
    transaction.on_commit(dispatch.kick)


def cancel(job: MigrationJob, *, by: str) -> None:
    """Stop a job: at once if it waits, within seconds if it runs. It does not repeat any more."""
    words = {"stopped_by": by[:254], "version": F("version") + 1, **NO_REPEAT}
    with transaction.atomic():
        lock_transaction("migrations.claim")
        row = MigrationJob.objects.filter(pk=job.pk)
        if not (
            row.filter(WAITING).update(
                state=State.CANCELLED,
                ended_at=Now(),
                verdict=_("Cancelled by %(person)s while it was waiting.") % {"person": by},
                **words,
            )
            or row.filter(state=State.RUNNING).update(stop_requested=True, **words)
        ):
            raise RefusedError(_("“%(job)s” has ended already.") % {"job": job})
    job.refresh_from_db()


def hurry(job: MigrationJob) -> None:
    """Let a job that waits for its start or its next try start as soon as there is a place."""
    with transaction.atomic():
        lock_transaction("migrations.claim")
        if not MigrationJob.objects.filter(HELD_BACK, pk=job.pk).update(
            start_at=None, try_after=None, version=F("version") + 1, **NO_ENDING
        ):
            raise RefusedError(_("“%(job)s” does not wait for a time.") % {"job": job})
        transaction.on_commit(dispatch.kick)
    job.refresh_from_db()


def claim(owner: str) -> MigrationJob | None:
    """Take the next job for the worker host `owner`, or None if there is nothing to take.

    The cap counts over all hosts: one lock makes count and claim one step.
    """
    with transaction.atomic():
        lock_transaction("migrations.claim")
        job = dispatch.next_for(owner)
        if job is None:
            return None
        if job.run:
            job.folder_results.all().delete()
            job.losses.all().delete()
        known = {
            "state": State.RUNNING,
            "token": uuid.uuid4(),
            "owner": owner,
            "run": job.run + 1,
            "tries": job.tries + 1,
            "try_after": None,
            "engine": "",
            "bandwidth": job.bandwidth,
            "version": job.version + 1,
            **NO_ENDING,
            **NO_PROGRESS,
        }
        MigrationJob.objects.filter(pk=job.pk).update(
            lease_until=seconds_from_now(LEASE_SECONDS),
            repeat_at=_next_turn(job),
            started_at=Now(),
            **known,
        )
        for name, value in known.items():
            setattr(job, name, value)
        return job


def _next_turn(job: MigrationJob) -> Combinable | None:
    """When it runs once more, counted anew from its start, however long it waited for that."""
    if job.dry_run or not job.repeat_hours:
        return None
    return seconds_from_now(3600 * job.repeat_hours)


def beat(job: MigrationJob, **facts: Any) -> bool:
    """Renew the lease, and store `facts`. False means that the run is not ours any more."""
    return bool(_mine(job).update(lease_until=seconds_from_now(LEASE_SECONDS), **facts))


def report(
    job: MigrationJob, folders: list[FolderResult], losses: Iterable[Loss] = (), **progress: Any
) -> bool:
    """Store where the run stands and renew the lease. False: the run is not ours any more.

    `losses` come once, with the run's end.
    """
    lease = seconds_from_now(LEASE_SECONDS)
    if not _mine(job).update(version=F("version") + 1, lease_until=lease, **progress):
        return False
    FolderResult.objects.bulk_create(
        folders,
        update_conflicts=True,
        unique_fields=["job", "position"],
        update_fields=[
            field.name
            for field in FolderResult._meta.concrete_fields
            if field.name not in ("id", "job", "position")
        ],
    )
    Loss.objects.bulk_create(losses)
    return True


def finish(job: MigrationJob, verdict: Verdict, *, status: int | None = None) -> bool:
    """End our run with its verdict; where its cause passes by itself, it is tried again later.

    False means that it was not ours any more.
    """
    facts = {"cause": verdict.cause or "", "exit_status": status}
    minutes = aftercare.minutes_to_next_try(job, verdict)
    with transaction.atomic(savepoint=False):
        if minutes is None:
            ended = _end(job, verdict, **facts)
        else:
            ended = _try_later(job, verdict, minutes, **facts)
        if ended and verdict.cause:
            aftercare.close_host(job, verdict.cause)
    return ended


def _end(job: MigrationJob, verdict: Verdict, **facts: Any) -> bool:
    if verdict.state in ENDED_WELL and not job.dry_run:
        facts["succeeded_at"] = Now()
    about_tries = " ".join(
        filter(None, [_about_tries(job, verdict), aftercare.words_after_last_try(job, verdict)])
    )
    ended = _mine(job).update(
        state=verdict.state,
        ended_at=Now(),
        verdict=f"{verdict.sentence} {about_tries}".rstrip(),
        version=F("version") + 1,
        **facts,
        **NO_RUN,
    )
    if ended and about_tries:
        logs.append(job, logs.line(about_tries))
    return bool(ended)


def _try_later(job: MigrationJob, verdict: Verdict, minutes: int, **facts: Any) -> bool:
    """Back into the queue, unless somebody cancelled it meanwhile.

    0 minutes are no failure: the run did what it could, so that failures are counted anew.
    """
    if minutes:
        facts |= {"try_after": seconds_from_now(60 * minutes), "retries": F("retries") + 1}
    else:
        facts |= NO_FAILURES
    waits = (
        _mine(job)
        .filter(stop_requested=False)
        .update(
            state=State.QUEUED,
            ended_at=Now(),
            verdict=verdict.sentence,
            version=F("version") + 1,
            **facts,
            **NO_RUN,
        )
    )
    if not waits:
        return _cancel_if_asked(_mine(job))
    if minutes:
        words = _("Tries again in %(count)d minutes, %(which)s.") % {
            "count": minutes,
            "which": aftercare.which_try(job.retries + 1),
        }
        logs.append(job, logs.line(words))
    return True


def _about_tries(job: MigrationJob, verdict: Verdict) -> str:
    """Whose numbers a verdict gives, where earlier tries copied messages too."""
    has_numbers = verdict.state in ENDED_WELL and not job.dry_run
    if job.tries < 2 or not has_numbers:
        return ""
    return _(
        "These are the numbers of the last of %(tries)d tries; "
        "what the earlier ones copied counts as already there."
    ) % {"tries": job.tries}


def cancelled(job: MigrationJob) -> bool:
    """End our run as cancelled, if somebody asked for that."""
    return _cancel_if_asked(_mine(job))


def release(job: MigrationJob, *, why: str = "") -> bool:
    """Give our run back: it was stopped in good order, so that failures are counted anew."""
    if cancelled(job):
        return True
    return bool(
        _mine(job).update(
            state=State.QUEUED,
            verdict=why or _("The worker was stopped. The job starts again by itself."),
            version=F("version") + 1,
            **NO_FAILURES,
            **NO_RUN,
        )
    )


def interrupt(job: MigrationJob, *, why: str, cause: str = "", status: int | None = None) -> bool:
    """End our run as interrupted by force; it is tried again unless that happened too often."""
    return _interrupt(_mine(job), job, why=why, cause=cause, exit_status=status)


def reap() -> None:
    """Interrupt the runs whose lease has run out: their worker is gone."""
    lapsed = MigrationJob.objects.filter(state=State.RUNNING, lease_until__lt=Now())
    for job in lapsed.only("token", "name", "requeues", "stopped_by", "stop_requested"):
        _interrupt(lapsed.filter(pk=job.pk, token=job.token), job, why=_("The worker stopped."))


def upkeep() -> None:
    """What every worker host does every few seconds."""
    reap()
    dispatch.kick()


def _mine(job: MigrationJob) -> QuerySet[MigrationJob]:
    return MigrationJob.objects.filter(pk=job.pk, token=job.token, state=State.RUNNING)


def _cancel_if_asked(row: QuerySet[MigrationJob]) -> bool:
    asked = row.filter(stop_requested=True)
    by = asked.values_list("stopped_by", flat=True).first()
    sentence = _("Cancelled by %(person)s. What was copied stays; a new run goes on from there.")
    return bool(
        asked.update(
            state=State.CANCELLED,
            ended_at=Now(),
            verdict=sentence % {"person": by},
            version=F("version") + 1,
            **NO_RUN,
        )
    )


def _interrupt(row: QuerySet[MigrationJob], job: MigrationJob, *, why: str, **facts: Any) -> bool:
    if _cancel_if_asked(row):
        return True
    tries = job.requeues + 1
    if tries <= MAX_REQUEUES:
        then = _("Requeued, try %(this)d of %(most)d.") % {
            "this": tries + 1,
            "most": MAX_REQUEUES + 1,
        }
    else:
        then = _("It happened too often. Look at the log, then run the job again.")
    with transaction.atomic():
        interrupted = row.update(
            state=State.INTERRUPTED,
            requeues=tries,
            ended_at=Now(),
            verdict=f"{why} {then}",
            version=F("version") + 1,
            **NO_RUN,
            **facts,
        )
        if not interrupted:
            return False
        logs.append(job, logs.line(f"{why} {then}", level="warning"))
        with acting_as(SYSTEM):
            record(Action.JOB_INTERRUPTED, target=job, after={"tries": tries})
    return True
