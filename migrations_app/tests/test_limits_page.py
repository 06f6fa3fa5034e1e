"""The settings of migrations: limits, source hosts that are spared, worker hosts."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from migrations_app.models import HostLimits, HostUse, State
from migrations_app.queueing import dispatch, manners, queue
from migrations_app.tests.factories import JobFactory, RunningJobFactory, ServerFactory
from migrations_app.tests.pages import text_of
from migrations_app.tests.queueing import make_job
from purelymanage.jobs.models import WorkerHost

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
HOUR = timedelta(hours=1)
LIMITS = {
    "at_once": 2,
    "bandwidth_kbs": 40,
    "megabytes_a_day": 2500,
    "per_mailbox": "on",
    "window_from": "22:00",
    "window_to": "06:00",
}


def url(name: str, *args: Any) -> str:
    return reverse(f"migration_settings:{name}", args=args)


def settings_page(client: Client) -> str:
    return " ".join(text_of(client.get(url("limits"))).replace("\N{NO-BREAK SPACE}", " ").split())


def worker(name: str = "mail2:17", **facts: Any) -> WorkerHost:
    now = timezone.now()
    return WorkerHost.objects.create(
        **{"name": name, "started_at": now, "seen_at": now, "capacity": 4, **facts}
    )


def test_limits_are_changed_while_running(admin_client: Client) -> None:
    address = url("limits")
    assert "engine" in text_of(admin_client.get(address)).lower()
    response = admin_client.post(address, {"concurrency": 5, "per_source_host": 3})
    assert response.status_code == 302
    assert (dispatch.limits().concurrency, dispatch.limits().per_source_host) == (5, 3)
    assert admin_client.post(address, {"concurrency": 0, "per_source_host": 3}).status_code == 422


# Source hosts


def test_a_host_is_spared_and_shown(admin_client: Client) -> None:
    response = admin_client.post(url("host_add"), {"host": "IMAP.Old.example", **LIMITS})
    assert response.status_code == 302
    row = HostLimits.objects.get()
    assert (row.host, row.at_once, row.per_mailbox) == ("imap.old.example", 2, True)
    assert (row.bytes_per_second, row.bytes_per_day) == (40_000, 2_500_000_000)
    assert (row.window_from, row.window_to) == (time(22), time(6))
    RunningJobFactory(source_host="Imap.old.example")
    manners.count_use(JobFactory(source_host="imap.old.example"), 700_000_000)
    page = settings_page(admin_client)
    for words in (
        "imap.old.example",
        "1 of 2",
        "40 kB/s",
        "at most 2.5 GB each",
        "700 MB",
        "22:00",
    ):
        assert words in page


def test_a_host_is_changed_while_jobs_wait_and_freed(admin_client: Client) -> None:
    make_job(source_host="imap.old.example")
    row = HostLimits.objects.create(host="imap.old.example", bytes_per_day=0)
    assert queue.claim("a:1") is None
    page = text_of(admin_client.get(url("host_edit", row.pk)))
    assert 'name="host"' not in page
    assert admin_client.post(url("host_edit", row.pk), {"at_once": 1}).status_code == 302
    row.refresh_from_db()
    assert (row.at_once, row.bytes_per_day, row.window_from) == (1, None, None)
    assert queue.claim("a:1")
    admin_client.post(url("host_free", row.pk))
    assert not HostLimits.objects.exists()


def test_what_is_stored_fills_the_form(admin_client: Client) -> None:
    admin_client.post(url("host_add"), {"host": "imap.old.example", **LIMITS})
    row = HostLimits.objects.get()
    form = admin_client.get(url("host_edit", row.pk)).context["form"]
    shown = {name: form[name].value() for name in LIMITS}
    admin_client.post(url("host_edit", row.pk), shown)
    again = HostLimits.objects.get()
    assert {name: value for name, value in vars(again).items() if name != "_state"} == {
        name: value for name, value in vars(row).items() if name != "_state"
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"host": "imap.slow.example"}, "has limits already"),
        ({"host": "https://x.example"}, "Leave out"),
        ({"host": "x.example", "at_once": 0}, "whole number from 1 to 64"),
        ({"host": "x.example", "window_from": "22:00"}, "Give both times"),
        ({"host": "x.example", "window_to": "22:00"}, "Give both times"),
        ({"host": "x.example", "window_from": "8:00", "window_to": "8:00"}, "begin when they end"),
        ({"host": "x.example", "window_from": "8 pm", "window_to": "8:00"}, "like 22:00"),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    admin_client: Client, data: dict[str, Any], words: str
) -> None:
    HostLimits.objects.create(host="imap.slow.example")
    response = admin_client.post(url("host_add"), data)
    assert response.status_code == 422
    assert words in text_of(response)
    assert HostLimits.objects.count() == 1


def test_a_closed_host_says_why_and_is_opened_by_hand(admin_client: Client) -> None:
    make_job(source_host="imap.old.example")
    manners.close("imap.old.example", "Five in a row were throttled.", timezone.now() + HOUR)
    page = settings_page(admin_client)
    assert "Closed until" in page
    assert "Five in a row were throttled." in page
    assert queue.claim("a:1") is None
    row = HostLimits.objects.get()
    assert admin_client.post(url("host_open", row.pk)).status_code == 302
    assert queue.claim("a:1")
    assert "Closed until" not in settings_page(admin_client)
    assert "open already" in text_of(admin_client.post(url("host_open", row.pk), follow=True))


def test_a_host_whose_budget_is_spent_rests(admin_client: Client) -> None:
    HostLimits.objects.create(host="imap.old.example", bytes_per_day=10)
    assert "Rests until" not in settings_page(admin_client)
    manners.count_use(JobFactory(source_host="imap.old.example"), 10)
    assert "Rests until" in settings_page(admin_client)


def test_gmail_is_known_to_bear_with_little(admin_client: Client) -> None:
    assert "at most 2.5 GB a day" not in settings_page(admin_client)
    ServerFactory(host="imap.gmail.com")
    assert "Gmail sends at most 2.5 GB a day from each mailbox" in settings_page(admin_client)
    add_server = text_of(admin_client.get(reverse("migrations:server_add") + "?preset=gmail"))
    assert url("host_add") + "?preset=gmail" in add_server
    form = admin_client.get(url("host_add") + "?preset=gmail").context["form"]
    names = ("host", "bandwidth_kbs", "megabytes_a_day", "per_mailbox")
    data = {name: form[name].value() for name in names}
    assert data == {
        "host": "imap.gmail.com",
        "bandwidth_kbs": 40,
        "megabytes_a_day": 2500,
        "per_mailbox": True,
    }
    admin_client.post(url("host_add"), data)
    assert "Gmail sends at most" not in settings_page(admin_client)


@pytest.mark.parametrize("facts", [{}, {"at_once": 2}, {"bytes_per_second": 700_000}])
def test_a_budget_is_asked_for_where_gmail_is_closed_or_limited_otherwise(
    admin_client: Client, facts: dict[str, int]
) -> None:
    ServerFactory(host="imap.gmail.com")
    row = HostLimits.objects.create(host="imap.gmail.com", **facts)
    manners.close("imap.gmail.com", "Five in a row were throttled.", timezone.now() + HOUR)
    page = settings_page(admin_client)
    assert "Gmail sends at most 2.5 GB a day from each mailbox" in page
    edit = url("host_edit", row.pk) + "?preset=gmail"
    assert edit in page
    form = admin_client.get(edit).context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    assert data["megabytes_a_day"] == 2500
    assert data["bandwidth_kbs"] == facts.get("bytes_per_second", 40_000) // 1000
    assert data["at_once"] == facts.get("at_once", "")
    admin_client.post(edit, data)
    row.refresh_from_db()
    assert row.bytes_per_day == 2_500_000_000
    assert "Gmail sends at most" not in settings_page(admin_client)


def test_a_host_that_was_only_closed_has_no_limits_once_it_is_open(admin_client: Client) -> None:
    manners.close("imap.old.example", "Five in a row were throttled.", timezone.now() + HOUR)
    assert "imap.old.example" in settings_page(admin_client)
    admin_client.post(url("host_open", HostLimits.objects.get().pk))
    assert "No host has limits of its own" in settings_page(admin_client)
    admin_client.post(url("host_add"), {"host": "imap.old.example", "at_once": 2})
    row = HostLimits.objects.get()
    assert row.at_once == 2
    assert row.closed_until, "what failed before is still not counted"
    assert "No host has limits of its own" not in settings_page(admin_client)
    assert "has limits already" in text_of(
        admin_client.post(url("host_add"), {"host": "imap.old.example", "at_once": 3})
    )


# Worker hosts


def test_worker_hosts_are_listed_with_what_they_do(admin_client: Client) -> None:
    assert "No workers run" in settings_page(admin_client)
    worker(version="1.2.3")
    worker("gone:1", seen_at=timezone.now() - HOUR)
    worker("ends:1", is_draining=True)
    RunningJobFactory(owner="mail2:17")
    worker("forgotten:1", seen_at=timezone.now() - 30 * HOUR)
    page = settings_page(admin_client)
    assert "forgotten:1" not in page
    for words in ("mail2:17", "1 of 4", "Works", "Gone", "Is stopping", "1.2.3"):
        assert words in page


def test_a_drained_host_takes_no_work_until_it_is_resumed(admin_client: Client) -> None:
    host = worker()
    make_job()
    assert admin_client.post(url("worker_drain", host.pk)).status_code == 302
    assert queue.claim(host.name) is None
    assert dispatch.draining(host.name).exists()
    assert not dispatch.is_kept_waiting(host.name)
    page = settings_page(admin_client)
    assert "Takes no work" in page
    assert "Drained by" in page
    admin_client.post(url("worker_resume", host.pk))
    assert dispatch.is_kept_waiting(host.name)
    assert queue.claim(host.name)


# Everybody


def test_a_viewer_reads_it_all_and_changes_nothing(viewer_client: Client) -> None:
    host, row = worker(), HostLimits.objects.create(host="imap.old.example")
    page = settings_page(viewer_client)
    assert "imap.old.example" in page
    assert "mail2:17" in page
    assert url("host_add") not in page
    for name, pk in (("host_edit", row.pk), ("host_free", row.pk), ("worker_drain", host.pk)):
        assert url(name, pk) not in page
        assert viewer_client.post(url(name, pk), {"at_once": 9}).status_code == 403
    assert not dispatch.draining(host.name).exists()


@pytest.mark.parametrize("count", [1, 40])
def test_the_page_costs_the_same_however_many_hosts_there_are(
    admin_client: Client, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    day = manners.day_of(timezone.now())
    for number in range(count):
        host = f"imap{number}.example"
        HostLimits.objects.create(host=host, bytes_per_day=number, per_mailbox=number % 2)
        HostUse.objects.create(host=host, mailbox="a", day=day, bytes=5)
        worker(f"mail{number}:1")
        make_job(f"j{number}", source_host=host, state=State.RUNNING, owner=f"mail{number}:1")
    admin_client.get(url("limits"))
    with django_assert_max_num_queries(18):
        admin_client.get(url("limits"))
