"""The page of one job: its log, its phases, its end, as they come."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from migrations_app.models import MigrationJob, State
from migrations_app.tests.factories import FolderFactory, JobFactory, LogFactory, RunningJobFactory
from migrations_app.tests.pages import HTMX, LINE, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_a_job_costs_few_queries_however_much_it_holds(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = RunningJobFactory()
    for position in range(100):
        FolderFactory(job=job, position=position)
        LogFactory(job=job, text=LINE.format(position))
    admin_client.get(url("detail", job.pk))
    with django_assert_max_num_queries(12):
        admin_client.get(url("detail", job.pk))
    with django_assert_max_num_queries(12):
        admin_client.get(url("live", job.pk), headers=HTMX)


def poll_job(client: Client, page: Any) -> Any:
    context = page.context
    asked = {
        "seen": context["view"].token,
        "phase": context["job"].phase,
        "log": context["cursor"],
    }
    return client.get(url("live", context["job"].pk), asked, headers=HTMX)


def test_a_job_without_news_gets_no_answer(admin_client: Client) -> None:
    page = admin_client.get(url("detail", RunningJobFactory().pk))
    assert poll_job(admin_client, page).status_code == 204


def test_log_lines_arrive_once_each(admin_client: Client) -> None:
    job = RunningJobFactory()
    LogFactory(job=job, text=LINE.format("first"))
    page = admin_client.get(url("detail", job.pk))
    LogFactory(job=job, text=LINE.format("second <b>"))
    answer = poll_job(admin_client, page)
    html = text_of(answer)
    assert "first" in text_of(page)
    assert "first" not in html
    assert html.count("second &lt;b&gt;") == 1
    assert poll_job(admin_client, answer).status_code == 204


def test_a_flood_of_lines_starts_the_shown_log_anew_so_that_it_has_no_gap(
    admin_client: Client,
) -> None:
    job = RunningJobFactory()
    LogFactory(job=job, text=LINE.format("old"))
    page = admin_client.get(url("detail", job.pk))
    LogFactory(job=job, text="".join(LINE.format(f"line-{number}.") for number in range(300)))
    html = text_of(poll_job(admin_client, page))
    assert '<div id="log-lines" hx-swap-oob="innerHTML">' in html
    assert "line-99." not in html
    assert "line-100." in html


def test_the_page_shows_the_last_200_lines_and_the_download_all(admin_client: Client) -> None:
    job = JobFactory(name="Anna's mail / 2026")
    for start in (0, 150):
        lines = (LINE.format(f"line-{number}.") for number in range(start, start + 150))
        LogFactory(job=job, text="".join(lines))
    page = text_of(admin_client.get(url("detail", job.pk)))
    assert "line-99." not in page
    assert "line-100." in page
    response = admin_client.get(url("log", job.pk))
    assert response["Content-Disposition"] == (
        f'attachment; filename="job-{job.pk}-annas-mail-2026.log"'
    )
    assert text_of(response).count("\n") == 300


def test_a_new_phase_is_announced_but_not_every_number(admin_client: Client) -> None:
    job = RunningJobFactory(phase="compare")
    page = admin_client.get(url("detail", job.pk))
    MigrationJob.objects.filter(pk=job.pk).update(version=8, messages_done=1)
    answer = poll_job(admin_client, page)
    assert "job-news" not in text_of(answer)
    MigrationJob.objects.filter(pk=job.pk).update(version=9, phase="copy")
    assert '<p id="job-news" hx-swap-oob="innerHTML">Copying</p>' in text_of(
        poll_job(admin_client, answer)
    )


def test_the_end_brings_the_verdict_and_stops_the_asking(admin_client: Client) -> None:
    job = RunningJobFactory(dry_run=True)
    page = admin_client.get(url("detail", job.pk))
    MigrationJob.objects.filter(pk=job.pk).update(
        version=8, state=State.DONE, verdict="All can be copied.", ended_at=timezone.now()
    )
    answer = poll_job(admin_client, page)
    html = text_of(answer)
    assert answer.status_code == 286
    assert "every 2s" not in html
    assert "Done. All can be copied." in html
    assert "Run for real" in html


def test_live_addresses_opened_by_hand_lead_to_the_page(admin_client: Client) -> None:
    job = JobFactory()
    assert admin_client.get(url("list_live"))["Location"] == url("list")
    assert admin_client.get(url("live", job.pk))["Location"] == url("detail", job.pk)


def test_an_interrupted_job_says_that_it_goes_on(admin_client: Client) -> None:
    job = JobFactory(
        state=State.INTERRUPTED, requeues=1, verdict="The worker stopped. Requeued, try 2 of 3."
    )
    for address in (url("list"), url("detail", job.pk)):
        page = text_of(admin_client.get(address))
        assert "Requeued, try 2 of 3." in page
        assert "every 2s" in page
