"""Checks: a look at both mailboxes of many jobs before anything is copied.

A check is a row of its own beside the job, whose state it never changes. Workers do the looking
(`checks.checkup`); to ask once more makes the row new.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Action
from audit.services import audited
from migrations_app.models import Batch, Check, CheckState, MigrationJob
from migrations_app.selectors.checks import NEVER_CHECKED
from purelymanage.core.errors import RefusedError
from purelymanage.core.planning import plan_anew
from purelymanage.jobs.queue import enqueue

WORK = "migrations_app.tasks.check_mailboxes"
ROWS_AT_ONCE = 1000
_NEW = (
    "state",
    "taken_until",
    "checked_at",
    "cause",
    "problem",
    "note",
    "folders",
    "messages",
    "bytes",
    "destination_messages",
    "seconds",
)


def check_batch(*, batch: Batch) -> int:
    """Have the jobs of a batch looked at that may still run; how many these are."""
    jobs = MigrationJob.objects.filter(batch=batch, superseded_by=None)
    return _start(jobs, target=batch)


def check_jobs(*, jobs: QuerySet[MigrationJob]) -> int:
    """Have these jobs looked at, as far as they may still run; how many these are."""
    count = checkable(jobs).count()
    words = ngettext("%(count)d job", "%(count)d jobs", count) % {"count": count}
    return _start(jobs, target=words)


def check_job(*, job: MigrationJob) -> None:
    """Have one job looked at."""
    _start(MigrationJob.objects.filter(pk=job.pk), target=job)


def checkable(jobs: QuerySet[MigrationJob]) -> QuerySet[MigrationJob]:
    """Without those for which it makes no sense."""
    return jobs.exclude(state__in=NEVER_CHECKED)


def _start(jobs: QuerySet[MigrationJob], *, target: object) -> int:
    pks = list(checkable(jobs).order_by("pk").values_list("pk", flat=True))
    if not pks:
        raise RefusedError(_("None of these jobs is still to run, so there is nothing to check."))
    facts = {"jobs": len(pks)}
    with audited(Action.JOBS_CHECKED, target=target, after=facts), transaction.atomic():
        Check.objects.bulk_create(
            [Check(job_id=pk) for pk in pks],
            batch_size=ROWS_AT_ONCE,
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=_NEW,
        )
        if len(pks) > ROWS_AT_ONCE:
            plan_anew(Check)
        enqueue(WORK)
    return len(pks)


def stop_checks(*, batch: Batch) -> int:
    """Leave out what nobody has looked at yet; how many these are."""
    left = Check.objects.filter(job__batch=batch, state=CheckState.WAITING)
    with audited(Action.CHECKS_STOPPED, target=batch) as change:
        count, _rows = left.delete()
        change.after["left_out"] = count
    return count
