"""Which job may start next, and telling the workers that there is one; no state changes here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migrations_app.models import WAITING, Batch, Limits, MigrationJob, State
from migrations_app.queueing import aftercare
from migrations_app.queueing.manners import Manners, hold_of, holds
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.health import LATE_SECONDS
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.queue import enqueue, waiting
from purelymanage.ui.tags.words import clock_time

STUCK_SECONDS = 60.0
DRAINS = Q(is_draining=True) | Q(drained_at__isnull=False)
PLACES_SHOWN = 100
"""Who is further back in the queue is not told their place."""
_STANDING = (
    *("name", "state", "queued_at", "owner", "batch", "superseded_by"),
    *("source_host", "bandwidth", "destination_host", "destination_address"),
    *("started_at", "bytes_done", "bytes_total", "messages_done", "messages_total"),
)
RUN_NEXT = "migrations_app.tasks.run_next"


def limits() -> Limits:
    """The one row of limits, made from the settings on first use."""
    row, __ = Limits.objects.get_or_create(
        pk=1, defaults={"concurrency": settings.MIGRATION_CONCURRENCY}
    )
    return row


@dataclass(frozen=True)
class Running:
    """What runs now, as far as it keeps others from their start."""

    live: int
    """Jobs whose worker has renewed its lease in time."""
    parts: Mapping[str, Sequence[int | None]]
    """By source host in lower case, the bandwidth that each job which reads from it was given."""

    @classmethod
    def look(cls) -> Running:
        """One query."""
        running = MigrationJob.objects.filter(state=State.RUNNING)
        rows = running.annotate(is_live=Q(lease_until__gte=Now())).values_list(
            Lower("source_host"), "bandwidth", "is_live"
        )
        live, parts = 0, defaultdict(list)
        for host, part, is_live in rows:
            parts[host].append(part)
            live += bool(is_live)
        return cls(live, parts)


def eligible(
    manners: Manners | None = None, running: Running | None = None
) -> QuerySet[MigrationJob]:
    """Jobs a worker may start now but for the cap, the next one first.

    `manners` and `running` where they are known already.
    """
    same_mailbox = (
        MigrationJob.objects.filter(state=State.RUNNING)
        .alias(host=Lower("destination_host"), address=Lower("destination_address"))
        .filter(
            host=Lower(OuterRef("destination_host")), address=Lower(OuterRef("destination_address"))
        )
    )
    return (
        MigrationJob.objects.filter(WAITING)
        .exclude(batch__in=Batch.objects.exclude(paused_at=None).order_by())
        .exclude(start_at__gt=Now())
        .exclude(try_after__gt=Now())
        .alias(
            source=Lower("source_host"),
            mailbox=Lower("source_address"),
            destination=Lower("destination_host"),
        )
        .exclude(_spared(running or Running.look(), manners or Manners(limits())))
        .exclude(Exists(holds()))
        .exclude(Exists(same_mailbox))
        .order_by("queued_at", "pk")
    )


def _spared(running: Running, manners: Manners) -> Q:
    """The hosts, and mailboxes of others, for which no job more may be started now."""
    full = [host for host, parts in running.parts.items() if not _has_place(manners, host, parts)]
    spared = Q(source__in=[*full, *manners.resting]) | Q(destination__in=manners.closed)
    for host, mailboxes in manners.spent_mailboxes.items():
        spared |= Q(source=host, mailbox__in=mailboxes)
    return spared


def _has_place(manners: Manners, host: str, parts: Sequence[int | None]) -> bool:
    return len(parts) < manners.at_once(host) and manners.has_bandwidth(host, parts)


class QueueView:
    """The queue, looked at now: what runs, who is next, and what keeps each job from its start.

    Each of its queries is asked once, when a page needs the answer.
    """

    def __init__(self) -> None:
        self._now = timezone.now()

    @cached_property
    def limits(self) -> Limits:
        return limits()

    @cached_property
    def running(self) -> list[MigrationJob]:
        """With the columns that tell how far they are, and no others."""
        return [job for job in self._running_and_next if job.state == State.RUNNING]

    @cached_property
    def places(self) -> dict[int, int]:
        """The place in the queue of those near its head, by primary key."""
        waiting = [job for job in self._running_and_next if job.state != State.RUNNING]
        waiting.sort(key=attrgetter("queued_at", "pk"))
        return {job.pk: place for place, job in enumerate(waiting, start=1)}

    @cached_property
    def _running_and_next(self) -> list[MigrationJob]:
        jobs = MigrationJob.objects.only(*_STANDING)
        head = MigrationJob.objects.filter(WAITING).order_by("queued_at", "pk")[:PLACES_SHOWN]
        running = jobs.filter(state=State.RUNNING)
        return list(running.union(jobs.filter(pk__in=head.values("pk")), all=True))

    @cached_property
    def _manners(self) -> Manners:
        return Manners(self.limits)

    def hours_of(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """A sentence for each of these hosts that is read at some hours only."""
        return tuple(filter(None, map(self._manners.hours_of, sorted(hosts))))

    def reason(self, job: MigrationJob) -> str:
        """What a waiting `job` waits for, in a sentence; empty if nothing keeps it."""
        return (
            self._wishes(job)
            or self._mailbox(job)
            or self._host(job)
            or self._places()
            or self._workers
        )

    def _wishes(self, job: MigrationJob) -> str:
        """A person paused it or set its start, or the cause of a failure has it wait."""
        if job.batch and job.batch.is_paused:
            return _("Waits because the batch “%(batch)s” is paused.") % {"batch": job.batch}
        moments = [moment for moment in (job.start_at, job.try_after) if moment]
        latest = max(moments, default=self._now)
        if latest <= self._now:
            return ""
        if latest == job.try_after:
            words = {"time": clock_time(latest), "which": aftercare.which_try(job.retries)}
            return _("Tries again at %(time)s, %(which)s.") % words
        return _("Starts at %(time)s.") % {"time": clock_time(latest)}

    def _mailbox(self, job: MigrationJob) -> str:
        writes = next((other for other in self.running if _mailbox(other) == _mailbox(job)), None)
        if not writes:
            return ""
        return _("Waits for “%(job)s”, which writes to the same mailbox.") % {"job": writes}

    def _host(self, job: MigrationJob) -> str:
        host, most = job.source_host, self._manners.at_once(job.source_host)
        rest = self._manners.rest_of(host, job.source_address)
        if rest := rest or self._manners.closing_of(job.destination_host) or hold_of(job):
            return rest.sentence
        parts = [
            other.bandwidth for other in self.running if other.source_host.lower() == host.lower()
        ]
        if _has_place(self._manners, host, parts):
            return ""
        if len(parts) < most:
            words = _("Waits until a job that reads from %(host)s ends: they have its bandwidth.")
            return words % {"host": host}
        return ngettext(
            "Waits until the job that reads from %(host)s ends: one at a time may.",
            "Waits until one of the jobs that read from %(host)s ends: %(count)d at a time may.",
            most,
        ) % {"host": host, "count": most}

    def _places(self) -> str:
        most = self.limits.concurrency
        if len(self.running) < most:
            return ""
        return ngettext(
            "Waits until the running job ends: one runs at a time.",
            "Waits until a running job ends: %(count)d run at a time.",
            most,
        ) % {"count": most}

    @cached_property
    def _workers(self) -> str:
        """What there is to say if no worker is free. That none runs at all, the dashboard tells."""
        late = seconds_from_now(-LATE_SECONDS)
        hosts = list(WorkerHost.objects.filter(seen_at__gt=late))
        taking = {host.name: host.capacity for host in hosts if not host.refuses_work}
        if hosts and not taking:
            return _("Waits until a worker host takes jobs again: all are drained.")
        places = sum(taking.values())
        if not places or sum(job.owner in taking for job in self.running) < places:
            return ""
        return ngettext(
            "Waits until the one worker is free.",
            "Waits until one of the %(count)d workers is free.",
            places,
        ) % {"count": places}


def _mailbox(job: MigrationJob) -> tuple[str, str]:
    return job.destination_host.lower(), job.destination_address.lower()


def next_for(owner: str) -> MigrationJob | None:
    """The job for the worker host `owner`, within the cap over all hosts. Ask under the lock.

    Nobody else changes its row until the transaction ends. Its `bandwidth` is what it is given of
    its source host's.
    """
    most, running = limits(), Running.look()
    if running.live >= most.concurrency or draining(owner).exists():
        return None
    manners = Manners(most)
    job = eligible(manners, running).select_for_update().first()
    if job:
        job.bandwidth = manners.share(job.source_host)
    return job


def kick() -> None:
    """Send as many messages as there are free places and jobs for them, but no pile of them."""
    most = limits()
    free = most.concurrency - MigrationJob.objects.filter(state=State.RUNNING).count()
    if free <= 0:
        return
    for _place in range(eligible(Manners(most))[:free].count() - waiting("sync")):
        enqueue(RUN_NEXT, cluster="sync")


def is_kept_waiting(host: str) -> bool:
    """Whether a job is ready and `host` has a worker free, but did not claim for a while."""
    row = WorkerHost.objects.filter(name=host).first()
    if row is None or row.refuses_work:
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


def draining(owner: str) -> QuerySet[WorkerHost]:
    """This worker host, if it is to take no work, and to give back what it runs."""
    return WorkerHost.objects.filter(DRAINS, name=owner)
