"""Reports: what is counted, what is said of it, and what goes along as a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from migrations_app.engines.causes import Cause
from migrations_app.models import Batch, FolderResult, Loss, MigrationJob, State
from migrations_app.reports.figures import Figures, figures_of, look_of_folder
from migrations_app.reports.files import FOLDER_COLUMNS, MAILBOX_COLUMNS
from migrations_app.selectors import reports
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    BatchFactory,
    FolderFactory,
    JobFactory,
    RunningJobFactory,
)
from migrations_app.tests.pages import in_every_state, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def folder(job: MigrationJob | None = None, **facts: Any) -> FolderResult:
    """A folder of ten messages that all arrived, unless told otherwise."""
    values = {"found": 10, "copied": 10, "bytes_found": 1000, "bytes_copied": 1000}
    values |= {"destination_messages": 10, "destination_bytes": 1000, "is_done": True}
    return FolderFactory(**({"job": job} if job else {}), **{**values, **facts})


def words(*, is_dry_run: bool = False, **facts: Any) -> tuple[str, str]:
    look = look_of_folder(
        figures_of([folder(**facts)], is_dry_run=is_dry_run), is_dry_run=is_dry_run
    )
    return look.tone, str(look.word)


# What is said of a folder


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ("ok", "Complete")),
        ({"copied": 4, "present": 6}, ("ok", "Complete")),
        ({"copied": 7, "skipped": 3}, ("ok", "Complete, 3 left out")),
        ({"copied": 9, "failed": 1}, ("bad", "1 message did not arrive")),
        ({"copied": 8, "failed": 2, "is_done": False}, ("bad", "2 messages did not arrive")),
        ({"copied": 8, "is_done": False}, ("warn", "Not finished")),
        ({"copied": 6, "present": 1, "skipped": 1}, ("warn", "2 messages are missing")),
        ({"destination_messages": 7}, ("warn", "Copied, 3 not there any more")),
        ({"destination_messages": 99}, ("ok", "Complete")),
        ({"destination_messages": None}, ("ok", "Complete")),
        ({"is_dry_run": True}, ("idle", "10 to copy")),
        ({"is_dry_run": True, "copied": 0, "present": 10}, ("ok", "Nothing to copy")),
        ({"is_dry_run": True, "destination_messages": 0}, ("idle", "10 to copy")),
    ],
)
def test_each_folder_has_a_verdict(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert words(**facts) == expected


def test_the_difference_is_what_the_destination_has_not_got() -> None:
    figures = Figures(found=10, copied=3, present=2, skipped=1, failed=1)
    assert figures.difference == 5
    assert Figures(found=10, present=12).difference == 0


def test_two_folders_that_go_into_one_count_its_messages_once() -> None:
    job = JobFactory()
    sent = folder(job, source="Sent", destination="Sent", destination_messages=20)
    items = folder(job, source="Sent Items", destination="Sent", destination_messages=20)
    both = figures_of([sent, items], is_dry_run=False)
    assert (both.there, both.found, both.lacking) == (20, 20, 0)
    items.destination_messages = sent.destination_messages = 15
    assert figures_of([sent, items], is_dry_run=False).lacking == 5


def test_reasons_are_words_and_unknown_ones_stay_out() -> None:
    figures = Figures(skipped_why={"too_large": 2, "duplicate": 1200, "<b>": 3})
    assert figures.reasons == "1,200 twice in the folder, 2 above the size limit"


# One mailbox


def finished(**facts: Any) -> MigrationJob:
    moment = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    values = {"engine": "builtin", "started_at": moment, "ended_at": moment, "verdict": "So. Next."}
    return JobFactory(**{**values, **facts})


@pytest.mark.parametrize(
    ("job", "facts", "expected"),
    [
        ({}, {}, "Complete"),
        ({"dry_run": True}, {}, "10 to copy"),
        ({"state": State.DONE_WITH_ERRORS}, {}, "Done with errors"),
        ({"state": State.DONE_WITH_ERRORS}, {"failed": 3}, "3 messages did not arrive"),
        ({"state": State.DONE}, {"is_done": False}, "1 folder is not finished"),
        ({"state": State.FAILED}, {}, "Failed"),
        ({"state": State.CANCELLED}, {"failed": 1}, "Cancelled"),
        ({"state": State.QUEUED}, {}, "Queued, not at its end"),
        ({"state": State.INTERRUPTED}, {}, "Interrupted, not at its end"),
    ],
)
def test_each_mailbox_has_a_verdict(
    job: dict[str, Any], facts: dict[str, Any], expected: str
) -> None:
    row = finished(**job)
    folder(row, **facts)
    assert str(reports.report_of_job(row).look.word) == expected


def test_the_report_of_a_job_tells_each_folder_and_what_did_not_arrive(
    viewer_client: Client,
) -> None:
    job = finished(state=State.DONE_WITH_ERRORS, messages_failed=2)
    folder(job, source="Entwürfe <b>", destination="Drafts", failed=2, copied=5, present=2)
    folder(job, source="Big", skipped=1, copied=9, skipped_why={"too_large": 1})
    Loss.objects.create(job=job, position=0, folder="Entwürfe", uid="77", reason="NO <i>full</i>")
    page = text_of(viewer_client.get(url("report", job.pk)))
    for expected in (
        "Entwürfe &lt;b&gt; → Drafts",
        "2 messages did not arrive",
        "Complete, 1 left out",
        "1 above the size limit",
        "NO &lt;i&gt;full&lt;/i&gt;",
        ">77<",
        "Built-in",
        "Real run",
        "20 November 2026, 14:00",
        "table report",
    ):
        assert expected in page
    assert "<i>full" not in page


def test_the_report_of_a_dry_run_says_that_nothing_was_copied(viewer_client: Client) -> None:
    job = finished(dry_run=True)
    folder(job)
    page = text_of(viewer_client.get(url("report", job.pk)))
    assert "Dry run: nothing was copied" in page
    assert "To copy" in page
    assert ">Copied<" not in page


def test_reports_of_all_states_show_no_password(viewer_client: Client) -> None:
    batch = BatchFactory()
    jobs = in_every_state()
    MigrationJob.objects.update(batch=batch)
    addresses = [url(name, batch.pk) for name in BATCH_PAGES]
    addresses += [url(name, job.pk) for job in jobs for name in JOB_PAGES]
    for address in addresses:
        response = viewer_client.get(address)
        assert response.status_code == 200, address
        text = text_of(response)
        for secret in (SOURCE_PASSWORD, DESTINATION_PASSWORD, "pm1."):
            assert secret not in text, address


JOB_PAGES = ("report", "report_csv", "report_json")
BATCH_PAGES = ("batch_report", "batch_report_csv", "batch_report_json")


@pytest.mark.parametrize("count", [1, 60])
def test_the_report_of_a_job_costs_few_queries(
    viewer_client: Client, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = finished(state=State.DONE_WITH_ERRORS, messages_failed=count)
    for number in range(count):
        folder(job)
        Loss.objects.create(job=job, position=number, folder="INBOX", reason="NO")
    viewer_client.get(url("report", job.pk))
    with django_assert_max_num_queries(JOB_QUERIES):
        viewer_client.get(url("report", job.pk))


JOB_QUERIES = 8


def test_the_links_stand_where_there_is_something_to_report(viewer_client: Client) -> None:
    batch = BatchFactory()
    job, fresh = finished(batch=batch), JobFactory(state=State.QUEUED)
    assert url("report", job.pk) in text_of(viewer_client.get(url("detail", job.pk)))
    assert url("report", fresh.pk) not in text_of(viewer_client.get(url("detail", fresh.pk)))
    assert url("batch_report", batch.pk) in text_of(viewer_client.get(url("batch", batch.pk)))


def rows_of(response: Any) -> list[dict[str, str]]:
    text = text_of(response)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_files_of_a_job(viewer_client: Client) -> None:
    job = finished(state=State.DONE_WITH_ERRORS, messages_failed=1005, created_by=None)
    folder(job, source="=1+1", skipped_why={"duplicate": 1}, skipped=1, copied=9)
    folder(job, source="Two", destination_messages=None, destination_bytes=None)
    Loss.objects.create(job=job, position=0, folder="Two", uid="7", bytes=99, reason="NO full")

    response = viewer_client.get(url("report_csv", job.pk))
    assert f"job-{job.pk}-" in response["Content-Disposition"]
    first, second = rows_of(response)
    assert tuple(first) == FOLDER_COLUMNS
    assert first["folder"] == "'=1+1"
    assert (first["difference"], first["skipped_why"]) == ("1", '{"duplicate": 1}')
    assert (second["destination_messages"], second["verdict"]) == ("", "Complete")

    whole = json.loads(text_of(viewer_client.get(url("report_json", job.pk))))
    assert (whole["job"], whole["run"], whole["engine"]) == (job.pk, "real", "builtin")
    assert (whole["found"], whole["difference"], whole["folders"]) == (20, 1, 2)
    assert [row["folder"] for row in whole["by_folder"]] == ["=1+1", "Two"]
    assert whole["did_not_arrive"] == [
        {"folder": "Two", "uid": "7", "bytes": 99, "reason": "NO full"}
    ]
    assert whole["did_not_arrive_unnamed"] == 1004


# A batch


@pytest.fixture
def batch() -> Batch:
    """Three mailboxes: one complete, one with a loss, one that was only compared."""
    batch = BatchFactory(name="Lindenhof")
    complete = finished(batch=batch)
    folder(complete, source="Sent", destination="Sent", destination_messages=20)
    folder(complete, source="Sent Items", destination="Sent", destination_messages=20)
    lost = finished(batch=batch, state=State.DONE_WITH_ERRORS)
    folder(lost, copied=8, failed=2, destination_messages=7)
    dry = finished(batch=batch, dry_run=True, superseded_by=None)
    folder(dry, destination_messages=None, destination_bytes=None)
    folder(finished(batch=batch, dry_run=True, superseded_by=lost), found=1_000_000)
    folder(finished())
    return batch


def test_the_sum_of_a_batch_is_that_of_its_mailboxes(batch: Batch) -> None:
    total, rows = reports.total_of_batch(batch), list(reports.mailboxes_of(batch))
    assert len(rows) == 3
    for name in (
        *("folders", "unfinished", "found", "copied", "to_copy", "present", "skipped", "failed"),
        *("bytes_found", "bytes_copied", "lacking", "difference"),
    ):
        assert getattr(total, name) == sum(getattr(row.figures, name) for row in rows), name
    assert (total.found, total.copied, total.to_copy, total.there) == (40, 28, 10, 27)
    assert (total.there_bytes, total.lacking) == (2000, 1)


def test_a_batch_without_jobs_has_a_report(viewer_client: Client) -> None:
    batch = BatchFactory()
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert "No migration belongs to this batch" in page
    whole = json.loads(text_of(viewer_client.get(url("batch_report_json", batch.pk))))
    assert whole["mailboxes"] == []


def test_the_report_of_a_batch_has_a_row_for_each_mailbox(
    viewer_client: Client, batch: Batch
) -> None:
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    for job in MigrationJob.objects.filter(batch=batch, superseded_by=None):
        assert url("report", job.pk) in page
        assert job.source_address in page
    assert "2 messages did not arrive" in page
    assert "10 to copy" in page
    assert "1,000,000" not in page


@pytest.mark.parametrize(
    ("jobs", "facts", "expected"),
    [
        ([{}, {}], {}, "Complete"),
        ([{}, {"dry_run": True}], {}, "10 to copy"),
        ([{"dry_run": True}], {"copied": 0, "present": 10}, "Nothing to copy"),
        ([{}], {"copied": 9, "skipped": 1}, "Complete, 1 left out"),
        ([{}], {"destination_messages": 3}, "Copied, 7 not there any more"),
        ([{}], {"is_done": False}, "1 folder is not finished"),
        ([{}], {"copied": 9}, "1 message is missing"),
        ([{}, {"state": State.CANCELLED}], {}, "Ended, some cancelled"),
        ([{}, {"state": State.FAILED}], {}, "Ended, some failed"),
        ([{}, {"state": State.QUEUED}], {}, "Waiting"),
    ],
)
def test_all_mailboxes_together_fare_no_better_than_one_of_them(
    jobs: list[dict[str, Any]], facts: dict[str, Any], expected: str
) -> None:
    batch = BatchFactory()
    for job in jobs:
        folder(finished(batch=batch, **job), **facts)
    assert str(reports.summary_of_batch(batch).look.word) == expected


def test_a_row_says_that_earlier_tries_copied_what_counts_as_there(viewer_client: Client) -> None:
    batch = BatchFactory()
    job = finished(batch=batch, tries=3)
    folder(job, copied=4, present=5, skipped=1, skipped_why={"too_large": 1})
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert "1 above the size limit; last of 3 tries: what the earlier ones copied" in page
    MigrationJob.objects.update(tries=1)
    assert "earlier ones" not in text_of(viewer_client.get(url("batch_report", batch.pk)))


def test_a_row_says_why_a_mailbox_failed(viewer_client: Client) -> None:
    batch = BatchFactory()
    verdict = "Dr. Who cancelled it for <anna>. What was copied stays."
    finished(batch=batch, state=State.FAILED, verdict=verdict)
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert "Dr. Who cancelled it for &lt;anna&gt;. What was copied stays." in page
    MigrationJob.objects.update(cause=Cause.SOURCE_PASSWORD)
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert "Wrong source password" in page
    assert "Dr. Who" not in page


def test_the_files_of_a_batch_hold_all_mailboxes_and_are_on_record(
    viewer_client: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "CHUNK", 2)
    rows = rows_of(viewer_client.get(url("batch_report_csv", batch.pk)))
    assert tuple(rows[0]) == MAILBOX_COLUMNS
    assert [row["verdict"] for row in rows] == [
        "Complete",
        "2 messages did not arrive",
        "10 to copy",
    ]
    assert [row["run"] for row in rows] == ["real", "real", "dry"]

    response = viewer_client.get(url("batch_report_json", batch.pk))
    assert f"batch-{batch.pk}-lindenhof-report.json" in response["Content-Disposition"]
    whole = json.loads(text_of(response))
    assert [row["verdict"] for row in whole["mailboxes"]] == [row["verdict"] for row in rows]
    assert "skipped_why" not in whole["total"]
    assert whole["total"]["found"] == sum(int(row["found"]) for row in rows) == 40
    exported = Entry.objects.filter(action="migrations.exported")
    assert [entry.target for entry in exported] == ["Lindenhof"] * 2


@pytest.mark.parametrize("count", [2, 30])
def test_the_report_of_a_batch_costs_few_queries_however_many_mailboxes(
    viewer_client: Client,
    count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports, "ROWS", 20)
    batch = BatchFactory()
    for _number in range(count):
        folder(finished(batch=batch))
    RunningJobFactory(batch=batch)
    viewer_client.get(url("batch_report", batch.pk))
    with django_assert_max_num_queries(BATCH_QUERIES):
        page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert page.count("from person") == min(count + 1, reports.ROWS)


BATCH_QUERIES = 12


def test_a_discarded_batch_has_no_report(viewer_client: Client) -> None:
    batch = BatchFactory(state="discarded")
    for name in BATCH_PAGES:
        assert viewer_client.get(url(name, batch.pk)).status_code == 404
