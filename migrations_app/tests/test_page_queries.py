"""How many queries the pages about migrations take when everything there can be is there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.models import (
    Batch,
    BatchState,
    BulkAction,
    BulkWork,
    Check,
    CheckState,
    CutOver,
    HostLimits,
    HostUse,
    Limits,
    MigrationJob,
    State,
)
from migrations_app.queueing import dispatch, manners
from migrations_app.tests.factories import (
    BatchFactory,
    FolderFactory,
    JobFactory,
    RunningJobFactory,
    ServerFactory,
)
from migrations_app.tests.pages import HTMX, url
from purelymanage.jobs.models import WorkerHost

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

MOST = 12
HOUR = timedelta(hours=1)


def everything(size: int) -> Batch:
    """A batch with jobs in every state, and beside it all that pages have to say of any."""
    dispatch.limits()
    Limits.objects.update(concurrency=64, per_source_host=64)
    servers = {"source_server": ServerFactory(), "destination_server": ServerFactory()}
    batch = BatchFactory(**servers)
    for _ in range(size):
        for state in State.values:
            make = RunningJobFactory if state == State.RUNNING else JobFactory
            FolderFactory(job=make(batch=batch, state=state, **servers))
        dry = JobFactory(batch=batch, dry_run=True, **servers)
        dry.superseded_by = JobFactory(batch=batch, state=State.QUEUED, **servers)
        dry.save()
        JobFactory(state=State.INTERRUPTED)
        JobFactory(batch=BatchFactory(paused_at=timezone.now(), **servers), state=State.QUEUED)
        BatchFactory(state=BatchState.IMPORTING, **servers)
    for job in MigrationJob.objects.filter(state=State.QUEUED):
        Check.objects.create(job=job, state=CheckState.PROBLEM)
    for place in (batch, None):
        BulkWork.objects.create(
            action=BulkAction.RETRY, batch=place, last_id=1, total=9, created_by_name="Ada"
        )
    CutOver.objects.create(domain="new.example", batch=batch)
    limits_of_every_kind(size)
    return batch


def limits_of_every_kind(size: int) -> None:
    now = timezone.now()
    for number in range(size):
        own = f"imap{number}.old.example"
        HostLimits.objects.create(host=f"a.{own}", bytes_per_day=1, per_mailbox=True)
        HostLimits.objects.create(host=f"b.{own}", bytes_per_day=1, bytes_per_second=1)
        HostLimits.objects.create(host=f"c.{own}", closed_until=now + HOUR, closed_because="Full.")
        HostUse.objects.create(host=f"a.{own}", day=manners.day_of(now), bytes=2)
        WorkerHost.objects.create(name=f"w:{number}", started_at=now, seen_at=now, capacity=64)


def addresses(batch: Batch) -> dict[str, str]:
    job = batch.jobs.earliest("pk")
    found = f"?q={job.name}"
    return {
        "jobs": url("list"),
        "jobs found": url("list") + found,
        "jobs interrupted": url("list") + "?state=interrupted",
        "news of jobs": url("list_live") + f"?held=1&known={job.pk}:x",
        "batch": url("batch", batch.pk),
        "jobs of a batch found": url("batch", batch.pk) + found,
        "news of a batch": url("batch_live", batch.pk) + f"?held=1&known={job.pk}:x",
        "batches": url("batches"),
        "news of batches": url("batches_live"),
        "checks": url("checks") + f"?batch={batch.pk}",
        "cut-overs": url("cut_overs"),
        "cut-over": url("cut_over", batch.cut_over.pk),
        "report of a job": url("report", job.pk),
        "report of a batch": url("batch_report", batch.pk),
        "hosts": "/settings/migrations/",
    }


@pytest.mark.parametrize("is_fragment", [False, True])
def test_no_page_needs_more_than_twelve_queries_nor_more_with_more_rows(
    admin_client: Client, *, is_fragment: bool
) -> None:
    headers = HTMX if is_fragment else {}
    counts: list[dict[str, int]] = []
    for size in (1, 4):
        batch = everything(size)
        counts.append({})
        for name, address in addresses(batch).items():
            if is_fragment or "news" not in name:
                admin_client.get(address, headers=headers)
                with CaptureQueriesContext(connection) as queries:
                    assert admin_client.get(address, headers=headers).status_code == 200, name
                counts[-1][name] = len(queries)
        for model in (HostLimits, HostUse, WorkerHost, MigrationJob, Batch):
            model.objects.all().delete()
    assert {name: number for name, number in counts[1].items() if number > MOST} == {}
    assert counts[0] == counts[1]
