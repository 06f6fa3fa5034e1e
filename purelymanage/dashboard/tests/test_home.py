"""The home page: everything from the copy, in a fixed number of queries."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from domains.models import Domain
from domains.tests.factories import CreditReadingFactory, DomainFactory, SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from migrations_app.engines.causes import Cause
from migrations_app.models import State
from purelymanage.dashboard import selectors
from purelymanage.dashboard.tests.rows import HOME, domain, items, job, page, pending, titles
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.usefixtures("worker")
QUERIES = 22
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}


def test_the_figures_come_from_the_copy_without_a_call(viewer_client, purelymail):
    domain("lindenhof.example")
    MailboxFactory.create_batch(3)
    domain(fails=["spf"])
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
    for number in range(rows):
        domain(f"d{number}.example", fails=["mx", "spf"])
        pending(f"m{number}@d0.example")
    for number in range(rows):
        CreditReadingFactory(at=timezone.now() - timedelta(hours=number))
        job(f"failed-{number}", state=State.FAILED, cause=Cause.UNKNOWN)
        job(f"running-{number}", state=State.RUNNING, ended_at=None)
    Domain.objects.update(unanswered_since=timezone.now())
    viewer_client.get(HOME)
    with django_assert_max_num_queries(QUERIES):
        viewer_client.get(HOME)


def test_polling_gets_the_live_part_alone(viewer_client):
    SyncStateFactory()
    html = page(viewer_client.get(HOME, headers=HTMX))
    assert "<html" not in html
    assert html.count('id="live"') == 1
    assert 'hx-trigger="every 60s"' in html


def test_everything_that_can_have_the_focus_is_found_again_after_a_poll(viewer_client):
    """htmx gives the focus back by id."""
    domain(fails=["mx"])
    pending("old@lindenhof.example")
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


def test_a_panel_that_was_just_started_says_that_the_figures_follow(viewer_client):
    html = page(viewer_client.get(HOME))
    assert "has not been read yet" in html
    assert "Nothing needs you" not in html
    assert 'hx-trigger="every 3s"' in html


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


def test_strangers_are_sent_to_the_sign_in_page(client, owner):
    assert client.get(HOME).status_code == 302


def test_what_keeps_mail_from_arriving_comes_first():
    domain("a.example", fails=["spf", "dkim", "dmarc"])
    domain("z.example", fails=["mx"])
    assert [entry.domain.name for entry in selectors.home().failing] == ["z.example", "a.example"]


def test_foreign_names_are_shown_as_people_write_them(viewer_client):
    domain("xn--bcher-kva.example", fails=["mx"])
    assert titles() == ["bücher.example fails MX"]
    html = page(viewer_client.get(HOME))
    assert "xn--bcher" not in html.replace("?q=xn--bcher", "")


def test_pending_deletions_say_who_and_when_and_can_be_cancelled(admin_client, viewer_client):
    soon = pending("old@lindenhof.example", hours=5)
    for number in range(6):
        pending(f"m{number}@lindenhof.example")
    pending("kept@lindenhof.example", hours=1, state="cancelled")
    (item,) = items()
    assert item.title == "7 deletions are due within 24 hours"
    assert item.text.startswith("The next one, old@lindenhof.example, in 4\N{NO-BREAK SPACE}h 59")
    html = page(admin_client.get(HOME))
    assert "asked for by Adam" in html
    assert "and 2 more" in html
    assert "kept@" not in html
    assert 'title="7 pending deletions"' in html
    url = reverse("deletions:cancel", args=[soon.pk])
    assert f'action="{url}"' in html
    assert url not in page(viewer_client.get(HOME))
    answer = admin_client.post(url, {"next": "/"}, follow=True)
    assert "old@lindenhof.example is kept." in page(answer)


def test_deletions_that_were_given_up_lately_or_do_not_work_are_told(viewer_client):
    now = timezone.now()
    failed = {"state": "failed", "note": "PurelyMail said no."}
    pending("older@lindenhof.example", ended_at=now - timedelta(days=2), **failed)
    pending("newer@lindenhof.example", ended_at=now - timedelta(days=1), **failed)
    pending("long-ago@lindenhof.example", ended_at=now - timedelta(days=8), **failed)
    pending("stuck@lindenhof.example", hours=-1, tries=3, problem="PurelyMail did not answer.")
    given_up, stuck, due = (
        next(item for item in items() if item.key == key)
        for key in ("deletions-failed", "deletions-failing", "deletions")
    )
    assert given_up.title == "2 deletions were given up"
    assert given_up.text == "newer@lindenhof.example: PurelyMail said no."
    assert given_up.url == "/deletions/?tab=history&state=failed"
    assert stuck.title == "The deletion of stuck@lindenhof.example has not worked yet"
    assert due.url == "/deletions/"
    html = page(viewer_client.get(HOME))
    assert 'id="all-deletions" href="/deletions/"' in html
