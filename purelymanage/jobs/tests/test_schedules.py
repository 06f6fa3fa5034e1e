from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
import time_machine
from django.utils import timezone
from django_q.models import Schedule

from purelymanage.jobs.schedules import SCHEDULES, Every, install

pytestmark = pytest.mark.django_db


def test_installing_twice_gives_one_row_each():
    install()
    install()
    assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted(
        item.task for item in SCHEDULES
    )


def test_migrating_installs_them():
    assert Schedule.objects.count() == len(SCHEDULES)


def test_doubled_and_forgotten_rows_go():
    install([Every("a.b", minutes=5)])
    row = Schedule.objects.get()
    Schedule.objects.create(name="a.b", func="a.b", schedule_type="I", minutes=5)
    Schedule.objects.create(name="old.task", func="old.task", schedule_type="I", minutes=5)
    install([Every("a.b", minutes=5)])
    assert Schedule.objects.get().pk == row.pk


def test_the_next_run_stays_unless_the_timing_changed():
    install([Every("a.b", minutes=5)])
    due = timezone.now() + timedelta(minutes=3)
    Schedule.objects.update(next_run=due)
    install([Every("a.b", minutes=5)])
    assert Schedule.objects.get().next_run == due
    install([Every("a.b", minutes=60)])
    row = Schedule.objects.get()
    assert row.minutes == 60
    assert row.next_run > timezone.now() + timedelta(minutes=50)


@time_machine.travel(datetime(2026, 11, 20, 12, 0, tzinfo=UTC), tick=False)
def test_a_nightly_schedule_waits_for_its_hour():
    install([Every("a.b", minutes=24 * 60, from_hour=2), Every("a.c", minutes=5, from_hour=13)])
    assert Schedule.objects.get(name="a.b").next_run == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert Schedule.objects.get(name="a.c").next_run == datetime(2026, 11, 20, 13, tzinfo=UTC)


@pytest.mark.parametrize("item", SCHEDULES, ids=lambda item: item.task)
def test_every_scheduled_task_exists(item):
    module, _dot, name = item.task.rpartition(".")
    assert callable(getattr(import_module(module), name))
