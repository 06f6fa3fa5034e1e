"""How gently each source host is treated: how many jobs, how fast, how much a day, at which hours.

A host without limits of its own is treated as `Limits` says. `dispatch` asks here before a job
starts; what a person changes goes through `services.limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Lower, Now
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import record
from migrations_app.models import Batch, HostLimits, HostUse, Limits, MigrationJob
from purelymanage.core.aggregates import AllValues
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.ui.tags.words import clock_time, filesize_si

KEEP_DAYS = 30
"""For how long it is known what was read from a host on a day."""
ADD_USE = """
    INSERT INTO migrations_app_hostuse (day, host, mailbox, bytes)
    VALUES (%s, %s, LOWER(%s), %s)
    ON CONFLICT (day, host, mailbox)
    DO UPDATE SET bytes = migrations_app_hostuse.bytes + excluded.bytes
"""
"""One statement, because every running job does it once a second.

Lowered as `dispatch` lowers the addresses of jobs: SQLite knows the capitals of ASCII alone.
"""
MOST_AT_ONCE = 10**12
"""An engine may print any number; no host sends so much between two looks."""


@dataclass(frozen=True)
class Rest:
    """Why no job may start to read from a host now, in a sentence, and when one may."""

    until: datetime
    sentence: str


class Manners:
    """How every host is to be treated at this moment. Reading them takes one query."""

    def __init__(self, most: Limits) -> None:
        self._most = most
        self._now = timezone.now()
        self._limits = {row.host: row for row in hosts_with_use(day_of(self._now))}

    @property
    def hosts(self) -> list[HostLimits]:
        """Those with limits, by name, with what was read from them today as `used`."""
        return list(self._limits.values())

    @property
    def spent_mailboxes(self) -> dict[str, list[str]]:
        """By host, the mailboxes of which no more is read today; all in lower case."""
        return {host: row.spent or [] for host, row in self._limits.items() if row.per_mailbox}

    @property
    def resting(self) -> list[str]:
        """The hosts, in lower case, from which no job may start to read now."""
        return [host for host in self._limits if self.rest_of(host, "")]

    def rest_of(self, host: str, mailbox: str) -> Rest | None:
        """What keeps a job of this source from its start, for the longest time."""
        limits = self._limits.get(host.lower())
        rests = self._rests(limits, mailbox.lower()) if limits else ()
        return max(rests, key=attrgetter("until"), default=None)

    @property
    def closed(self) -> list[str]:
        """The hosts, in lower case, to which no job may start to write now either."""
        return [host for host in self._limits if self.closing_of(host)]

    def closing_of(self, host: str) -> Rest | None:
        """What keeps a job from its start wherever the host stands in it."""
        limits = self._limits.get(host.lower())
        if limits is None or limits.closed_until is None or limits.closed_until <= self._now:
            return None
        return _closed(limits, limits.closed_until)

    def hours_of(self, host: str) -> str:
        """At which hours the host is read, in a sentence; empty where these are all."""
        limits = self._limits.get(host.lower())
        if limits is None or limits.window_from is None:
            return ""
        return _("%(host)s is read from %(begin)s to %(end)s only.") % _hours(limits)

    def at_once(self, host: str) -> int:
        """How many jobs may read from this host at a time."""
        return _at_once(self._limits.get(host.lower()), self._most)

    def share(self, host: str) -> int | None:
        """The bytes per second of one job, None without a limit: all that may run at a time get
        the same part."""
        limits = self._limits.get(host.lower())
        return _share(limits, self._most) if limits else None

    def has_bandwidth(self, host: str, given: Iterable[int | None]) -> bool:
        """Whether one job more fits into what the host allows, beside those given so much.

        Limits that changed since, or that came after a start, may leave nothing for it.
        """
        share, limits = self.share(host), self._limits.get(host.lower())
        if share is None or limits is None or limits.bytes_per_second is None or limits.per_mailbox:
            return True
        taken = sum(share if part is None else part for part in given)
        return taken + share <= max(share, limits.bytes_per_second)

    def _rests(self, limits: HostLimits, mailbox: str) -> Iterator[Rest]:
        if closing := self.closing_of(limits.host):
            yield closing
        if opens := next_opening(limits.window_from, limits.window_to, self._now):
            yield _out_of_hours(limits, opens)
        if _is_spent(limits, mailbox):
            yield _used_up(limits, end_of_day(self._now), mailbox=mailbox)


def _at_once(limits: HostLimits | None, most: Limits) -> int:
    own = limits.at_once if limits else None
    return own or most.per_source_host


def _share(limits: HostLimits, most: Limits) -> int | None:
    if limits.bytes_per_second is None or limits.per_mailbox:
        return limits.bytes_per_second
    return max(1, limits.bytes_per_second // min(_at_once(limits, most), most.concurrency))


def limits_of(job: MigrationJob) -> QuerySet[HostLimits]:
    """The limits of its source host, if there are any."""
    return HostLimits.objects.filter(host=job.source_host.lower())


def has_to_rest(job: MigrationJob) -> bool:
    """Whether a running job is to stop for now: the hours are over, or the budget is used up."""
    limits = limits_of(job).first()
    if limits is None:
        return False
    now = timezone.now()
    if next_opening(limits.window_from, limits.window_to, now):
        return True
    return limits.bytes_per_day is not None and _left(limits, job, now) <= 0


def budget_of(job: MigrationJob) -> int | None:
    """How many bytes a run that starts now may copy; None where nobody counts them."""
    limits = limits_of(job).filter(bytes_per_day__isnull=False).first()
    return max(1, _left(limits, job, timezone.now())) if limits else None


# Why a host rests


def _closed(limits: HostLimits, until: datetime) -> Rest:
    words = _("Waits until %(time)s: %(host)s is closed. %(why)s") % {
        "time": clock_time(until),
        "host": limits.host,
        "why": limits.closed_because,
    }
    return Rest(until, words.strip())


def _out_of_hours(limits: HostLimits, until: datetime) -> Rest:
    words = _("Waits until %(time)s: %(host)s is read from %(begin)s to %(end)s only.") % {
        "time": clock_time(until),
        **_hours(limits),
    }
    return Rest(until, words)


def _hours(limits: HostLimits) -> dict[str, str]:
    return {
        "host": limits.host,
        "begin": _clock(limits.window_from),
        "end": _clock(limits.window_to),
    }


def _clock(moment: time | None) -> str:
    return time_format(moment, "H:i") if moment else ""


def _used_up(limits: HostLimits, until: datetime, *, mailbox: str) -> Rest:
    words = _("Waits until %(time)s: the %(size)s a day from %(source)s are used up.") % {
        "time": clock_time(until),
        "source": mailbox if limits.per_mailbox else limits.host,
        "size": filesize_si(limits.bytes_per_day),
    }
    return Rest(until, words)


# Hours


def next_opening(begin: time | None, end: time | None, now: datetime) -> datetime | None:
    """When the hours from `begin` to `end`, by the panel's clock, begin next; None within them.

    Each night's hours are one stretch between two moments, so that an hour that the clock shows
    twice neither opens a host again nor closes it in between.
    """
    if begin is None or end is None or begin == end:
        return None
    today = timezone.localdate(now, timezone.get_default_timezone())
    stretches = [_stretch(begin, end, today + timedelta(days=day)) for day in (-1, 0, 1, 2)]
    if any(opens <= now < closes for opens, closes in stretches):
        return None
    return min(opens for opens, closes in stretches if now < opens < closes)


def _stretch(begin: time, end: time, day: date) -> tuple[datetime, datetime]:
    last = day if begin < end else day + timedelta(days=1)
    return _moment(day, begin), _moment(last, end)


def _moment(day: date, clock: time) -> datetime:
    """In UTC, because moments of one zone are compared by what their clock shows."""
    zone = timezone.get_default_timezone()
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


# The day's budget


def day_of(now: datetime) -> date:
    """The day a budget counts for."""
    return now.astimezone(UTC).date()


def end_of_day(now: datetime) -> datetime:
    """When the next budget begins."""
    return datetime.combine(day_of(now) + timedelta(days=1), time(), tzinfo=UTC)


def hosts_with_use(day: date) -> QuerySet[HostLimits]:
    """Every host with limits: the bytes `used` on that day, and the mailboxes that used up one
    day's bytes alone, `spent`."""
    use = HostUse.objects.filter(day=day, host=OuterRef("host")).order_by().values("host")
    spent = use.filter(bytes__gte=OuterRef("bytes_per_day")).annotate(all=AllValues("mailbox"))
    facts = {
        "used": Coalesce(Subquery(use.annotate(sum=Sum("bytes")).values("sum")), 0),
        "spent": Subquery(spent.values("all")),
    }
    return HostLimits.objects.annotate(**facts)


def _is_spent(limits: HostLimits, mailbox: str) -> bool:
    """Whether the day's bytes are used up: those of the mailbox, or those of all together."""
    if limits.bytes_per_day is None:
        return False
    if limits.per_mailbox:
        return mailbox in map(str.lower, limits.spent or ())
    return limits.used >= limits.bytes_per_day


def count_use(job: MigrationJob, size: int) -> None:
    """Add what was just read from the job's source to its day."""
    day = connection.ops.adapt_datefield_value(day_of(timezone.now()))
    mailbox = (job.source_host.lower(), job.source_address)
    with connection.cursor() as cursor:
        cursor.execute(ADD_USE, [day, *mailbox, min(size, MOST_AT_ONCE)])


def forget_old_use() -> None:
    """What was read on days long past serves nobody any more."""
    oldest = day_of(timezone.now()) - timedelta(days=KEEP_DAYS)
    HostUse.objects.filter(day__lt=oldest).delete()


def _left(limits: HostLimits, job: MigrationJob, now: datetime) -> int:
    used = HostUse.objects.filter(day=day_of(now), host=limits.host)
    if limits.per_mailbox:
        used = used.filter(mailbox=Lower(Value(job.source_address)))
    return (limits.bytes_per_day or 0) - (used.aggregate(sum=Sum("bytes"))["sum"] or 0)


# Closing


def opened_at(host: str, batch: Batch | None) -> datetime:
    """When a host was opened last, or will be, to all or to a batch; long ago if it always was."""
    if batch is None:
        closed = HostLimits.objects.filter(host=host)
        moment = closed.values_list("closed_until", flat=True).first()
    else:
        held = Batch.objects.filter(pk=batch.pk, held_host=host)
        moment = held.values_list("held_until", flat=True).first()
    return moment or datetime.min.replace(tzinfo=UTC)


def close(host: str, because: str, until: datetime) -> None:
    """Let no job start to read from `host`, or to write to it, before `until`.

    `because` is a whole sentence. A host that is closed for longer stays so. Jobs that run go on.
    """
    limits, __ = HostLimits.objects.get_or_create(host=host.lower())
    shorter = Q(closed_until=None) | Q(closed_until__lt=until)
    facts = {"closed_until": until, "closed_because": because[:500]}
    if HostLimits.objects.filter(shorter, pk=limits.pk).update(**facts):
        with acting_as(SYSTEM):
            after = {"until": until.isoformat(), "because": because}
            record(Action.HOST_CLOSED, target=limits, after=after)


def hold(batch: Batch, host: str, because: str, until: datetime) -> None:
    """Let no job of the batch start with `host` before `until`; those of others go on there.

    One hold at a time is enough: the jobs of a batch share their hosts.
    """
    facts = {"held_host": host, "held_until": until, "held_because": because[:500]}
    Batch.objects.filter(pk=batch.pk).update(**facts)
    with acting_as(SYSTEM):
        after = {"host": host, "until": until.isoformat(), "because": because}
        record(Action.MIGRATIONS_HELD, target=batch, after=after)


def holds() -> QuerySet[Batch]:
    """The batch of a job whose `source` or `destination` it is kept from now, for `Exists`."""
    ends = (OuterRef("source"), OuterRef("destination"))
    return Batch.objects.filter(pk=OuterRef("batch"), held_until__gt=Now(), held_host__in=ends)


def hold_of(job: MigrationJob) -> Rest | None:
    """What keeps a job from its start that `holds` speaks of."""
    batch, hosts = job.batch, (job.source_host.lower(), job.destination_host.lower())
    if not (batch and batch.is_held and batch.held_until and batch.held_host in hosts):
        return None
    words = _("Waits until %(time)s: “%(batch)s” is held back at %(host)s. %(why)s") % {
        "time": clock_time(batch.held_until),
        "batch": batch,
        "host": batch.held_host,
        "why": batch.held_because,
    }
    return Rest(batch.held_until, words)
