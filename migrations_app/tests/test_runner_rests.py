"""Runs that stop for now, because their source has had enough for today, and go on later."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from migrations_app.models import HostLimits, HostUse, MigrationJob, State
from migrations_app.queueing import dispatch, manners, queue
from migrations_app.running import runner, start
from migrations_app.tests.queueing import FAKE, make_job
from purelymanage.jobs.models import WorkerHost

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stand_in(settings: Any, tmp_path: Path) -> None:
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    settings.WORKER_HOST = "a:1"


def run(behaviour: dict[str, Any], **facts: Any) -> MigrationJob:
    make_job(behaviour=behaviour, **facts)
    claimed = queue.claim("a:1")
    assert claimed is not None
    runner.run(claimed)
    return MigrationJob.objects.get(pk=claimed.pk)


def not_now() -> dict[str, time]:
    """Hours that begin two hours from now."""
    begin: datetime = timezone.now() + timedelta(hours=2)
    return {"window_from": begin.time(), "window_to": (begin + timedelta(hours=1)).time()}


def test_what_is_read_counts_for_the_day_of_its_source() -> None:
    job = run({"mails": 4}, source_host="Old.example")
    use = HostUse.objects.get()
    assert (use.host, use.mailbox, use.bytes) == ("old.example", job.source_address, 400)


def test_a_dry_run_reads_nothing_that_counts() -> None:
    run({"mails": 0}, dry_run=True)
    assert not HostUse.objects.exists()


def test_a_run_that_uses_up_the_day_stops_and_goes_on_the_next_day() -> None:
    HostLimits.objects.create(host="old.example", bytes_per_day=500)
    job = run({"mails": 60, "pause": 0.1})
    assert job.state == State.QUEUED
    assert job.verdict == "Stopped for now. What was copied stays."
    assert 500 <= job.bytes_done < 6000
    assert "used up" in dispatch.QueueView().reason(job)
    assert queue.claim("a:1") is None
    HostUse.objects.update(day=timezone.now().date() - timedelta(days=2))
    assert queue.claim("a:1") is not None


def test_two_runs_share_the_day_of_their_host() -> None:
    HostLimits.objects.create(host="old.example", bytes_per_day=500)
    other = make_job("other", source_address="other@old.example", state=State.DONE)
    manners.count_use(other, 300)
    job = run({"mails": 60, "pause": 0.1})
    assert job.state == State.QUEUED
    assert 200 <= job.bytes_done < 6000


def test_a_run_out_of_its_hours_stops_until_they_begin_again() -> None:
    limits = HostLimits.objects.create(host="old.example")
    make_job(behaviour={"mails": 60, "pause": 0.1})
    claimed = queue.claim("a:1")
    assert claimed is not None
    HostLimits.objects.filter(pk=limits.pk).update(**not_now())
    runner.run(claimed)
    job = MigrationJob.objects.get()
    assert (job.state, job.requeues) == (State.QUEUED, 0)
    assert "is read from" in dispatch.QueueView().reason(job)


def test_a_host_that_is_closed_lets_go_on_what_runs() -> None:
    make_job(behaviour={"mails": 20, "pause": 0.1})
    claimed = queue.claim("a:1")
    assert claimed is not None
    manners.close("old.example", "Throttled.", timezone.now() + timedelta(hours=1))
    runner.run(claimed)
    assert MigrationJob.objects.get().state == State.DONE


def test_a_host_that_a_person_drains_gives_back_what_it_runs() -> None:
    now = timezone.now()
    WorkerHost.objects.create(
        name="a:1", started_at=now, seen_at=now, drained_at=now, drained_by="Adam"
    )
    make_job(behaviour={"mails": 60, "pause": 0.1})
    claimed = queue.claim("b:1")
    assert claimed is not None
    MigrationJob.objects.update(owner="a:1")
    claimed.refresh_from_db()
    runner.run(claimed)
    job = MigrationJob.objects.get()
    assert (job.state, job.requeues) == (State.QUEUED, 0)
    assert queue.claim("a:1") is None
    assert queue.claim("b:1") is not None


def test_the_end_by_the_engine_itself_is_no_failure() -> None:
    HostLimits.objects.create(host="old.example", bytes_per_day=300)
    job = run({"mails": 3, "status": 118})
    assert (job.state, job.retries, job.try_after) == (State.QUEUED, 0, None)
    assert queue.claim("a:1") is None
    assert "used up" in job.verdict


def test_an_engine_is_told_what_may_still_be_read_today() -> None:
    HostLimits.objects.create(host="old.example", bytes_per_day=500)
    run({"mails": 2})
    assert start.plan_of(make_job("next")).most_bytes == 300
    assert start.plan_of(make_job("dry", dry_run=True)).most_bytes is None
