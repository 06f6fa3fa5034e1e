"""What the settings page shows: source hosts with limits of their own, and the worker hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef
from django.db.models.functions import Lower, Now
from django.utils import timezone

from migrations_app.imap.presets import PRESETS, Preset
from migrations_app.models import (
    WAITING,
    Batch,
    HostLimits,
    Limits,
    MigrationJob,
    Server,
    State,
)
from migrations_app.queueing import manners
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.health import LATE_SECONDS
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.steward import FORGET_SECONDS


@dataclass(frozen=True)
class HostRow:
    """One source host that is treated in its own way."""

    limits: HostLimits
    """With what was read from it today."""
    running: int
    now: datetime
    rests_until: datetime | None
    """When a job may start again that cannot now; None if one may."""

    @property
    def is_closed(self) -> bool:
        """Whether too many of its jobs failed, rather than its hours or its budget being over."""
        return self.limits.closed_until is not None and self.limits.closed_until > self.now


@dataclass(frozen=True)
class Unlimited:
    """A provider that bears with little and may be read from as much as there is."""

    provider: Preset
    limits: HostLimits | None
    """What it is spared already, or why it is closed: no bytes a day."""


@dataclass(frozen=True)
class WorkerRow:
    """One supervisor of workers."""

    host: WorkerHost
    running: int
    is_gone: bool
    """It was not seen for so long that it counts as dead."""


def limited_hosts(most: Limits) -> list[HostRow]:
    """Every host with limits, or closed, in two queries."""
    now = timezone.now()
    treated = manners.Manners(most)
    running = _running_by(Lower("source_host"))
    rows = []
    for limits in treated.hosts:
        rest = treated.rest_of(limits.host, "")
        rows.append(
            HostRow(
                limits,
                running=running.get(limits.host, 0),
                now=now,
                rests_until=rest.until if rest else None,
            )
        )
    return [row for row in rows if row.is_closed or not row.limits.is_only_closed]


def unlimited_provider(rows: list[HostRow]) -> Unlimited | None:
    """A provider from which mail comes and whose budget of the day nobody set."""
    shown = {row.limits.host: row.limits for row in rows}
    limited = {host for host, limits in shown.items() if limits.bytes_per_day is not None}
    frail = {preset.host: preset for preset in PRESETS.values() if preset.bytes_per_day}
    hosts = Server.objects.filter(host__in=frail.keys() - limited).values_list("host", flat=True)
    return Unlimited(frail[hosts[0]], shown.get(hosts[0])) if hosts else None


def closed_hosts() -> list[HostLimits]:
    """Hosts for which no job starts because too many failed; those that open last come first."""
    closed = HostLimits.objects.filter(closed_until__gt=timezone.now())
    return list(closed.order_by("-closed_until", "host"))


def held_batches() -> list[Batch]:
    """Batches of which jobs wait because too many of their passwords in a row were refused."""
    waiting = MigrationJob.objects.filter(WAITING, batch=OuterRef("pk"))
    held = Batch.objects.filter(Exists(waiting), held_until__gt=timezone.now())
    return list(held.order_by("-held_until", "pk"))


def worker_hosts() -> list[WorkerRow]:
    """Every worker host of the last day, by name, in two queries."""
    running = _running_by("owner")
    lately = WorkerHost.objects.filter(seen_at__gt=seconds_from_now(-FORGET_SECONDS))
    hosts = lately.annotate(now=Now()).order_by("name")
    return [
        WorkerRow(
            host,
            running=running.get(host.name, 0),
            is_gone=(host.now - host.seen_at).total_seconds() > LATE_SECONDS,
        )
        for host in hosts
    ]


def withdrawn_workers() -> list[WorkerHost]:
    """The worker hosts that are there, but cannot run any job."""
    seen = WorkerHost.objects.filter(seen_at__gt=seconds_from_now(-LATE_SECONDS))
    return list(seen.filter(drained_at__isnull=False).exclude(drained_because="").order_by("name"))


def _running_by(column: Lower | str) -> dict[str, int]:
    jobs = MigrationJob.objects.filter(state=State.RUNNING)
    counted = jobs.annotate(where=column) if isinstance(column, Lower) else jobs
    name = "where" if isinstance(column, Lower) else column
    return dict(counted.order_by().values_list(name).annotate(Count("pk")))
