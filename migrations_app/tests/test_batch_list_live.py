"""The list of batches follows what goes on, and counts nothing that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migrations_app import selectors
from migrations_app.models import Batch, BatchState, MigrationJob, State
from migrations_app.progress.batches import BatchView
from migrations_app.tests.factories import BatchFactory, JobFactory
from migrations_app.tests.pages import HTMX, text_of, url
from migrations_app.tests.test_batch_pages import batch_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
LONG_AGO = timezone.now() - timedelta(days=1)


def news_of_the_list(client: Client, page: str, **more: str) -> Any:
    """What the list of batches that this page shows is told when it asks."""
    asked = dict(re.findall('type="hidden" name="([a-z]+)" value="([^"]*)"', page))
    assert {"known", "since", "page"} <= asked.keys()
    return client.get(url("batches_live"), {**asked, **more}, headers=HTMX)


def test_the_list_of_batches_follows_what_is_unfinished(admin_client: Client) -> None:
    going, ended = batch_with(State.RUNNING, State.DONE), batch_with(State.DONE)
    page = text_of(admin_client.get(url("batches")))
    assert f'hx-get="{url("batches_live")}"' in page
    assert news_of_the_list(admin_client, page).status_code == 204
    going.jobs.update(state=State.DONE)
    news = news_of_the_list(admin_client, page)
    assert news.status_code == 286, "nothing goes on any more"
    assert "2 of 2 done" in text_of(news)
    assert f'id="batch-{going.pk}-state"' in text_of(news)
    assert f'id="batch-{ended.pk}-state"' not in text_of(news), "it stands as it was"
    assert "batch-rows" not in text_of(news), "no row moves"
    assert url("batches_live") not in text_of(admin_client.get(url("batches")))


def test_a_new_batch_moves_no_row_under_an_open_menu(admin_client: Client) -> None:
    known = batch_with(State.RUNNING)
    page = text_of(admin_client.get(url("batches")))
    newer = batch_with(State.QUEUED)
    assert news_of_the_list(admin_client, page, held="1").status_code == 204
    news = text_of(news_of_the_list(admin_client, page))
    assert news.index(newer.name) < news.index(known.name)
    assert 'id="batch-rows" hx-swap-oob="true"' in news
    assert news_of_the_list(admin_client, news).status_code == 204
    newer.delete()
    held = text_of(news_of_the_list(admin_client, news, held="1"))
    assert "batch-rows" not in held
    assert admin_client.get(url("batches_live"))["Location"] == url("batches")


# What is counted


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that the last request counted."""
    found: list[Batch] = []
    look_at = selectors.look_at

    def noting(batches: Iterable[Batch]) -> list[BatchView]:
        found[:] = batches
        return look_at(found)

    monkeypatch.setattr(selectors, "look_at", noting)
    return found


def long_ended(state: str = State.DONE) -> Batch:
    return batch_with(state, ended_at=LONG_AGO, queued_at=LONG_AGO)


def test_what_ended_long_ago_is_not_counted_again(
    admin_client: Client, counted: list[Batch]
) -> None:
    going, *_ended = batch_with(State.RUNNING), long_ended(), long_ended(State.FAILED)
    page = text_of(admin_client.get(url("batches")))
    assert len(counted) == 3
    assert news_of_the_list(admin_client, page).status_code == 204
    assert counted == [going]
    MigrationJob.objects.filter(batch=going).update(messages_done=9_000, bytes_done=10**9)
    news = news_of_the_list(admin_client, page)
    assert news.status_code == 200
    assert news_of_the_list(admin_client, text_of(news)).status_code == 204
    assert counted == [going]


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda batch: batch.jobs.update(state=State.QUEUED), "Waiting"),
        (lambda batch: batch.jobs.update(ended_at=timezone.now(), state=State.FAILED), "Ended"),
        (lambda batch: Batch.objects.filter(pk=batch.pk).update(state="importing"), "Importing"),
        (lambda batch: JobFactory(batch=batch, ended_at=timezone.now()), "2 of 2 done"),
    ],
)
def test_what_is_set_going_again_is_seen_also_if_it_is_over_at_once(
    admin_client: Client, happens: Callable[[Batch], object], words: str
) -> None:
    batch_with(State.RUNNING)
    ended = long_ended()
    page = text_of(admin_client.get(url("batches")))
    happens(ended)
    news = text_of(news_of_the_list(admin_client, page))
    assert f'id="batch-{ended.pk}-state"' in news
    assert words in news


def test_an_import_that_made_no_job_is_not_shown_for_ever(admin_client: Client) -> None:
    batch = BatchFactory(state=BatchState.IMPORTING)
    page = text_of(admin_client.get(url("batches")))
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.ACTIVE)
    news = news_of_the_list(admin_client, page)
    assert news.status_code == 286
    assert f'id="batch-{batch.pk}-state"' in text_of(news)


def test_a_preview_that_was_imported_meanwhile_is_seen(admin_client: Client) -> None:
    batch_with(State.RUNNING)
    batch = BatchFactory(state=BatchState.PREVIEW)
    page = text_of(admin_client.get(url("batches")))
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.ACTIVE)
    assert f'id="batch-{batch.pk}-state"' in text_of(news_of_the_list(admin_client, page))


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-20T14:00:00"])
def test_a_page_that_says_no_moment_has_all_of_it_counted(
    admin_client: Client, counted: list[Batch], since: str
) -> None:
    batch_with(State.RUNNING)
    long_ended()
    page = text_of(admin_client.get(url("batches")))
    assert news_of_the_list(admin_client, page, since=since).status_code == 204
    assert len(counted) == 2
