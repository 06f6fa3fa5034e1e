"""What goes by itself, and what stays because something needs it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines.base import Verdict
from migrations_app.models import Batch, BulkWork, CutOver, LogChunk, MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.selectors.storage import storage
from migrations_app.services import retention
from migrations_app.tests.factories import BatchFactory, JobFactory, LogFactory
from migrations_app.tests.pages import text_of
from purelymanage.jobs.locks import only_one

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def days_ago(days: float) -> timezone.datetime:
    return timezone.now() - timedelta(days=days)


def ended(days: float, **facts: object) -> MigrationJob:
    """A real run that ended well so long ago."""
    moment = days_ago(days)
    values = {"ended_at": moment, "queued_at": moment, "succeeded_at": moment, **facts}
    return JobFactory(**values)


def keeps_passwords(job: MigrationJob) -> bool:
    job.refresh_from_db()
    return bool(job.source_password and job.destination_password)


def test_passwords_go_seven_days_after_the_last_real_run_that_ended_well() -> None:
    old, new = ended(7.01), ended(6.99)
    purged = retention.purge_expired()
    assert purged
    assert purged.passwords == 1
    assert (keeps_passwords(old), keeps_passwords(new)) == (False, True)
    assert not old.source_password
    assert not old.destination_password
    assert [entry.target for entry in Entry.objects.filter(action="job.credentials_erased")] == [
        old.name
    ]
    assert retention.purge_expired() == retention.Purged(0, 0, 0, 0)


@pytest.mark.parametrize(
    "facts",
    [
        {"repeat_hours": 6, "repeat_at": timezone.now()},
        {"repeat_at": timezone.now()},
        {"state": State.QUEUED},
        {"state": State.RUNNING},
        {"state": State.INTERRUPTED},
        {"succeeded_at": None},
        {"dry_run": True, "succeeded_at": None},
        {"state": State.FAILED, "queued_at": timezone.now()},
    ],
)
def test_passwords_stay_where_they_are_needed(facts: dict[str, object]) -> None:
    job = ended(30, **facts)
    retention.purge_expired()
    assert keeps_passwords(job)


def test_a_later_run_that_failed_does_not_keep_them_for_ever() -> None:
    job = ended(30, state=State.FAILED, queued_at=days_ago(8), ended_at=days_ago(8))
    retention.purge_expired()
    assert not keeps_passwords(job)


@pytest.mark.parametrize(
    "facts",
    [
        {"state": State.FAILED},
        {"state": State.CANCELLED},
        {"dry_run": True},
        {"state": State.FAILED, "repeat_hours": 6},
    ],
)
def test_what_nobody_ran_for_ninety_days_keeps_none(facts: dict[str, object]) -> None:
    kept = ended(89, succeeded_at=None, **facts)
    gone = ended(91, succeeded_at=None, **facts)
    retention.purge_expired()
    assert (keeps_passwords(kept), keeps_passwords(gone)) == (True, False)


def test_the_passwords_of_the_dry_run_go_with_those_of_its_real_run() -> None:
    real = ended(8)
    dry = ended(9, dry_run=True, succeeded_at=None, superseded_by=real)
    retention.purge_expired()
    assert not keeps_passwords(dry)


@pytest.mark.parametrize(("stopped", "kept"), [(False, True), (True, False)])
def test_a_cut_over_keeps_them_until_it_is_stopped(stopped: bool, kept: bool) -> None:
    job = ended(30, batch=BatchFactory())
    stopped_at = timezone.now() if stopped else None
    CutOver.objects.create(domain="a.example", batch=job.batch, stopped_at=stopped_at)
    retention.purge_expired()
    assert keeps_passwords(job) is kept


def test_the_end_of_a_real_run_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = JobFactory(state=State.RUNNING, token="0" * 32)
    dry = JobFactory(state=State.RUNNING, token="1" * 32, dry_run=True)
    failed = JobFactory(state=State.RUNNING, token="2" * 32)
    for job, state in ((real, "done_with_errors"), (dry, "done"), (failed, "failed")):
        queue.finish(job, Verdict(state=state, cause=None, sentence="It ended."))
        job.refresh_from_db()
    assert real.succeeded_at
    assert dry.succeeded_at is None
    assert failed.succeeded_at is None


def test_logs_go_after_their_days_but_not_while_the_job_runs(settings: object) -> None:
    settings.LOG_RETENTION_DAYS = 10
    job = ended(11)
    old = LogFactory(job=job, at=days_ago(11))
    new = LogFactory(job=job, at=days_ago(9))
    running = LogFactory(job=JobFactory(state=State.RUNNING), at=days_ago(11))
    assert retention.purge_expired().log_pieces == 1
    assert set(LogChunk.objects.all()) == {new, running}
    assert old.pk not in LogChunk.objects.values_list("pk", flat=True)


def test_jobs_and_empty_batches_go_after_their_days(settings: object) -> None:
    settings.JOB_RETENTION_DAYS = 100
    emptied = BatchFactory(created_at=days_ago(101))
    kept = BatchFactory(created_at=days_ago(101))
    ended(101, batch=emptied)
    young = ended(99, batch=kept)
    beside = ended(101, batch=kept)
    waiting = ended(101, state=State.QUEUED)
    repeating = ended(101, repeat_at=timezone.now())
    BulkWork.objects.create(action="retry", last_id=1, total=1, ended_at=days_ago(101))
    purged = retention.purge_expired()
    assert (purged.jobs, purged.batches) == (1, 1)
    assert set(MigrationJob.objects.all()) == {young, beside, waiting, repeating}
    assert list(Batch.objects.all()) == [kept]
    assert not BulkWork.objects.exists()
    assert Entry.objects.filter(action="job.deleted").count() == 1


def test_zero_days_keep_everything(settings: object) -> None:
    settings.JOB_RETENTION_DAYS = settings.LOG_RETENTION_DAYS = 0
    LogFactory(job=ended(5000, batch=BatchFactory(created_at=days_ago(5000))), at=days_ago(5000))
    purged = retention.purge_expired()
    assert (purged.log_pieces, purged.jobs, purged.batches) == (0, 0, 0)


def test_more_than_a_slice_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    for _number in range(5):
        ended(8)
    assert retention.purge_expired().passwords == 5


def test_the_command_prints_the_numbers() -> None:
    ended(8)
    out = StringIO()
    call_command("purge_expired", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"passwords": 1, "log_pieces": 0, "jobs": 0, "batches": 0}


def test_the_command_leaves_it_to_a_worker_that_is_at_it() -> None:
    job = ended(8)
    with only_one(retention.LOCK, seconds=60), pytest.raises(SystemExit) as stop:
        call_command("purge_expired", stderr=StringIO())
    assert stop.value.code == 3
    assert keeps_passwords(job)


def test_the_settings_page_says_how_much_room_is_taken_and_for_how_long(
    admin_client: Client, settings: object
) -> None:
    settings.LOG_RETENTION_DAYS, settings.JOB_RETENTION_DAYS = 30, 0
    page = text_of(admin_client.get(reverse("migration_settings:limits")))
    assert "What is kept" in page
    assert storage().database > 100_000
    assert "30 days" in page
    assert "for ever" in page


def test_the_size_of_the_logs_is_known_on_postgresql() -> None:
    is_told = connection.vendor == "postgresql"
    assert (storage().logs is not None) is is_told
    assert not is_told or storage().logs >= 0
