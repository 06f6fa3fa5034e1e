"""What was to be copied: said before an import, and in every form of a report."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from migrations_app.engines.plan import Options
from migrations_app.models import Batch, State
from migrations_app.tests.batching import preview, table
from migrations_app.tests.factories import BatchFactory, FolderFactory, JobFactory
from migrations_app.tests.pages import text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

NARROW = Options(
    include=("INBOX", "Büro"), exclude=("Spam",), max_age_days=365, max_message_bytes=25_000_000
)
SAID = ("only INBOX, Büro", ">Spam<", ">365 days<", ">25.0\N{NO-BREAK SPACE}MB<")
NOT_SAID = (">all<", ">none<", ">any<")
FACTS: dict[str, Any] = {
    "only_folders": ["INBOX", "Büro"],
    "folders_left_out": ["Spam"],
    "max_age_days": 365,
    "max_message_bytes": 25_000_000,
}


def batch_with(options: Options, *more: Options, **facts: Any) -> Batch:
    """A job for each of these options; the batch itself was made with others."""
    batch: Batch = BatchFactory()
    for one in (options, *more):
        JobFactory(batch=batch, options=one.as_json(), **facts)
    return batch


@pytest.mark.parametrize("name", ["batch_report", "report"])
def test_a_report_says_what_was_to_be_copied(viewer_client: Client, name: str) -> None:
    for options, expected in ((NARROW, SAID), (Options(), NOT_SAID)):
        batch = batch_with(options)
        pk = batch.pk if name == "batch_report" else batch.jobs.get().pk
        page = text_of(viewer_client.get(url(name, pk)))
        assert [words for words in expected if words not in page] == []


@pytest.mark.parametrize(
    ("dry_runs", "words", "run"),
    [
        ([True, True], "Dry run: nothing was copied", "dry"),
        ([False, False], "Real run", "real"),
        ([True, False, False], "1 of 3 is a dry run", "both"),
        ([True, True, False], "2 of 3 are dry runs", "both"),
        ([], "Dry run: nothing was copied", "dry"),
    ],
)
def test_a_report_says_whether_mail_was_copied(
    viewer_client: Client, dry_runs: list[bool], words: str, run: str
) -> None:
    batch = BatchFactory()
    for dry_run in dry_runs:
        JobFactory(batch=batch, dry_run=dry_run)
    assert words in text_of(viewer_client.get(url("batch_report", batch.pk)))
    whole = json.loads(text_of(viewer_client.get(url("batch_report_json", batch.pk))))
    assert whole["run"] == run


def test_mailboxes_that_were_edited_are_told_apart(viewer_client: Client) -> None:
    batch = batch_with(NARROW, NARROW, Options(), Options(subscribe=False))
    page = text_of(viewer_client.get(url("batch_report", batch.pk)))
    assert SAID[0] in page
    assert "2 mailboxes have others: see their own reports" in page
    alike = batch_with(NARROW, NARROW)
    assert "Other options" not in text_of(viewer_client.get(url("batch_report", alike.pk)))


def test_options_that_are_stored_differently_and_mean_the_same_are_the_same(
    viewer_client: Client,
) -> None:
    batch = batch_with(Options())
    JobFactory(batch=batch, options={})
    assert "Other options" not in text_of(viewer_client.get(url("batch_report", batch.pk)))


def test_the_files_of_a_batch_say_it_too(viewer_client: Client) -> None:
    batch = batch_with(NARROW, NARROW, Options())
    text = text_of(viewer_client.get(url("batch_report_csv", batch.pk))).removeprefix("\ufeff")
    first, _second, third = csv.DictReader(io.StringIO(text))
    assert (json.loads(first["only_folders"]), first["max_age_days"]) == (["INBOX", "Büro"], "365")
    assert (third["only_folders"], third["max_message_bytes"]) == ("", "")
    whole = json.loads(text_of(viewer_client.get(url("batch_report_json", batch.pk))))
    assert whole.items() >= FACTS.items()
    assert whole["mailboxes_with_other_options"] == 1
    assert whole["mailboxes"][0].items() >= FACTS.items()
    assert whole["mailboxes"][2]["only_folders"] == []


def test_the_sum_of_a_batch_has_its_verdict_in_json(viewer_client: Client) -> None:
    batch = batch_with(Options(), state=State.DONE_WITH_ERRORS)
    FolderFactory(job=batch.jobs.get(), found=5, copied=3, failed=2, is_done=True)
    whole = json.loads(text_of(viewer_client.get(url("batch_report_json", batch.pk))))
    assert whole["total"]["verdict"] == "Ended with errors"


@pytest.mark.parametrize(
    ("dry_run", "words"),
    [(True, "Dry run: nothing is copied yet"), (False, "Real run: the mail is copied")],
)
def test_a_preview_says_what_would_be_copied(
    viewer_client: Client, admin: User, words: str, *, dry_run: bool
) -> None:
    batch = preview(admin, table(1), dry_run=dry_run, options=NARROW)
    page = text_of(viewer_client.get(url("batch_preview", batch.pk)))
    assert [one for one in (*SAID, words) if one not in page] == []
