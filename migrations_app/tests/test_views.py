"""Which HTTP answer: pages and fragments, who may, what is asked first, what never shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from migrations_app import dispatch
from migrations_app.models import MigrationJob, Server, State
from migrations_app.tests.dovecot import Pair
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    FolderFactory,
    JobFactory,
    LogFactory,
    RunningJobFactory,
    ServerFactory,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/migrations/?state=failed"}
LINE = "2026-11-20T14:38:02.000+00:00 info {}\n"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def url(name: str, *args: object) -> str:
    return reverse(f"migrations:{name}", args=args)


def text_of(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def job_data(**changes: Any) -> dict[str, Any]:
    data = {
        "source_server": ServerFactory().pk,
        "source_address": "anna@old.example",
        "source_password": "typed-old",
        "destination_server": ServerFactory().pk,
        "destination_address": "anna@new.example",
        "destination_password": "typed-new",
        "dry_run": "on",
    }
    return data | changes


def in_every_state() -> list[MigrationJob]:
    now = timezone.now()
    ended = [
        JobFactory(state=state, ended_at=now, dry_run=state == State.DONE, verdict="So. Next.")
        for state in State
        if state != State.RUNNING
    ]
    running = RunningJobFactory()
    FolderFactory(job=running)
    LogFactory(job=running, text=LINE.format("hello"))
    given_up = JobFactory(state=State.INTERRUPTED, requeues=9, source_password="")
    comparing = RunningJobFactory(messages_total=None, bytes_total=None, phase="compare")
    return [*ended, running, given_up, comparing]


# Who may


def test_a_viewer_reads_every_page_and_sees_no_way_to_change(viewer_client: Client) -> None:
    ServerFactory()
    for job in in_every_state():
        for name in ("detail", "log"):
            response = viewer_client.get(url(name, job.pk))
            assert response.status_code == 200
            page = text_of(response)
            assert "Re-run" not in page
            assert url("cancel", job.pk) not in page
            assert "Run for real" not in page
    for name in ("list", "servers"):
        page = text_of(viewer_client.get(url(name)))
        assert "New migration" not in page
        assert "Delete…" not in page
    settings = text_of(viewer_client.get(reverse("migration_settings:limits")))
    assert 'name="concurrency"' not in settings


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "name", ["cancel", "real", "rerun", "delete", "erase", "edit", "server_edit", "server_test"]
)
def test_a_viewer_changes_nothing(viewer_client: Client, name: str, method: str) -> None:
    job, server = JobFactory(), ServerFactory()
    pk = server.pk if name.startswith("server") else job.pk
    assert getattr(viewer_client, method)(url(name, pk)).status_code == 403
    assert MigrationJob.objects.get().version == job.version


@pytest.mark.parametrize("name", ["add", "selected", "server_add"])
def test_a_viewer_adds_nothing(viewer_client: Client, name: str) -> None:
    assert viewer_client.post(url(name), {}).status_code == 403


def test_a_viewer_does_not_change_limits(viewer_client: Client) -> None:
    data = {"concurrency": 9, "per_source_host": 9}
    assert viewer_client.post(reverse("migration_settings:limits"), data).status_code == 403
    assert dispatch.limits().concurrency == 2


def test_a_stranger_is_sent_to_sign_in(client: Client, owner: object) -> None:
    response = client.get(url("list"))
    assert response.status_code == 302
    assert "login" in response["Location"]


# Pages and fragments


def test_every_page_opens_whole_and_as_a_fragment_and_shows_no_password(
    admin_client: Client,
) -> None:
    server = ServerFactory(security="none")
    addresses = [url("list"), url("list") + "?state=failed&q=old&page=99", url("servers")]
    addresses += [url("add"), url("server_add") + "?preset=gmail", url("server_add")]
    addresses += [url(name, server.pk) for name in ("server_edit", "server_test", "server_delete")]
    for job in in_every_state():
        addresses += [url(name, job.pk) for name in ("detail", "log", "cancel", "delete", "erase")]
        if job.is_finished:
            addresses.append(url("edit", job.pk))
    for address in addresses:
        for headers in ({}, HTMX):
            response = admin_client.get(address, headers=headers)
            page = text_of(response)
            assert response.status_code == 200, address
            for secret in (SOURCE_PASSWORD, DESTINATION_PASSWORD, "pm1."):
                assert secret not in page, address


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


# Live


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
    assert "job-rows-" not in html
    assert poll_list(admin_client, held, held="1").status_code == 204
    assert "job-rows-" in text_of(poll_list(admin_client, held))


def test_a_row_deleted_under_an_open_menu_goes_once_the_menu_is_closed(
    admin_client: Client,
) -> None:
    job = RunningJobFactory()
    gone = JobFactory()
    page = admin_client.get(url("list"))
    gone.delete()
    held = poll_list(admin_client, page, held="1")
    assert "job-rows-" not in text_of(held)
    html = text_of(poll_list(admin_client, held))
    assert "job-rows-" in html
    assert f'id="job-{job.pk}"' in html
    assert "gone" not in html


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


# The form


def test_a_job_is_made_by_a_plain_post(admin_client: Client) -> None:
    response = admin_client.post(url("add"), job_data())
    job = MigrationJob.objects.get()
    assert response.status_code == 302
    assert response["Location"] == url("detail", job.pk)
    assert (job.state, job.dry_run) == (State.QUEUED, True)
    assert job.source_password.reveal() == "typed-old"


@pytest.mark.parametrize(
    "changes",
    [
        {"destination_address": ""},
        {"source_address": "x" * 5000},
        {"source_address": "a\r\nb"},
        {"name": "y" * 5000},
        {"source_server": "0"},
        {"max_age_days": "-5"},
    ],
)
def test_a_refused_form_keeps_what_was_typed_but_no_password(
    admin_client: Client, changes: dict[str, str]
) -> None:
    response = admin_client.post(url("add"), job_data(**changes))
    page = text_of(response)
    assert response.status_code == 422
    assert "anna@" in page
    assert "typed-old" not in page
    assert "typed-new" not in page
    assert "Type them again" in page
    assert not MigrationJob.objects.exists()


def test_a_refusal_of_the_service_stands_beside_its_field(admin_client: Client) -> None:
    server = ServerFactory().pk
    same = {"source_server": server, "destination_server": server, "destination_address": "a"}
    response = admin_client.post(url("add"), job_data(source_address="a", **same))
    assert response.status_code == 422
    assert "the same mailbox" in str(response.context["form"].errors["destination_address"])


@pytest.mark.parametrize("odd", ["-oops", '"><script>alert(1)</script>', "it's", "--delete2"])
def test_odd_input_is_stored_and_shown_harmlessly(admin_client: Client, odd: str) -> None:
    changes = {"name": odd, "source_address": odd, "destination_address": f"{odd}2"}
    admin_client.post(url("add"), job_data(source_password=odd, **changes))
    job = MigrationJob.objects.get()
    assert (job.name, job.source_address, job.source_password.reveal()) == (odd, odd, odd)
    for address in (url("list"), url("detail", job.pk), url("cancel", job.pk)):
        assert "<script>alert" not in text_of(admin_client.get(address))
    assert text_of(admin_client.get(url("log", job.pk))) == ""


def test_edit_and_rerun_keeps_stored_passwords(admin_client: Client) -> None:
    job = JobFactory(state=State.FAILED, source_server=ServerFactory())
    page = text_of(admin_client.get(url("edit", job.pk)))
    assert "Leave empty to keep the stored password." in page
    data = job_data(source_password="", destination_password="")
    assert admin_client.post(url("edit", job.pk), data).status_code == 302
    job.refresh_from_db()
    assert (job.state, job.source_address) == (State.QUEUED, "anna@old.example")
    assert job.source_password.reveal() == SOURCE_PASSWORD


def test_a_busy_job_is_not_offered_for_editing(admin_client: Client) -> None:
    job = RunningJobFactory()
    response = admin_client.get(url("edit", job.pk), follow=True)
    assert response.redirect_chain == [(url("detail", job.pk), 302)]
    assert "Cancel it before you edit it" in text_of(response)


# Actions


def test_run_real_leads_to_the_new_job(admin_client: Client) -> None:
    dry = JobFactory(dry_run=True)
    response = admin_client.post(url("real", dry.pk))
    real = MigrationJob.objects.exclude(pk=dry.pk).get()
    assert response["Location"] == url("detail", real.pk)
    assert not real.dry_run


def test_cancel_asks_first_and_says_what_stays(admin_client: Client) -> None:
    job = JobFactory(state=State.QUEUED)
    page = text_of(admin_client.get(url("cancel", job.pk)))
    assert "What has been copied stays" in page
    dialog = text_of(admin_client.get(url("cancel", job.pk), headers=HTMX))
    assert "data-open-now" in dialog
    assert 'value="/migrations/?state=failed"' in dialog
    job.refresh_from_db()
    assert job.state == State.QUEUED
    response = admin_client.post(url("cancel", job.pk), {"next": "/migrations/?state=failed"})
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert response["Location"] == "/migrations/?state=failed"


def test_next_leads_nowhere_else(admin_client: Client) -> None:
    job = JobFactory(state=State.QUEUED)
    response = admin_client.post(url("cancel", job.pk), {"next": "https://evil.example/"})
    assert response["Location"] == url("detail", job.pk)


@pytest.mark.parametrize("name", ["real", "rerun"])
def test_a_get_starts_nothing(admin_client: Client, name: str) -> None:
    assert admin_client.get(url(name, JobFactory(dry_run=True).pk)).status_code == 405


def test_delete_asks_first(admin_client: Client) -> None:
    job = JobFactory()
    assert "No mail is touched" in text_of(admin_client.get(url("delete", job.pk)))
    assert MigrationJob.objects.exists()
    assert admin_client.post(url("delete", job.pk))["Location"] == url("list")
    assert not MigrationJob.objects.exists()


def test_passwords_are_erased_on_demand(admin_client: Client) -> None:
    job = JobFactory()
    admin_client.post(url("erase", job.pk))
    job.refresh_from_db()
    assert not job.has_passwords
    page = text_of(admin_client.get(url("detail", job.pk)))
    assert "asks for them again" in page
    assert url("rerun", job.pk) + '"' not in page.replace('action="' + url("rerun", job.pk), "")


@pytest.mark.parametrize("action", ["cancel", "delete"])
def test_an_action_on_many_asks_first_where_something_ends(
    admin_client: Client, action: str
) -> None:
    state = State.QUEUED if action == "cancel" else State.DONE
    jobs = [JobFactory(state=state) for _ in range(12)]
    data = {"action": action, "selected": [job.pk for job in jobs]}
    page = text_of(admin_client.post(url("selected"), data))
    assert "12 jobs?" in page
    assert "and 2 more" in page
    assert MigrationJob.objects.filter(state=state).count() == 12
    admin_client.post(url("selected"), data | {"confirmed": "1"})
    assert MigrationJob.objects.filter(state=state).count() == 0


def test_many_are_run_again_at_once(admin_client: Client) -> None:
    jobs = [JobFactory(state=State.FAILED), JobFactory(state=State.CANCELLED), RunningJobFactory()]
    data = {"action": "rerun", "selected": [job.pk for job in jobs], "next": url("list")}
    page = text_of(admin_client.post(url("selected"), data, follow=True))
    assert MigrationJob.objects.filter(state=State.QUEUED).count() == 2
    assert "2 jobs queued again. 1 refused" in page


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"action": "format"}, 400),
        ({"action": "cancel", "selected": "x"}, 302),
        ({"action": "cancel", "selected": [str(number) for number in range(101)]}, 302),
        ({"action": "cancel", "selected": "12345"}, 302),
        ({"action": "cancel", "selected": "9" * 40}, 302),
    ],
)
def test_nonsense_on_many_is_refused(
    admin_client: Client, data: dict[str, Any], status: int
) -> None:
    assert admin_client.post(url("selected"), data).status_code == status


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        ("real", "is not a finished dry run"),
        ("rerun", "Cancel it first"),
        ("delete", "Cancel it first"),
        ("erase", "Cancel it first"),
    ],
)
def test_a_refused_action_comes_back_to_its_page_with_the_sentence(
    admin_client: Client, action: str, refusal: str
) -> None:
    job = RunningJobFactory()
    here = url("list") + "?state=running"
    response = admin_client.post(url(action, job.pk), {"next": here}, follow=True)
    assert response.redirect_chain == [(here, 302)]
    assert refusal in text_of(response)
    response = admin_client.post(url(action, job.pk), follow=True)
    assert response.redirect_chain == [(url("detail", job.pk), 302)]
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_a_lost_key_is_told_wherever_stored_passwords_are_opened(
    admin_client: Client, settings: Any
) -> None:
    job = JobFactory(
        dry_run=True, source_server=ServerFactory(), destination_server=ServerFactory()
    )
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="]
    page = text_of(admin_client.post(url("real", job.pk), follow=True))
    assert "Put the lost key back" in page
    data = job_data(source_password="", destination_password="", test="1")
    assert "Put the lost key back" in text_of(admin_client.post(url("edit", job.pk), data))
    assert MigrationJob.objects.count() == 1


def test_an_action_on_a_job_deleted_meanwhile_comes_back_to_the_list(admin_client: Client) -> None:
    response = admin_client.post(url("rerun", 12345), {"next": url("list")}, follow=True)
    assert response.redirect_chain == [(url("list"), 302)]
    assert "deleted meanwhile" in text_of(response)
    assert admin_client.get(url("cancel", 12345)).status_code == 404


@pytest.mark.parametrize("action", ["real", "rerun", "cancel", "delete", "erase", "edit"])
def test_a_viewer_acts_on_no_job(viewer_client: Client, action: str) -> None:
    job = JobFactory(dry_run=True)
    before = MigrationJob.objects.filter(pk=job.pk).values().get()
    assert viewer_client.post(url(action, job.pk)).status_code == 403
    many = {"action": action, "selected": [job.pk], "confirmed": "1"}
    assert viewer_client.post(url("selected"), many).status_code == 403
    assert MigrationJob.objects.values().get() == before


# Servers


def test_a_server_is_added_by_a_plain_post(admin_client: Client) -> None:
    data = {"name": "Old", "host": "IMAP.Old.example.", "port": "993", "security": "tls"}
    response = admin_client.post(url("server_add"), data)
    assert response["Location"] == url("servers")
    assert Server.objects.get().host == "imap.old.example"
    again = admin_client.post(url("server_add"), data)
    assert again.status_code == 422
    assert "already here" in text_of(again)


def test_a_preset_fills_the_form_and_says_what_users_trip_over(admin_client: Client) -> None:
    page = text_of(admin_client.get(url("server_add") + "?preset=microsoft365"))
    assert "outlook.office365.com" in page
    assert "switched off passwords" in page
    purelymail = text_of(admin_client.get(url("server_add") + "?preset=purelymail"))
    assert "imap.purelymail.com" in purelymail
    assert admin_client.get(url("server_add") + "?preset=nonsense").status_code == 200


def test_a_server_is_edited_and_deleted(admin_client: Client) -> None:
    server = ServerFactory()
    JobFactory(source_server=server)
    data = {"name": "New name", "host": "imap.x.example", "port": "143", "security": "starttls"}
    admin_client.post(url("server_edit", server.pk), data)
    server.refresh_from_db()
    assert (server.name, server.port, server.security) == ("New name", 143, "starttls")
    assert "1 job keeps a copy" in text_of(admin_client.get(url("server_delete", server.pk)))
    admin_client.post(url("server_delete", server.pk))
    assert not Server.objects.exists()
    assert MigrationJob.objects.exists()


def test_a_login_test_names_the_failing_step_and_stores_nothing(admin_client: Client) -> None:
    server = ServerFactory(host="127.0.0.1", port=9, security="none")
    data = {"address": "anna", "password": "typed-secret"}
    for headers in ({}, HTMX):
        response = admin_client.post(url("server_test", server.pk), data, headers=headers)
        page = text_of(response)
        assert response.status_code == 200
        assert "refused the connection" in page
        assert "typed-secret" not in page
        posts_by_htmx = f'hx-post="{url("server_test", server.pk)}"' in page
        assert posts_by_htmx is bool(headers)


@pytest.mark.imap
def test_both_logins_are_tried_with_what_was_typed_or_is_stored(
    admin_client: Client, imap_pair: Pair
) -> None:
    user = imap_pair.source.add_user("both@old.example", SOURCE_PASSWORD)
    imap_pair.destination.add_user(user, "right")
    ends = {
        side: ServerFactory(host="127.0.0.1", port=server.port_tls)
        for side, server in (("source", imap_pair.source), ("destination", imap_pair.destination))
    }
    job = JobFactory(source_server=ends["source"], destination_server=ends["destination"])
    data = {f"{side}_server": server.pk for side, server in ends.items()}
    data |= {"source_address": user, "destination_address": user, "test": "1"}
    data |= {"source_password": "", "destination_password": "wrong-secret"}
    page = text_of(admin_client.post(url("edit", job.pk), data, headers=HTMX))
    assert page.count("Signed in as both@old.example.") == 1
    assert page.count("refused this address or password") == 1
    assert "wrong-secret" not in page
    assert SOURCE_PASSWORD not in page
    assert MigrationJob.objects.get().state == State.DONE


def test_both_logins_are_tried_without_script_too(admin_client: Client) -> None:
    here = ServerFactory(host="127.0.0.1", port=9, security="none").pk
    data = job_data(source_server=here, destination_server=here, test="1")
    page = text_of(admin_client.post(url("add"), data))
    assert "<html" in page
    assert page.count("refused the connection") == 2
    assert "anna@new.example" in page
    assert "typed-old" not in page
    assert "Type them again" in page
    assert not MigrationJob.objects.exists()


def test_testing_an_incomplete_form_says_what_is_missing(admin_client: Client) -> None:
    data = job_data(test="1", source_password="")
    response = admin_client.post(url("add"), data, headers=HTMX)
    assert response.status_code == 422
    assert "Source password" in text_of(response)
    assert not MigrationJob.objects.exists()


# Limits


def test_limits_are_changed_while_running(admin_client: Client) -> None:
    address = reverse("migration_settings:limits")
    assert "engine" in text_of(admin_client.get(address)).lower()
    response = admin_client.post(address, {"concurrency": 5, "per_source_host": 3})
    assert response.status_code == 302
    assert (dispatch.limits().concurrency, dispatch.limits().per_source_host) == (5, 3)
    assert admin_client.post(address, {"concurrency": 0, "per_source_host": 3}).status_code == 422
