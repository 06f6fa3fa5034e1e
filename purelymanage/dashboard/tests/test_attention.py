"""What a person should look at: worst first, each with its one action."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Verification
from domains.models import Deviation, DnsRecord, Kind, RecordKey, RecordState
from domains.tests.factories import CreditReadingFactory, DomainFactory, SyncStateFactory
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch
from migrations_app.engines.causes import Cause
from migrations_app.models import MAX_REQUEUES, Batch, HostLimits, MigrationJob, State
from migrations_app.queueing import manners
from migrations_app.tests.factories import BatchFactory
from purelymanage.dashboard import selectors
from purelymanage.dashboard.tests.rows import HOME, domain, items, job, page, titles
from purelymanage.jobs.models import WorkerHost
from routing.models import RuleEdit

pytestmark = pytest.mark.usefixtures("worker")


def test_a_healthy_account_needs_nobody(viewer_client):
    SyncStateFactory()
    domain()
    CreditReadingFactory(credit="19")
    assert titles() == []
    assert "Nothing needs you" in page(viewer_client.get(HOME))


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


def test_a_closed_host_is_told_until_it_opens():
    now = timezone.now()
    manners.close("imap.old.example", "5 in a row were throttled.", now + timedelta(hours=1))
    HostLimits.objects.create(host="imap.fine.example", closed_until=now - timedelta(hours=1))
    (item,) = items()
    assert item.title.startswith("Migrations with imap.old.example wait until ")
    assert (item.tone, item.text) == ("warn", "5 in a row were throttled.")
    assert item.url == reverse("migration_settings:limits")


def test_a_batch_held_back_is_told_while_something_of_it_waits():
    until = timezone.now() + timedelta(hours=1)
    batch = BatchFactory(name="staff")
    manners.hold(batch, "imap.old.example", "5 in a row had a wrong password.", until)
    assert items() == []
    job("lea", batch=batch, state=State.QUEUED)
    (item,) = items()
    assert item.title.startswith("“staff” with imap.old.example waits until ")
    assert (item.tone, item.text) == ("warn", "5 in a row had a wrong password.")
    assert item.url == reverse("migrations:batch", args=[batch.pk])
    Batch.objects.update(held_until=timezone.now())
    assert items() == []


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verification.Verdict.GOOD, []),
        (Verification.Verdict.TAMPERED, [("bad", "The audit log was tampered with")]),
        (Verification.Verdict.UNKNOWN, [("warn", "The audit log cannot be checked")]),
    ],
)
def test_a_broken_audit_log_is_told_where_everybody_looks(verdict, found):
    Verification(at=timezone.now(), verdict=verdict, entries=2, sentence="Entry 1.").keep()
    assert [(item.tone, item.title) for item in items()] == found
    assert all(item.text == "Entry 1." for item in items())


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


def test_a_job_that_was_run_again_is_known_however_its_mailbox_was_typed():
    rows = MigrationJob.objects
    failed = job(state=State.FAILED, destination_address="Lea@Shop.Example")
    rows.filter(pk=failed.pk).update(source_host="IMAP.Old.Example")
    again = job(state=State.DONE, destination_address="lea@shop.example")
    rows.filter(pk=again.pk).update(source_host="imap.old.example")
    assert titles() == []
    rows.filter(pk=again.pk).update(destination_address="bea@shop.example")
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


def test_many_failing_domains_are_summed_up():
    for number in range(9):
        domain(f"d{number}.example", fails=["mx"])
    assert len(titles()) == 5
    assert "5 more domains fail a DNS check" in titles()


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
    assert "1,000 at most" in item.text


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


def test_failed_jobs_are_counted_however_many_there_are():
    for number in range(70):
        job(f"m{number}", state=State.FAILED, cause=Cause.SOURCE_PASSWORD)
    job("other", state=State.FAILED, cause=Cause.DESTINATION_FULL)
    assert titles() == [
        "70 migrations did not finish: Wrong source password",
        "other did not finish: Destination full",
    ]
