"""Workers that are really killed while they queue repeats or take a cut-over on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import Entry
from domains.models import RecordState
from migrations_app.models import CutOver, CutOverStep, MigrationJob, State
from migrations_app.services import cutovers
from migrations_app.tests.cutting_over import batch_of, end_all, mx
from migrations_app.tests.factories import JobFactory
from migrations_app.tests.workers import database_url
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import TaskLock
from purelymanage.jobs.tests.processes import settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
REPEAT = (
    "from migrations_app.services import repeats; "
    "repeats.WORK_SECONDS = 100.0; "  # as long as a busy machine needs
    "repeats.run_due()"
)
ADVANCE = "from migrations_app.services import cutovers; cutovers.SLICE = 5; cutovers.advance_all()"


def worker(code: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
        "DATABASE_URL": database_url(),
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        env=environment,
        cwd=settings.BASE_DIR,
    )


def killed_when(code: str, has_begun: object) -> None:
    """A worker of it dies in the middle, and its lock runs out."""
    process = worker(code)
    try:
        assert settles(has_begun, 60)
    finally:
        process.kill()
        process.wait(10)
    TaskLock.objects.update(held_until=seconds_from_now(-1))


def test_each_due_job_is_queued_once_whoever_dies_or_races() -> None:
    count = 150
    for _number in range(count):
        JobFactory(repeat_hours=6, repeat_at=timezone.now() - timedelta(minutes=1))
    queued = MigrationJob.objects.filter(state=State.QUEUED)
    killed_when(REPEAT, lambda: queued.count() > 5)
    assert 5 < queued.count() < count
    both = [worker(REPEAT), worker(REPEAT)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert queued.filter(repeat_at__gt=timezone.now()).count() == count
    targets = Counter(
        Entry.objects.filter(action="job.queued", outcome__result="ok").values_list(
            "target", flat=True
        )
    )
    assert set(targets.values()) <= {1}
    assert len(targets) >= count - 1  # the end of the one it died with is not on record


def test_the_old_inboxes_are_looked_into_once_whoever_dies() -> None:
    count = 200
    cut_over = cutovers.begin_cut_over(batch=batch_of(count), every_hours=6)
    mx(RecordState.OK)
    for step in (CutOverStep.COPY, CutOverStep.DELTA, CutOverStep.FINAL):
        cutovers.advance_by_hand(cut_over=CutOver.objects.get(), step=step)
    end_all()
    made = MigrationJob.objects.filter(batch__catches_up=cut_over)
    killed_when(ADVANCE, made.exists)
    assert 0 < made.count() < count
    both = [worker(ADVANCE), worker(ADVANCE)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert made.count() == count
    assert made.values("destination_address").distinct().count() == count
    assert all(job.source_password.reveal() for job in made[:5])
