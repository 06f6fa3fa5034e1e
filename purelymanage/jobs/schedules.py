"""Everything that happens by the clock, in one list. All times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from purelymanage.core.locks import lock_transaction


@dataclass(frozen=True)
class Every:
    """A task by dotted name, run every so many minutes."""

    task: str
    minutes: int


SCHEDULES: tuple[Every, ...] = ()


def install(schedules: tuple[Every, ...] = SCHEDULES) -> None:
    """Make the stored schedules equal to the list. Doing it again, or twice at once, is harmless.

    A schedule keeps its next run unless its timing changed, so that a restart delays nothing.
    """
    with transaction.atomic():
        lock_transaction("jobs.schedules")
        Schedule.objects.exclude(name__in=[item.task for item in schedules]).delete()
        for item in schedules:
            _install_one(item)


def _install_one(item: Every) -> None:
    stored, *extra = Schedule.objects.filter(name=item.task).order_by("pk") or [None]
    Schedule.objects.filter(pk__in=[row.pk for row in extra]).delete()
    facts = {
        "func": item.task,
        "schedule_type": Schedule.MINUTES,
        "minutes": item.minutes,
        "repeats": -1,
    }
    if stored is None:
        Schedule.objects.create(name=item.task, next_run=timezone.now(), **facts)
        return
    if (stored.schedule_type, stored.minutes) != (Schedule.MINUTES, item.minutes):
        facts["next_run"] = timezone.now() + timedelta(minutes=item.minutes)
    Schedule.objects.filter(pk=stored.pk).update(**facts)
