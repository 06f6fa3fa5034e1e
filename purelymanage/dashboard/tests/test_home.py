"""The home page: everything from the copy, worst first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from domains.models import CHECKS, Deviation, DnsRecord, Kind, RecordKey, RecordState
from domains.tests.factories import CreditReadingFactory, DomainFactory, SyncStateFactory
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch
from mailboxes.tests.factories import MailboxFactory
from migrations_app.engines.causes import Cause
from migrations_app.models import MAX_REQUEUES, MigrationJob, State
from purelymanage.dashboard import selectors
from purelymanage.dashboard.attention import needs_attention
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.jobs.models import WorkerHost
from routing.models import RuleEdit
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


@pytest.fixture(autouse=True)
def worker(db):
    return WorkerHost.objects.create(
        name="host:1", started_at=timezone.now(), seen_at=timezone.now()
    )


def domain(name="shop.example", *, fails=(), **facts):
    """A domain that was checked, and fails these checks."""
    flags = {f"passes_{check}": check not in fails for check in CHECKS}
    return DomainFactory(
        name=name,
        **{"failing_count": len(fails), "checked_at": timezone.now(), **flags, **facts},
    )


def pending(label, *, hours=24, **facts):
    return PendingDeletion.objects.create(
        kind=DeletionKind.MAILBOX,
        key=label,
        label=label,
        requested_by_name="Adam",
        due_at=timezone.now() + timedelta(hours=hours),
        **facts,
    )


def items():
    return needs_attention(selectors.home())


def titles():
    return [item.title for item in needs_attention(selectors.home())]


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
    viewer_client.get(HOME)
    with django_assert_max_num_queries(17):
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


def test_a_healthy_account_needs_nobody(viewer_client):
    SyncStateFactory()
    domain()
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
    domain("policy.example", fails=["dmarc"])
    shop = domain(fails=["spf", "dkim"])
    CreditReadingFactory(credit="3.41")
    failed = job(state=State.FAILED, cause=Cause.SOURCE_PASSWORD, verdict="Ask for it again.")
    found = items()
    assert [(item.tone, item.title.partition(" since")[0]) for item in found] == [
        ("bad", "PurelyMail has not answered"),
        ("bad", "shop.example fails SPF and DKIM"),
        ("bad", "lea did not finish: Wrong source password"),
        ("warn", "policy.example fails DMARC"),
        ("warn", "The account credit is low"),
    ]
    assert found[1].url == reverse("domains:detail", args=[shop.pk])
    assert found[2].url == reverse("migrations:detail", args=[failed.pk])
    assert found[2].text == "Ask for it again."


def test_failed_jobs_with_one_cause_are_one_line():
    for name in ("anna", "bert", "cleo", "dora", "emil"):
        job(name, state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    (item,) = items()
    assert item.title == "5 migrations did not finish: Wrong source password"
    assert "2 more" in item.text
    assert item.url == f"{reverse('migrations:list')}?state=failed"


def test_a_job_done_with_errors_is_a_warning_of_its_own():
    job(state=State.DONE_WITH_ERRORS, cause=Cause.DESTINATION_FULL)
    job("bert", state=State.FAILED, cause=Cause.DESTINATION_FULL)
    failed, partial = items()
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
        ("5", "ok", "Enough for now"),
    ],
)
def test_credit_has_a_tone_and_a_word(viewer_client, credit, tone, words):
    CreditReadingFactory(credit=credit)
    response = viewer_client.get(HOME)
    assert response.context["home"].credit.tone == tone
    assert words in page(response)


def test_many_failing_domains_are_summed_up():
    for number in range(9):
        domain(f"d{number}.example", fails=["mx"])
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
    assert "it lasts about" in html
    assert 'role="img"' in html


def test_strangers_are_sent_to_the_sign_in_page(client, owner):
    assert client.get(HOME).status_code == 302


def test_a_lone_accepted_record_or_an_own_policy_is_no_failure():
    """`failing_count` says so; it is kept true by whoever changes what it depends on."""
    accepted = domain("accepted.example", fails=["spf"], failing_count=0)
    DnsRecord.objects.create(
        domain=accepted, key=RecordKey.SPF, state=RecordState.WRONG, found=["v=spf1 -all"]
    )
    Deviation.objects.create(
        domain=accepted, key=RecordKey.SPF, found=["v=spf1 -all"], reason="Relay."
    )
    policy = domain("policy.example", fails=["dmarc"], failing_count=0)
    DnsRecord.objects.create(domain=policy, key=RecordKey.DMARC, state=RecordState.NOTICE)
    assert titles() == []
    assert selectors.home().passing_count == 2


def test_of_several_failures_only_those_to_repair_are_named():
    shop = domain(fails=["spf", "dmarc"], failing_count=1)
    DnsRecord.objects.create(domain=shop, key=RecordKey.SPF, state=RecordState.MISSING)
    DnsRecord.objects.create(domain=shop, key=RecordKey.DMARC, state=RecordState.NOTICE)
    assert titles() == ["shop.example fails SPF"]


def test_what_keeps_mail_from_arriving_comes_first():
    domain("a.example", fails=["spf", "dkim", "dmarc"])
    domain("z.example", fails=["mx"])
    assert [entry.domain.name for entry in selectors.home().failing] == ["z.example", "a.example"]


def test_foreign_names_are_shown_as_people_write_them(viewer_client):
    domain("xn--bcher-kva.example", fails=["mx"])
    assert titles() == ["bücher.example fails MX"]
    html = page(viewer_client.get(HOME))
    assert "xn--bcher" not in html.replace("?q=xn--bcher", "")


def test_a_domain_nobody_has_looked_at_is_no_failure():
    DomainFactory(name="new.example", passes_mx=False)
    (item,) = items()
    assert (item.tone, item.title) == ("info", "1 domain has never been checked")
    assert item.url.endswith("?state=unchecked")


def test_a_silent_resolver_is_told_and_turns_nothing_red():
    since = timezone.now() - timedelta(minutes=20)
    for number in range(3):
        domain(f"d{number}.example", unanswered_since=since)
    (item,) = items()
    assert item.tone == "warn"
    assert item.title.startswith("Our DNS resolver has answered nothing since")


def test_workers_that_do_not_run_are_the_first_thing_to_know(worker):
    domain(fails=["mx"])
    WorkerHost.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert titles()[0].startswith("No worker has been seen for 5")
    worker.delete()
    assert titles()[0] == "No worker has ever run"


def test_an_outage_is_one_thing_and_other_failures_are_told_apart():
    since = timezone.now() - timedelta(minutes=9)
    for kind in (Kind.MAILBOXES, Kind.DOMAINS):
        SyncStateFactory(name=kind, failed_since=since, is_outage=True, error="No answer.")
    SyncStateFactory(name=Kind.RULES, failed_since=since, error="An odd list.")
    assert [title.partition(" since")[0] for title in titles()] == [
        "PurelyMail has not answered",
        "The copy of the routing rules is not current",
    ]


def test_a_list_that_purelymail_cuts_is_told():
    SyncStateFactory(name=Kind.MAILBOXES, may_be_truncated=True)
    (item,) = items()
    assert (item.tone, item.url) == ("warn", reverse("mailboxes:list"))
    assert "1000 at most" in item.text


@pytest.mark.parametrize(
    ("problem", "minutes", "is_told"), [("", 1, False), ("", 6, True), ("No answer.", 0, True)]
)
def test_an_edit_of_a_rule_that_does_not_end_is_told(problem, minutes, is_told):
    RuleEdit.objects.create(
        domain=domain(),
        old_id=7,
        old={},
        new={},
        problem=problem,
        started_at=timezone.now() - timedelta(minutes=minutes),
    )
    found = items()
    assert [item.title for item in found] == (
        ["A changed routing rule of shop.example is not at its end"] if is_told else []
    )
    assert all(item.url == "/routing/?domain=shop.example" for item in found)


def test_work_on_many_mailboxes_that_waits_for_a_person_is_told():
    batch = MailboxBatch.objects.create(
        kind=BatchKind.CREATE,
        state=BatchState.RUNNING,
        name="new.csv",
        stopped_because="The token was revoked.",
        created_by_name="Adam",
    )
    (item,) = items()
    assert item.url == reverse("mailboxes:batches:detail", args=[batch.pk])
    assert item.text == "The token was revoked."


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


def test_failed_jobs_are_counted_however_many_there_are():
    for number in range(70):
        job(f"m{number}", state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    job("other", state=State.FAILED, cause=Cause.DESTINATION_FULL)
    assert titles() == [
        "70 migrations did not finish: Wrong source password",
        "other did not finish: Destination full",
    ]


def read(days, *amounts):
    """A reading a day, the last one now, `days` apart."""
    now = timezone.now()
    for back, amount in enumerate(reversed(amounts)):
        CreditReadingFactory(at=now - timedelta(days=days * back), credit=amount)


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        (("19.16",), "The chart follows once the credit was read on two days"),
        (("6", "5.9"), "can be told after three days without a top-up"),
        (("1", "2", "3", "4", "5"), "can be told after three days without a top-up"),
        (("5", "5", "5", "5"), "It has not gone down in the last 30 days."),
        (("8", "6", "4", "2", "0"), "Nothing is left."),
        (("3", "2", "1", "0", "-1"), "Nothing is left."),
        (("4", "3", "2", "1"), "it lasts about 1 more day, until"),
        (("0.03", "0.02", "0.01", "0.004"), "it ends within a day"),
        (("900000.00000003", "900000.00000002", "900000.00000001", "900000"), "ten years"),
        (("1.50", "1.00", "0.50", "10.50", "10.00", "9.50"), "it lasts about 19 more days"),
    ],
)
def test_the_chart_says_in_words_how_long_the_credit_lasts(viewer_client, amounts, words):
    read(1, *amounts)
    html = page(viewer_client.get(HOME))
    assert words in " ".join(html.split())


def test_the_chart_has_a_sentence_for_those_who_do_not_see_it(viewer_client):
    read(1, "12.90", "1.50", "20", "3.41")
    html = " ".join(page(viewer_client.get(HOME)).split())
    assert 'role="img" aria-labelledby="credit-words"' in html
    assert "$12.90 at first, $3.41 at the end, $1.50 at the lowest. It rose once." in html
