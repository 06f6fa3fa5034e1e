"""Which job may start next, and telling the workers that there is one; no state changes here."""

from __future__ import annotations

from collections import Counter

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower, Now

from migrations_app.models import WAITING, Limits, MigrationJob, State
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.queue import enqueue, waiting

STUCK_SECONDS = 60.0
RUN_NEXT = "migrations_app.tasks.run_next"


def limits() -> Limits:
    """The one row of limits, made from the settings on first use."""
    row, _made = Limits.objects.get_or_create(
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
    for _number in range(eligible()[:free].count() - waiting("sync")):
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
