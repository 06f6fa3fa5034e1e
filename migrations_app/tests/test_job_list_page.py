"""The list of jobs: searched, counted, and refreshed under the eyes of who reads it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from migrations_app.models import MigrationJob, State
from migrations_app.queueing import dispatch
from migrations_app.tests.factories import JobFactory, RunningJobFactory, ServerFactory
from migrations_app.tests.pages import HTMX, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_the_list_is_a_page_or_its_fragment(admin_client: Client) -> None:
    JobFactory()
    whole = admin_client.get(url("list"))
    part = admin_client.get(url("list"), headers=HTMX)
    back = admin_client.get(url("list"), headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert "<html" in text_of(whole)
    assert "<html" not in text_of(part)
    assert '<div id="jobs">' in text_of(part)
    assert "<html" in text_of(back)
    assert "HX-Request" in part["Vary"]


def test_searching_keeps_the_filters_in_step(admin_client: Client) -> None:
    JobFactory(name="needle")
    JobFactory(name="hay")
    page = text_of(admin_client.get(url("list") + "?q=needle", headers=HTMX))
    assert 'hx-swap-oob="innerHTML"' in page
    assert "needle" in page
    assert "hay" not in page
    assert "?q=needle&amp;state=failed" in page


def test_an_empty_list_offers_what_comes_first(admin_client: Client) -> None:
    assert "Add a server" in text_of(admin_client.get(url("list")))
    assert "Add a server" in text_of(admin_client.get(url("add")))
    ServerFactory()
    assert "No migrations yet" in text_of(admin_client.get(url("list")))
    assert "No job matches" in text_of(admin_client.get(url("list") + "?q=x"))


@pytest.mark.parametrize("count", [5, 200])
def test_the_list_costs_few_queries_however_long_it_is(
    admin_client: Client, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    server = ServerFactory()
    for number in range(count):
        make = RunningJobFactory if number % 50 == 0 else JobFactory
        make(source_server=server, destination_server=server)
    JobFactory(state=State.QUEUED)
    dispatch.limits()
    admin_client.get(url("list"))
    with django_assert_max_num_queries(12):
        response = admin_client.get(url("list"))
    assert len(response.context["list"].rows) == min(count + 1, 50)


def poll_list(client: Client, page: Any, **changes: Any) -> Any:
    """What the page asks for, after `page` was its answer."""
    context = page.context
    asked = {"known": context["known"], "counts": context["counts"], "page": 1, **changes}
    return client.get(url("list_live"), asked, headers=HTMX)


def test_a_list_without_news_gets_no_answer(admin_client: Client) -> None:
    RunningJobFactory()
    page = admin_client.get(url("list"))
    assert poll_list(admin_client, page).status_code == 204


def test_only_the_cells_that_changed_are_sent(admin_client: Client) -> None:
    moving, still = RunningJobFactory(), RunningJobFactory()
    page = admin_client.get(url("list"))
    MigrationJob.objects.filter(pk=moving.pk).update(version=99, messages_done=9000)
    answer = poll_list(admin_client, page)
    html = text_of(answer)
    assert "9,000 of 12,370" in html
    assert f'id="job-{moving.pk}-progress"' in html
    assert f'id="job-{still.pk}-progress"' not in html
    assert f'id="job-{moving.pk}-menu"' not in html
    assert "data-pick" not in html
    assert poll_list(admin_client, answer).status_code == 204


def test_a_job_that_ends_gets_new_actions_and_is_announced(admin_client: Client) -> None:
    RunningJobFactory()
    job = RunningJobFactory(name="anna")
    page = admin_client.get(url("list"))
    MigrationJob.objects.filter(pk=job.pk).update(version=9, state=State.FAILED, verdict="No.")
    held = poll_list(admin_client, page, held="1")
    html = text_of(held)
    assert "anna: Failed." in html
    assert url("rerun", job.pk) in html
    assert f'id="job-{job.pk}-quick"' in html, "where focus returns to"
    assert "job-rows-" not in html
    assert poll_list(admin_client, held, held="1").status_code == 204
    assert "job-rows-" in text_of(poll_list(admin_client, held))


def test_a_row_deleted_under_an_open_menu_goes_once_the_menu_is_closed(
    admin_client: Client,
) -> None:
    job = RunningJobFactory()
    gone = JobFactory()
    page = admin_client.get(url("list"))
    gone_id = f'id="job-{gone.pk}"'
    assert gone_id in text_of(page)
    gone.delete()
    held = poll_list(admin_client, page, held="1")
    assert "job-rows-" not in text_of(held)
    html = text_of(poll_list(admin_client, held))
    assert "job-rows-" in html
    assert f'id="job-{job.pk}"' in html
    assert gone_id not in html


def test_a_list_where_nothing_goes_on_stops_asking(admin_client: Client) -> None:
    job = RunningJobFactory()
    page = admin_client.get(url("list"))
    assert "every 2s" in text_of(page)
    MigrationJob.objects.filter(pk=job.pk).update(version=9, state=State.DONE)
    answer = poll_list(admin_client, page)
    assert answer.status_code == 286
    assert "every 2s" not in text_of(answer)


@pytest.mark.parametrize("known", ["", "x", "1:2:3,,:", "9" * 50, "-1:0.done."])
def test_nonsense_about_known_rows_is_survived(admin_client: Client, known: str) -> None:
    RunningJobFactory()
    query = {"known": known, "page": "x", "held": "1"}
    assert admin_client.get(url("list_live"), query, headers=HTMX).status_code == 200
