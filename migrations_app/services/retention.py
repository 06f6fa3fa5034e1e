"""How long passwords, logs and jobs are kept that nothing needs any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.services import Happened, record_all
from migrations_app.models import Batch, BatchState, BulkWork, CutOver, LogChunk, MigrationJob
from migrations_app.queueing import manners
from migrations_app.selectors.jobs import HAS_PASSWORDS, IDLE
from migrations_app.services.jobs import facts_of, queue_lock
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.jobs.locks import only_one, prolong

CREDENTIALS_KEPT = timedelta(days=7)
"""After the last real run that ended well, and after the job was last queued."""
FORGOTTEN_AFTER = timedelta(days=90)
"""After the last run of any other: nobody came back to it."""
LOCK, LOCK_SECONDS = "migrations.retention", 300.0
SLICE = 500
NO_PASSWORDS = {"source_password": "", "destination_password": ""}


@dataclass(frozen=True)
class Purged:
    """How many rows of each kind are gone."""

    passwords: int
    """Jobs whose passwords were erased."""
    log_pieces: int
    jobs: int
    batches: int


def purge_expired() -> Purged | None:
    """Erase what is older than it may be, in small transactions. None: another worker does it."""
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        if not alone:
            return None
        manners.forget_old_use()
        with acting_as(SYSTEM):
            return Purged(
                passwords=erase_passwords(_with_old_passwords()),
                log_pieces=_delete_logs(),
                jobs=_delete_jobs(),
                batches=_delete_batches(),
            )


def erase_passwords(jobs: QuerySet[MigrationJob]) -> int:
    """Erase those of the idle ones among `jobs`, each on record; how many there were."""
    return _in_slices(partial(_erase_some, jobs.filter(IDLE, HAS_PASSWORDS)))


def _erase_some(jobs: QuerySet[MigrationJob]) -> int:
    with queue_lock():
        some = list(jobs.only("name", "run")[:SLICE])
        rows = MigrationJob.objects.filter(pk__in=[job.pk for job in some])
        rows.update(**NO_PASSWORDS, version=F("version") + 1)
        record_all(Happened(Action.CREDENTIALS_ERASED, job) for job in some)
    return len(some)


def _with_old_passwords() -> QuerySet[MigrationJob]:
    """Of real runs that ended well, of the dry runs before them, and of what nobody ran since."""
    old, forgotten = timezone.now() - CREDENTIALS_KEPT, timezone.now() - FORGOTTEN_AFTER
    ended_well = Q(succeeded_at__lt=old) | Q(superseded_by__succeeded_at__lt=old)
    is_over = (ended_well & Q(queued_at__lt=old)) | _last_run_before(forgotten)
    return _not_needed().filter(is_over)


def _last_run_before(moment: datetime) -> Q:
    return Q(queued_at__lt=moment) & (Q(ended_at=None) | Q(ended_at__lt=moment))


def _not_needed() -> QuerySet[MigrationJob]:
    """Idle jobs that will not run by themselves."""
    cut_overs = CutOver.objects.filter(ended_at=None, stopped_at=None)
    busy = {pk for pair in cut_overs.values_list("batch", "catch_up") for pk in pair if pk}
    idle = MigrationJob.objects.filter(IDLE, repeat_at=None)
    return idle.exclude(batch__in=busy)


def _delete_logs() -> int:
    """Of jobs that do not run just now."""
    if not settings.LOG_RETENTION_DAYS:
        return 0
    old = timezone.now() - timedelta(days=settings.LOG_RETENTION_DAYS)
    chunks = LogChunk.objects.filter(at__lt=old, job__in=MigrationJob.objects.filter(IDLE))
    return _in_slices(partial(_delete_some, chunks))


def _delete_some(chunks: QuerySet[LogChunk]) -> int:
    pks = list(chunks.order_by("pk").values_list("pk", flat=True)[:SLICE])
    LogChunk.objects.filter(pk__in=pks).delete()
    return len(pks)


def _delete_jobs() -> int:
    """Those of a batch once all of them may go: until then its report names every mailbox."""
    if not settings.JOB_RETENTION_DAYS:
        return 0
    old = _not_needed().filter(_last_run_before(_jobs_since()))
    others = MigrationJob.objects.exclude(batch=None).exclude(pk__in=old.values("pk"))
    with_others = list(others.values_list("batch", flat=True).distinct())
    return _in_slices(partial(_delete_some_jobs, old.exclude(batch__in=with_others)))


def _delete_some_jobs(jobs: QuerySet[MigrationJob]) -> int:
    with queue_lock():
        some = list(jobs.order_by("pk")[:SLICE])
        happened = [Happened(Action.JOB_DELETED, job, before=facts_of(job)) for job in some]
        MigrationJob.objects.filter(pk__in=[job.pk for job in some]).delete()
        record_all(happened)
    return len(some)


def _delete_batches() -> int:
    """Those that are empty by now, and the records of actions on many jobs."""
    if not settings.JOB_RETENTION_DAYS:
        return 0
    BulkWork.objects.filter(ended_at__lt=_jobs_since()).delete()
    over = Batch.objects.filter(state__in=[BatchState.ACTIVE, BatchState.DISCARDED])
    return _in_slices(partial(_delete_some_batches, over.filter(created_at__lt=_jobs_since())))


def _delete_some_batches(batches: QuerySet[Batch]) -> int:
    with transaction.atomic():
        some = list(batches.filter(jobs=None).order_by("pk")[:SLICE])
        Batch.objects.filter(pk__in=[batch.pk for batch in some]).delete()
        record_all(Happened(Action.MIGRATIONS_DELETED, batch) for batch in some)
    return len(some)


def _jobs_since() -> datetime:
    return timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)


def _in_slices(step: Callable[[], int]) -> int:
    """Do it until nothing is left; how many there were."""
    total = 0
    while done := step():
        total += done
        prolong(LOCK, seconds=LOCK_SECONDS)
    return total
