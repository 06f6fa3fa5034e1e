"""The list and a job's page refresh under the hands of who uses them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from migrations_app.models import MigrationJob, State
from migrations_app.tests.factories import (
    BatchFactory,
    JobFactory,
    LogFactory,
    RunningJobFactory,
    ServerFactory,
)
from purelymanage.tests.live import signed_in_page

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(
    live_server: LiveServer, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A browser in which an admin is signed in."""
    with signed_in_page(live_server, admin_client, monkeypatch) as page:
        yield page


def change(job: MigrationJob, **facts: object) -> None:
    MigrationJob.objects.filter(pk=job.pk).update(version=F("version") + 1, **facts)


def test_rows_refresh_and_keep_tick_menu_and_focus(page: Page) -> None:
    job, other = RunningJobFactory(), RunningJobFactory()
    page.goto("/migrations/")
    row = page.locator(f"#job-{job.pk}")
    row.get_by_role("checkbox").check()
    row.get_by_role("button", name="More actions").click()
    change(job, messages_done=9000)
    expect(row).to_contain_text("9,000 of 12,370", timeout=5000)
    expect(page.locator(f"#job-{job.pk}-menu")).to_be_visible()

    change(other, state=State.FAILED, verdict="No. Try again.", ended_at=timezone.now())
    expect(page.locator(f"#job-{other.pk}")).to_contain_text("Failed", timeout=5000)
    expect(page.locator("tbody tr").first).to_have_id(f"job-{other.pk}")
    expect(page.locator(f"#job-{job.pk}-menu")).to_be_visible()

    page.keyboard.press("Escape")
    page.locator(f"#job-{job.pk}-link").focus()
    expect(page.locator("tbody tr").first).to_have_id(f"job-{job.pk}", timeout=5000)
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.locator(f"#job-{job.pk}-link")).to_be_focused()
    expect(page.locator("[data-selected]")).to_have_text("1")


def test_the_list_of_batches_refreshes_and_keeps_the_focus(page: Page) -> None:
    batch = BatchFactory()
    running = RunningJobFactory(batch=batch)
    page.goto("/migrations/batches/")
    link = page.locator(f"#batch-{batch.pk}-link")
    link.focus()
    JobFactory(batch=batch)
    progress, state = (page.locator(f"#batch-{batch.pk}-{cell}") for cell in ("progress", "state"))
    expect(progress).to_contain_text("1 of 2 done", timeout=15000)
    newer = BatchFactory()
    JobFactory(batch=newer)
    expect(page.locator("#batch-rows tr").first).to_contain_text(newer.name, timeout=15000)
    expect(link).to_be_focused()
    change(running, state=State.DONE)
    expect(state).to_contain_text("Done", timeout=15000)
    expect(page.locator("#batch-poll")).not_to_have_attribute("hx-get", "/migrations/batches/live/")


def test_a_job_page_follows_the_run_to_its_verdict(page: Page) -> None:
    job = RunningJobFactory(dry_run=True)
    LogFactory(job=job, text="2026-11-20T14:38:02.000+00:00 info first line\n")
    page.goto(f"/migrations/{job.pk}/")
    for word in ("second", "third"):
        LogFactory(job=job, text=f"2026-11-20T14:38:03.000+00:00 info {word} line\n")
        expect(page.get_by_role("log")).to_contain_text(f"{word} line", timeout=5000)
    expect(page.locator("#log-lines > div")).to_have_count(3)

    change(job, state=State.DONE, verdict="All can be copied.", ended_at=timezone.now())
    expect(page.get_by_role("button", name="Run for real")).to_be_visible(timeout=5000)
    expect(page.locator("#job-news")).to_have_text("Done. All can be copied.")
    page.get_by_role("button", name="Run for real").click()
    expect(page.get_by_text("Number 1 in the queue")).to_be_visible()
    assert not MigrationJob.objects.exclude(pk=job.pk).get().dry_run


@pytest.mark.parametrize("width", [1440, 390])
def test_the_longest_names_stay_inside_the_window(page: Page, width: int) -> None:
    server = ServerFactory(name="W" * 120)
    long = {"name": "V" * 120, "source_server": server, "destination_server": server}
    done = JobFactory(**long, dry_run=True, ended_at=timezone.now(), verdict="Done. Look.")
    RunningJobFactory(**long, source_address="x" * 60 + "@old.example")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/migrations/{done.pk}/")
    page.get_by_role("button", name="Run for real").click()
    expect(page.get_by_text("is queued for real.")).to_be_visible()
    outside = []
    for address in (
        None,
        "/migrations/",
        f"/migrations/{done.pk}/",
        f"/migrations/{done.pk}/edit/",
        f"/migrations/{done.pk}/delete/",
        "/migrations/new/",
        "/migrations/servers/",
        f"/migrations/servers/{server.pk}/edit/",
        f"/migrations/servers/{server.pk}/test/",
        f"/migrations/servers/{server.pk}/delete/",
    ):
        if address:
            page.goto(address)
        outside += [f"{page.url} {element}" for element in page.evaluate(OUTSIDE)]
    assert outside == []


OUTSIDE = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, thead, .filters")
    && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => `${one.tagName}.${one.className}: ${one.getBoundingClientRect().right}`)"""


def test_news_of_a_job_take_away_what_was_said_before(page: Page) -> None:
    job = JobFactory(dry_run=True, ended_at=timezone.now(), verdict="Done. Look.")
    page.goto(f"/migrations/{job.pk}/")
    page.get_by_role("button", name="Run for real").click()
    told = page.get_by_text("is queued for real.")
    expect(told).to_be_visible()
    change(MigrationJob.objects.exclude(pk=job.pk).get(), state=State.RUNNING)
    expect(told).to_be_hidden(timeout=6000)
    expect(page.locator("#job-head")).to_contain_text("Running")


def test_the_keys_walk_over_jobs_and_servers_also_after_a_refresh(page: Page) -> None:
    server = ServerFactory()
    first, second = RunningJobFactory(), RunningJobFactory()
    page.goto("/migrations/")
    change(first, state=State.DONE, ended_at=timezone.now(), verdict="Done.")
    expect(page.locator(".jobs-table tbody tr").first).to_have_id(f"job-{second.pk}", timeout=6000)
    page.keyboard.press("j")
    expect(page.locator(f"#job-{second.pk}-link")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(f"#job-{second.pk}-pick")).to_be_checked()
    page.goto("/migrations/servers/")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=f"Test {server.name}")).to_be_focused()
