"""The home page: everything from the copy, worst first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from domains.models import Kind
from domains.tests.factories import CreditReadingFactory, DomainFactory, SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from migrations_app.engines.causes import Cause
from migrations_app.models import MAX_REQUEUES, MigrationJob, State
from purelymanage.dashboard import selectors
from purelymanage.dashboard.attention import needs_attention
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
HOME = "/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}


def page(response):
    return response.content.decode()


def job(name="lea", **facts):
    return MigrationJob.objects.create(
        **{
            "name": name,
            "source_host": "old.example",
            "source_port": 993,
            "source_security": "tls",
            "source_address": f"{name}@old.example",
            "source_password": "secret-of-the-source",
            "destination_host": "imap.example",
            "destination_port": 993,
            "destination_security": "tls",
            "destination_address": f"{name}@lindenhof.example",
            "destination_password": "secret-of-the-destination",
            "ended_at": timezone.now(),
        }
        | facts
    )


def titles():
    return [item.title for item in needs_attention(selectors.home())]


def test_the_figures_come_from_the_copy_without_a_call(viewer_client, purelymail):
    MailboxFactory.create_batch(3)
    DomainFactory(name="shop.example", passes_spf=False)
    DomainFactory(name="purelymail.com", is_shared=True)
    RoutingRuleFactory()
    RoutingRuleFactory(match_user="", is_prefix=True, is_catchall=True)
    CreditReadingFactory(credit="19.16")
    response = viewer_client.get(HOME)
    home = response.context["home"]
    assert (home.mailbox_count, len(home.domains), home.passing_count) == (3, 2, 1)
    assert (home.rules.total, home.rules.catch_alls) == (2, 1)
    html = page(response)
    assert "$19.16" in html
    assert "1 of 2 domains pass" in html
    assert "lindenhof.example and 1 more domain" in html
    assert not purelymail.calls


@pytest.mark.parametrize("rows", [1, 40])
def test_the_page_costs_the_same_with_any_number_of_rows(
    viewer_client, django_assert_max_num_queries, rows
):
    MailboxFactory.create_batch(rows * 5)
    RoutingRuleFactory.create_batch(rows)
    DomainFactory.create_batch(rows, passes_mx=False)
    for number in range(rows):
        CreditReadingFactory(at=timezone.now() - timedelta(hours=number))
        job(f"failed-{number}", state=State.FAILED, cause=Cause.UNKNOWN)
        job(f"running-{number}", state=State.RUNNING, ended_at=None)
    viewer_client.get(HOME)
    with django_assert_max_num_queries(11):
        viewer_client.get(HOME)


def test_polling_gets_the_live_part_alone(viewer_client):
    SyncStateFactory()
    html = page(viewer_client.get(HOME, headers=HTMX))
    assert "<html" not in html
    assert html.count('id="live"') == 1
    assert 'hx-trigger="every 60s"' in html


def test_everything_that_can_have_the_focus_is_found_again_after_a_poll(viewer_client):
    """htmx gives the focus back by id."""
    import re

    DomainFactory(passes_mx=False)
    MailboxFactory()
    job(state=State.FAILED)
    job("running", state=State.RUNNING)
    CreditReadingFactory(credit="1")
    html = page(viewer_client.get(HOME, headers=HTMX))
    links = re.findall(r"<(?:a|button)\b[^>]*>", html)
    assert len(links) > 8
    assert [link for link in links if " id=" not in link] == []
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_healthy_account_needs_nobody(viewer_client):
    SyncStateFactory()
    DomainFactory()
    CreditReadingFactory(credit="19")
    assert titles() == []
    assert "Nothing needs you" in page(viewer_client.get(HOME))


def test_a_panel_that_was_just_started_says_that_the_figures_follow(viewer_client):
    html = page(viewer_client.get(HOME))
    assert "has not been read yet" in html
    assert "Nothing needs you" not in html
    assert 'hx-trigger="every 3s"' in html


def test_the_worst_comes_first_and_each_has_its_link():
    SyncStateFactory(name=Kind.MAILBOXES, failed_since=timezone.now(), is_outage=True, error="No.")
    DomainFactory(name="policy.example", passes_dmarc=False)
    DomainFactory(name="shop.example", passes_spf=False, passes_dkim=False)
    CreditReadingFactory(credit="3.41")
    failed = job(state=State.FAILED, cause=Cause.SOURCE_PASSWORD, verdict="Ask for it again.")
    items = needs_attention(selectors.home())
    assert [(item.tone, item.title.partition(" since")[0]) for item in items] == [
        ("bad", "PurelyMail has not answered"),
        ("bad", "shop.example fails SPF and DKIM"),
        ("bad", "lea did not finish: Wrong source password"),
        ("warn", "policy.example fails DMARC"),
        ("warn", "The account credit is low"),
    ]
    assert items[2].url == reverse("migrations:detail", args=[failed.pk])
    assert items[2].text == "Ask for it again."


def test_failed_jobs_with_one_cause_are_one_line():
    for name in ("anna", "bert", "cleo", "dora", "emil"):
        job(name, state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    (item,) = needs_attention(selectors.home())
    assert item.title == "5 migrations did not finish: Wrong source password"
    assert "2 more" in item.text
    assert item.url == f"{reverse('migrations:list')}?state=failed"


def test_a_job_done_with_errors_is_a_warning_of_its_own():
    job(state=State.DONE_WITH_ERRORS, cause=Cause.DESTINATION_FULL)
    job("bert", state=State.FAILED, cause=Cause.DESTINATION_FULL)
    failed, partial = needs_attention(selectors.home())
    assert (failed.tone, failed.title) == ("bad", "bert did not finish: Destination full")
    assert (partial.tone, partial.title) == (
        "warn",
        "lea finished with errors: Destination full",
    )


def test_a_failed_job_that_was_run_again_needs_nobody():
    job(state=State.FAILED)
    again = job(state=State.QUEUED)
    assert titles() == []
    MigrationJob.objects.filter(pk=again.pk).update(state=State.FAILED)
    assert len(titles()) == 1


def test_interrupted_jobs_need_somebody_only_once_they_are_given_up():
    job(state=State.INTERRUPTED, requeues=MAX_REQUEUES)
    assert titles() == []
    job("given-up", state=State.INTERRUPTED, requeues=MAX_REQUEUES + 1)
    assert len(titles()) == 1


def test_cancelled_and_finished_jobs_need_nobody():
    job(state=State.CANCELLED)
    job("done", state=State.DONE)
    assert titles() == []


@pytest.mark.parametrize(
    ("credit", "tone", "words"),
    [
        ("-0.10", "bad", "Very low, top up now"),
        ("1.99", "bad", "Very low, top up now"),
        ("2", "warn", "Low, top up soon"),
        ("4.99", "warn", "Low, top up soon"),
        ("5", "ok", "enough for now"),
    ],
)
def test_credit_has_a_tone_and_a_word(viewer_client, credit, tone, words):
    CreditReadingFactory(credit=credit)
    response = viewer_client.get(HOME)
    assert response.context["home"].credit.tone == tone
    assert words in page(response)


def test_many_failing_domains_are_summed_up():
    DomainFactory.create_batch(9, passes_mx=False)
    assert len(titles()) == 5
    assert "5 more domains fail a DNS check" in titles()


def test_running_jobs_show_their_progress_and_no_password(viewer_client):
    running = job(
        state=State.RUNNING,
        ended_at=None,
        folder="Sent Items",
        messages_done=8412,
        messages_total=12370,
    )
    job("queued", state=State.QUEUED, ended_at=None)
    html = page(viewer_client.get(HOME))
    assert reverse("migrations:detail", args=[running.pk]) in html
    assert "8,412 of 12,370" in html
    assert 'max="12370"' in html
    assert 'value="8412"' in html
    assert "1 running, 1 queued" in html
    assert "secret-of" not in html


def test_the_page_follows_the_day(viewer_client):
    """A reading per hour for ten days, falling: the chart, the pace and the end."""
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for hour in range(10 * 24):
        CreditReadingFactory(at=now - timedelta(hours=hour), credit=2 + hour / 24 * 0.25)
    with time_machine.travel(now):
        credit = selectors.home().credit
        html = page(viewer_client.get(HOME))
    assert 10 <= len(credit.days) <= 11
    assert credit.days_left == pytest.approx(8, abs=1)
    assert "the credit ends around" in html
    assert 'role="img"' in html


def test_strangers_are_sent_to_the_sign_in_page(client, owner):
    assert client.get(HOME).status_code == 302
