"""Which job may start next, and telling the workers that there is one; no state changes here."""

from __future__ import annotations

from collections import Counter

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migrations_app.models import WAITING, Limits, MigrationJob, State
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.queue import enqueue, waiting

STUCK_SECONDS = 60.0
_NAMING = ("name", "source_host", "destination_host", "destination_address")
RUN_NEXT = "migrations_app.tasks.run_next"


def limits() -> Limits:
    """The one row of limits, made from the settings on first use."""
    row, __ = Limits.objects.get_or_create(
        pk=1, defaults={"concurrency": settings.MIGRATION_CONCURRENCY}
    )
    return row


def eligible() -> QuerySet[MigrationJob]:
    """Jobs a worker may start now but for the cap, the next one first."""
    running = MigrationJob.objects.filter(state=State.RUNNING)
    same_mailbox = running.filter(
        destination_host__iexact=OuterRef("destination_host"),
        destination_address__iexact=OuterRef("destination_address"),
    )
    per_host = Counter(running.values_list(Lower("source_host"), flat=True))
    most = limits().per_source_host
    return (
        MigrationJob.objects.filter(WAITING)
        .annotate(source=Lower("source_host"))
        .exclude(source__in=[host for host, count in per_host.items() if count >= most])
        .exclude(Exists(same_mailbox))
        .order_by("queued_at", "pk")
    )


def waiting_reasons(jobs: list[MigrationJob], most: Limits | None = None) -> dict[int, str]:
    """What keeps each of these waiting jobs from its start, by primary key; two queries at most."""
    running = list(MigrationJob.objects.filter(state=State.RUNNING).only(*_NAMING))
    if not running:
        return {}
    most = most or limits()
    return {job.pk: _reason(job, running, most) for job in jobs}


def _reason(job: MigrationJob, running: list[MigrationJob], most: Limits) -> str:
    writes = next((other for other in running if _mailbox(other) == _mailbox(job)), None)
    if writes:
        return _("Waits for “%(job)s”, which writes to the same mailbox.") % {"job": writes}
    host = job.source_host.lower()
    if sum(other.source_host.lower() == host for other in running) >= most.per_source_host:
        return ngettext(
            "Waits until the job that reads from %(host)s ends: one at a time may.",
            "Waits until one of the jobs that read from %(host)s ends: %(count)d at a time may.",
            most.per_source_host,
        ) % {"host": job.source_host, "count": most.per_source_host}
    if len(running) >= most.concurrency:
        return ngettext(
            "Waits until the running job ends: one runs at a time.",
            "Waits until a running job ends: %(count)d run at a time.",
            most.concurrency,
        ) % {"count": most.concurrency}
    return ""


def _mailbox(job: MigrationJob) -> tuple[str, str]:
    return job.destination_host.lower(), job.destination_address.lower()


def next_for(owner: str) -> MigrationJob | None:
    """The job for the worker host `owner`, within the cap over all hosts. Ask under the lock."""
    live = MigrationJob.objects.filter(state=State.RUNNING, lease_until__gte=Now())
    if is_draining(owner) or live.count() >= limits().concurrency:
        return None
    return eligible().first()


def kick() -> None:
    """Send as many messages as there are free places and jobs for them, but no pile of them."""
    free = limits().concurrency - MigrationJob.objects.filter(state=State.RUNNING).count()
    if free <= 0:
        return
    for _place in range(eligible()[:free].count() - waiting("sync")):
        enqueue(RUN_NEXT, cluster="sync")


def is_kept_waiting(host: str) -> bool:
    """Whether a job is ready and `host` has a worker free, but did not claim for a while."""
    row = WorkerHost.objects.filter(name=host, is_draining=False).first()
    if row is None:
        return False
    running = MigrationJob.objects.filter(state=State.RUNNING)
    claimed = MigrationJob.objects.filter(
        owner=host, started_at__gt=seconds_from_now(-STUCK_SECONDS)
    )
    return (
        running.filter(owner=host).count() < row.capacity
        and running.count() < limits().concurrency
        and not claimed.exists()
        and eligible().exists()
    )


def is_draining(owner: str) -> bool:
    """Whether this worker host is about to stop."""
    return WorkerHost.objects.filter(name=owner, is_draining=True).exists()
