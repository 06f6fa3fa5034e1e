"""What did not arrive, as files for spreadsheets: of a job, and of a whole batch."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from migrations_app.models import Batch, Loss, MigrationJob, State
from migrations_app.reports.files import LOSS_COLUMNS, LOST_MAIL_COLUMNS
from migrations_app.selectors import losses as selectors
from migrations_app.tests.factories import BatchFactory, JobFactory, RunningJobFactory
from migrations_app.tests.pages import text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def lossy(*folders: str, **facts: Any) -> MigrationJob:
    """A job that lost one message of each folder, the first two of them named alike."""
    values = {"state": State.DONE_WITH_ERRORS, "messages_failed": len(folders)}
    job = JobFactory(**{**values, **facts})
    Loss.objects.bulk_create(
        Loss(job=job, position=number, folder=folder, uid=f"{number + 1}", bytes=99, reason="NO")
        for number, folder in enumerate(folders)
    )
    return job


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.streaming
    text = text_of(response)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_file_of_a_job_names_each_message_and_harms_no_spreadsheet(
    viewer_client: Client,
) -> None:
    job = lossy("=cmd()", "Archive", messages_failed=7)
    Loss.objects.filter(position=1).update(uid="", bytes=None, reason="+NO\nfull")
    response = viewer_client.get(url("losses_csv", job.pk))
    assert f"job-{job.pk}-" in response["Content-Disposition"]
    assert "-losses.csv" in response["Content-Disposition"]
    first, second, rest = rows_of(response)
    assert tuple(first) == LOSS_COLUMNS
    assert [*first.values()] == ["'=cmd()", "1", "99", "NO"]
    assert [*second.values()] == ["Archive", "", "", "'+NO\nfull"]
    assert rest["reason"] == "5 more messages did not arrive; they are not kept by name."


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (1, "1 message did not arrive; it is not kept by name."),
        (7, "7 messages did not arrive; they are not kept by name."),
    ],
)
def test_a_job_whose_losses_nobody_named_says_how_many_there_are(
    viewer_client: Client, failed: int, words: str
) -> None:
    job = JobFactory(state=State.DONE_WITH_ERRORS, messages_failed=failed)
    (row,) = rows_of(viewer_client.get(url("losses_csv", job.pk)))
    assert (row["folder"], row["reason"]) == ("", words)
    for page in ("detail", "report"):
        text = text_of(viewer_client.get(url(page, job.pk)))
        assert words in text
        assert url("losses_csv", job.pk) in text
    whole = json.loads(text_of(viewer_client.get(url("report_json", job.pk))))
    assert (whole["did_not_arrive"], whole["did_not_arrive_unnamed"]) == ([], failed)


def test_a_job_without_losses_has_an_empty_file_and_no_link(viewer_client: Client) -> None:
    job = JobFactory()
    assert rows_of(viewer_client.get(url("losses_csv", job.pk))) == []
    for page in ("detail", "report"):
        assert url("losses_csv", job.pk) not in text_of(viewer_client.get(url(page, job.pk)))


@pytest.mark.parametrize("page", ["detail", "report"])
def test_the_pages_of_a_job_lead_to_the_file(viewer_client: Client, page: str) -> None:
    job = lossy("INBOX")
    assert url("losses_csv", job.pk) in text_of(viewer_client.get(url(page, job.pk)))


@pytest.fixture
def batch() -> Batch:
    """Two mailboxes with losses, one complete, one that another goes on from, one elsewhere."""
    batch = BatchFactory(name="Lindenhof")
    lossy("INBOX", "Sent", batch=batch)
    JobFactory(batch=batch)
    lossy("-Archive", batch=batch, messages_failed=4)
    lossy("Old", batch=batch, superseded_by=JobFactory(batch=batch))
    lossy("Elsewhere")
    return batch


def test_the_file_of_a_batch_names_the_mailbox_of_each(
    viewer_client: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "CHUNK", 2)
    assert url("batch_losses_csv", batch.pk) in text_of(
        viewer_client.get(url("batch_report", batch.pk))
    )
    response = viewer_client.get(url("batch_losses_csv", batch.pk))
    assert f"batch-{batch.pk}-lindenhof-losses.csv" in response["Content-Disposition"]
    rows = rows_of(response)
    assert tuple(rows[0]) == LOST_MAIL_COLUMNS
    assert [row["folder"] for row in rows] == ["INBOX", "Sent", "'-Archive", ""]
    assert rows[3]["reason"].startswith("3 more messages did not arrive")
    assert rows[3]["source_address"] == rows[2]["source_address"] != rows[1]["source_address"]
    entry = Entry.objects.get(action="migrations.exported")
    assert (entry.target, entry.after["what"]) == ("Lindenhof", "did not arrive")


def test_the_file_of_a_batch_is_in_the_order_of_its_mailboxes_and_leaves_none_out(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "CHUNK", 2)
    batch = BatchFactory()
    unnamed = JobFactory(batch=batch, state=State.FAILED, messages_failed=3)
    early, late = JobFactory(batch=batch), JobFactory(batch=batch)
    JobFactory(batch=batch)
    for number, job in enumerate((late, early, late, early)):  # of runs that ended side by side
        Loss.objects.create(job=job, position=number, folder=f"F{number}", reason="NO")
    url_of_file = url("batch_losses_csv", batch.pk)
    assert url_of_file in text_of(viewer_client.get(url("batch_report", batch.pk)))
    rows = rows_of(viewer_client.get(url_of_file))
    assert [(int(row["job"]), row["folder"]) for row in rows] == [
        (unnamed.pk, ""),
        (early.pk, "F1"),
        (early.pk, "F3"),
        (late.pk, "F0"),
        (late.pk, "F2"),
    ]
    assert rows[0]["reason"] == "3 messages did not arrive; they are not kept by name."
    assert rows[0]["source_address"] == unnamed.source_address


def test_a_batch_without_losses_offers_no_file(viewer_client: Client) -> None:
    batch = BatchFactory()
    RunningJobFactory(batch=batch)
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert url("batch_losses_csv", batch.pk) not in page
    assert rows_of(viewer_client.get(url("batch_losses_csv", batch.pk))) == []


def test_each_chunk_is_one_query_and_no_password_is_read(
    batch: Batch,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(selectors, "CHUNK", 2)
    with django_assert_num_queries(3) as queries:
        found = list(selectors.losses_in(batch))
        assert len({job.source_address for job, _losses in found}) == 2
        assert [len(losses) for _job, losses in found] == [2, 1]
    assert not any("password" in query["sql"] for query in queries.captured_queries)
