"""The pages of batches: their numbers, their jobs, and what is done to all of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from migrations_app.models import Batch, BatchState, BulkWork, MigrationJob, State
from migrations_app.queueing import dispatch
from migrations_app.services import bulk
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    BatchFactory,
    JobFactory,
    RunningJobFactory,
    ServerFactory,
)
from migrations_app.tests.pages import HTMX, text_of, url
from purelymanage.core.planning import plan_anew

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

QUERIES = 12


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 1)


def batch_with(*states: str, **facts: Any) -> Batch:
    batch: Batch = BatchFactory()
    for state in states:
        make = RunningJobFactory if state == State.RUNNING else JobFactory
        make(batch=batch, state=state, **facts)
    return batch


def large_batch(count: int) -> Batch:
    """With jobs in every state, made in one go."""
    batch: Batch = BatchFactory(source_server=ServerFactory(), destination_server=ServerFactory())
    server = {"source_server": batch.source_server, "destination_server": batch.destination_server}
    states = [State.DONE, State.FAILED, State.QUEUED, State.DONE_WITH_ERRORS, State.CANCELLED]
    samples = [JobFactory.build(batch=batch, **server) for _ in range(count)]
    for number, job in enumerate(samples):
        job.state = State.RUNNING if number % (count // 5) == 0 else states[number % 5]
        job.started_at = timezone.now() - timedelta(minutes=2)
        job.source_password = job.destination_password = ""
    MigrationJob.objects.bulk_create(samples, batch_size=500)
    plan_anew(MigrationJob)
    return batch


def test_ten_thousand_jobs_cost_no_more_queries_than_ten(admin_client: Client) -> None:
    dispatch.limits()
    counts = []
    for size in (10, 10_000):
        MigrationJob.objects.all().delete()
        batch = large_batch(size)
        pages = [url("batch", batch.pk), url("batch_live", batch.pk), url("list"), url("batches")]
        counts.append([queries_of(admin_client, page) for page in pages])
    assert counts[0] == counts[1]
    assert max(counts[1]) <= QUERIES


def queries_of(client: Client, page: str) -> int:
    """How many it takes, once it has been opened before."""
    client.get(page, headers=HTMX)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page, headers=HTMX).status_code == 200
    return len(queries)


def test_the_page_shows_what_is_not_superseded_and_no_password(admin_client: Client) -> None:
    batch: Batch = BatchFactory()
    real = RunningJobFactory(batch=batch, name="real one")
    JobFactory(batch=batch, name="dry one", dry_run=True, superseded_by=real)
    JobFactory(name="of no batch")
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert "real one" in page
    assert "dry one" not in page
    assert "of no batch" not in page
    assert "0 of 1 done" in page
    assert "2.3\N{NO-BREAK SPACE}GB of 3.4\N{NO-BREAK SPACE}GB" in page
    for secret in (SOURCE_PASSWORD, DESTINATION_PASSWORD, "pm1."):
        assert secret not in page


def test_states_filter_and_addresses_are_searched_within_the_batch(admin_client: Client) -> None:
    batch = batch_with(State.FAILED, State.DONE)
    failed = batch.jobs.get(state=State.FAILED)
    page = text_of(admin_client.get(url("batch", batch.pk) + "?state=failed"))
    assert f'id="job-{failed.pk}"' in page
    assert f'id="job-{batch.jobs.get(state=State.DONE).pk}"' not in page
    assert f"{url('batch', batch.pk)}?state=done" in page
    part = text_of(admin_client.get(url("batch", batch.pk) + "?q=nobody", headers=HTMX))
    assert "No job matches" in part
    assert "<html" not in part


@pytest.mark.parametrize("state", [BatchState.PREVIEW, BatchState.IMPORTING])
def test_what_is_not_imported_yet_leads_to_its_preview(admin_client: Client, state: str) -> None:
    batch = BatchFactory(state=state)
    response = admin_client.get(url("batch", batch.pk))
    assert response["Location"] == url("batch_preview", batch.pk)


def test_the_list_says_where_each_batch_stands(admin_client: Client) -> None:
    batch_with(State.RUNNING, State.DONE)
    batch_with(State.FAILED, State.DONE)
    batch_with(State.DONE)
    paused = batch_with(State.QUEUED)
    Batch.objects.filter(pk=paused.pk).update(paused_at=timezone.now())
    BatchFactory(state=BatchState.DISCARDED, name="thrown away")
    page = text_of(admin_client.get(url("batches")))
    for words in ("Running", "Ended, some failed", "Done", "Paused", "1 of 2 done"):
        assert words in page
    assert "thrown away" not in page


def test_a_viewer_sees_the_batch_and_no_action(viewer_client: Client) -> None:
    batch = batch_with(State.FAILED, State.QUEUED, State.DONE, dry_run=True)
    page = text_of(viewer_client.get(url("batch", batch.pk)))
    assert batch.name in page
    for name in ("real", "retry", "pause", "cancel", "delete", "start"):
        assert url(f"batch_{name}", batch.pk) not in page


def test_unfinished_batches_stand_above_the_list_of_jobs(admin_client: Client) -> None:
    open_one, ended = batch_with(State.QUEUED), batch_with(State.DONE)
    page = text_of(admin_client.get(url("list")))
    assert url("batch", open_one.pk) in page
    assert url("batch", ended.pk) not in page


def test_a_dry_run_leads_to_its_batch_and_its_real_run(admin_client: Client) -> None:
    real = JobFactory(batch=BatchFactory(name="Lindenhof"))
    dry = JobFactory(batch=real.batch, dry_run=True, superseded_by=real)
    page = text_of(admin_client.get(url("detail", dry.pk)))
    assert f'href="{url("batch", real.batch.pk)}">Lindenhof' in page
    assert f'href="{url("detail", real.pk)}"' in page
    assert url("real", dry.pk) not in page, "it has been run for real"


# Live


def poll(client: Client, page: Any, batch: Batch, **changes: Any) -> Any:
    context = page.context
    asked = {
        "known": context["known"],
        "counts": context["counts"],
        "summaries": context["summaries_token"],
        "works": context["works_token"],
        "head": context["view"].head_token,
        **changes,
    }
    return client.get(url("batch_live", batch.pk), asked, headers=HTMX)


def test_only_what_changed_is_sent(admin_client: Client) -> None:
    batch = batch_with(State.RUNNING, State.QUEUED)
    MigrationJob.objects.filter(state=State.RUNNING).update(started_at=None)  # no rate that moves
    page = admin_client.get(url("batch", batch.pk))
    assert poll(admin_client, page, batch).status_code == 204
    MigrationJob.objects.filter(state=State.RUNNING).update(messages_done=12000, version=99)
    html = text_of(poll(admin_client, page, batch))
    assert 'id="batch-summaries"' in html
    assert 'id="batch-head"' not in html, "its buttons stay where they are"


def test_the_head_offers_something_else_once_a_job_fails(admin_client: Client) -> None:
    batch = batch_with(State.RUNNING, State.QUEUED)
    page = admin_client.get(url("batch", batch.pk))
    MigrationJob.objects.filter(state=State.RUNNING).update(state=State.FAILED, version=99)
    html = text_of(poll(admin_client, page, batch))
    assert 'id="batch-head"' in html
    assert "Retry 1 failed" in html


def test_asking_stops_once_nothing_goes_on(admin_client: Client) -> None:
    batch = batch_with(State.RUNNING)
    page = admin_client.get(url("batch", batch.pk))
    assert "every 2s" in text_of(page)
    MigrationJob.objects.update(state=State.DONE, version=99)
    answer = poll(admin_client, page, batch)
    assert answer.status_code == 286
    assert "every 2s" not in text_of(answer)


def test_a_batch_deleted_meanwhile_leads_to_the_list(admin_client: Client) -> None:
    batch = batch_with(State.DONE)
    page = admin_client.get(url("batch", batch.pk))
    MigrationJob.objects.all().delete()
    pk = batch.pk
    batch.delete()
    batch.pk = pk
    assert poll(admin_client, page, batch)["HX-Redirect"] == url("batches")


# What can be done


def test_all_finished_dry_runs_are_run_for_real(admin_client: Client) -> None:
    batch = batch_with(State.DONE, State.DONE_WITH_ERRORS, State.FAILED, dry_run=True)
    assert "Run 2 for real" in text_of(admin_client.get(url("batch", batch.pk)))
    page = text_of(admin_client.post(url("batch_real", batch.pk), follow=True))
    assert "2 jobs queued for real." in page
    assert batch.jobs.filter(dry_run=False, state=State.QUEUED).count() == 2
    assert "0 of 3 done" in page


def test_all_failed_ones_are_tried_again(admin_client: Client) -> None:
    batch = batch_with(State.FAILED, State.FAILED, State.DONE)
    page = text_of(admin_client.post(url("batch_retry", batch.pk), follow=True))
    assert "2 jobs queued again." in page
    assert batch.jobs.filter(state=State.QUEUED).count() == 2


def test_the_page_says_which_failed_ones_need_a_new_password_first(admin_client: Client) -> None:
    batch = batch_with(State.FAILED, State.FAILED, State.FAILED)
    wrong = batch.jobs.order_by("pk")[:2]
    MigrationJob.objects.filter(pk__in=[job.pk for job in wrong]).update(cause="source_password")
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert "Retry 1 failed" in page
    assert "Retrying leaves out 2 failed jobs: they need new passwords." in page
    page = text_of(admin_client.post(url("batch_retry", batch.pk), follow=True))
    assert "1 job queued again. 2 left out: they need new passwords." in page
    assert "batch-retry" not in page


def test_cancelling_a_batch_asks_first(admin_client: Client) -> None:
    batch = batch_with(State.QUEUED, State.QUEUED, State.DONE)
    question = text_of(admin_client.get(url("batch_cancel", batch.pk), headers=HTMX))
    assert "Cancel 2 jobs?" in question
    assert "data-open-now" in question
    assert batch.jobs.filter(state=State.QUEUED).count() == 2
    admin_client.post(url("batch_cancel", batch.pk), {"confirmed": "1"})
    assert batch.jobs.filter(state=State.CANCELLED).count() == 2


def test_deleting_a_batch_asks_first_and_leads_to_the_list(admin_client: Client) -> None:
    batch = batch_with(State.DONE)
    assert "No mail is touched" in text_of(admin_client.get(url("batch_delete", batch.pk)))
    response = admin_client.post(url("batch_delete", batch.pk))
    assert response["Location"] == url("batches")
    assert not MigrationJob.objects.exists()


def test_a_refusal_is_told_on_the_page_of_the_batch(admin_client: Client) -> None:
    batch = batch_with(State.QUEUED)
    response = admin_client.post(url("batch_delete", batch.pk), follow=True)
    assert response.redirect_chain == [(url("batch", batch.pk), 302)]
    assert "Cancel the batch first" in text_of(response)
    response = admin_client.post(url("batch_real", 12345), follow=True)
    assert response.redirect_chain == [(url("batches"), 302)]


def test_a_batch_is_paused_and_resumed(admin_client: Client, admin: User) -> None:
    batch = batch_with(State.QUEUED)
    page = text_of(admin_client.post(url("batch_pause", batch.pk), follow=True))
    assert "What runs goes on to its end" in page
    assert url("batch_resume", batch.pk) in page
    assert admin.name in page
    page = text_of(admin_client.post(url("batch_resume", batch.pk), follow=True))
    assert url("batch_pause", batch.pk) in page


def test_the_start_is_set_changed_and_taken_away(admin_client: Client) -> None:
    batch = batch_with(State.QUEUED)
    ahead = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    page = text_of(
        admin_client.post(url("batch_start", batch.pk), {"start_at": ahead}, follow=True)
    )
    assert "Nothing more starts before" in page
    assert batch.jobs.get().start_at
    assert ahead in text_of(admin_client.get(url("batch_start", batch.pk)))
    admin_client.post(url("batch_start", batch.pk), {"start_at": ""})
    assert batch.jobs.get().start_at is None
    past = admin_client.post(url("batch_start", batch.pk), {"start_at": "2020-01-01T10:00"})
    assert past.status_code == 422


# All that match


def test_an_action_on_all_that_match_asks_with_their_number(admin_client: Client) -> None:
    batch = batch_with(*[State.FAILED] * 12, State.DONE)
    outside = JobFactory(state=State.FAILED)
    page = admin_client.get(url("batch", batch.pk) + "?state=failed")
    address = page.context["selected_url"]
    data = {"action": "delete", "everything": "1", "selected": [batch.jobs.first().pk]}
    question = text_of(admin_client.post(address, data))
    assert "Delete 12 jobs?" in question
    assert "and 2 more" in question
    assert 'name="everything" value="1"' in question
    admin_client.post(address, data | {"confirmed": "1"})
    assert list(MigrationJob.objects.filter(state=State.FAILED)) == [outside]
    assert batch.jobs.count() == 1


def test_what_ends_while_the_question_stands_is_not_meant(admin_client: Client) -> None:
    batch = batch_with(*[State.DONE] * 2, State.RUNNING)
    address = f"{url('selected')}?batch={batch.pk}"
    data = {"action": "delete", "everything": "1"}
    question = admin_client.post(address, data)
    batch.jobs.filter(state=State.RUNNING).update(state=State.DONE, ended_at=Now())
    asked = {"confirmed": "1", "asked_at": question.context["asked_at"]}
    assert 'name="asked_at"' in text_of(question)
    admin_client.post(address, data | asked)
    assert batch.jobs.count() == 1


@pytest.mark.usefixtures("few")
def test_many_are_left_to_a_worker_whose_progress_stands_on_the_page(admin_client: Client) -> None:
    batch = batch_with(State.FAILED, State.FAILED, State.DONE)
    page = text_of(admin_client.post(url("batch_retry", batch.pk), follow=True))
    work = BulkWork.objects.get()
    assert "0 of 2" in page
    assert "every 2s" in page
    assert url("work_stop", work.pk) in page
    assert url("work_stop", work.pk) not in text_of(admin_client.get(url("list")))
    admin_client.post(url("work_stop", work.pk))
    work.refresh_from_db()
    assert work.ended_at
    again = admin_client.post(url("work_stop", work.pk), follow=True)
    assert "ended already" in text_of(again)


@pytest.mark.usefixtures("few")
def test_work_on_the_list_of_jobs_stands_there(admin_client: Client) -> None:
    for _ in range(3):
        JobFactory(state=State.FAILED)
    data = {"action": "rerun", "everything": "1"}
    page = text_of(admin_client.post(url("selected") + "?state=failed", data, follow=True))
    assert "0 of 3" in page
    works = {"works": "1:0:0"}
    assert admin_client.get(url("list_live"), works, headers=HTMX).status_code == 200


@pytest.mark.parametrize("query", ["?batch=x", "?batch=" + "9" * 40, "?state=x&q=%00nobody"])
@pytest.mark.parametrize("asked_at", ["", "soon", "2026-11-20", "9999-12-31T23:59:59.999999+00:00"])
def test_nonsense_about_all_that_match_matches_nothing(
    admin_client: Client, query: str, asked_at: str
) -> None:
    job = JobFactory(state=State.FAILED)
    data = {"action": "rerun", "everything": "1", "asked_at": asked_at}
    assert admin_client.post(url("selected") + query, data).status_code == 302
    job.refresh_from_db()
    assert job.state == State.FAILED


def test_the_next_page_is_a_page_also_after_the_list_has_moved(admin_client: Client) -> None:
    batch = batch_with(*[State.QUEUED] * 51)
    page = admin_client.get(url("batch", batch.pk))
    moved = text_of(poll(admin_client, page, batch, known="1:x"))
    assert f"{url('batch', batch.pk)}?page=2" in moved
    assert "known=" not in moved
