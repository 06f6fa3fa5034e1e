"""The rows of a company of any size, in one of each state where that shows."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from accounts.models import User
from audit.actions import Action
from audit.models import Entry, Outcome
from domains.models import (
    CHECKS,
    CheckSource,
    CreditReading,
    DnsChange,
    DnsRecord,
    Domain,
    Kind,
    RecordKey,
    RecordState,
    SyncState,
)
from mailboxes.models import Mailbox
from migrations_app.models import (
    Batch,
    BatchState,
    BulkAction,
    BulkWork,
    Check,
    CheckState,
    CutOver,
    FolderResult,
    HostLimits,
    HostUse,
    Loss,
    MigrationJob,
    Security,
    Server,
    State,
)
from migrations_app.queueing import manners
from purelymanage.deletions.models import DELAY, DeletionKind, DeletionState, PendingDeletion
from purelymanage.jobs.models import WorkerHost
from routing.models import RoutingRule

RUNNING = 8
CHANGES = 5
BATCH = 2000
ENDED = (
    *[State.DONE] * 16,
    State.FAILED,
    State.DONE_WITH_ERRORS,
    State.CANCELLED,
    State.QUEUED,
)
"""How every twenty jobs stand."""
FORMER = (DeletionState.EXECUTED, DeletionState.CANCELLED, DeletionState.FAILED)


@dataclass(frozen=True)
class Size:
    """How many of each. Domains bring seven DNS records and some history each."""

    domains: int
    mailboxes: int
    rules: int
    jobs: int
    entries: int
    deletions: int


def grow(before: Size, after: Size, *, person: User) -> None:
    """Add what is missing, then have PostgreSQL tidy its tables and look at them.

    It does so by itself, but only some time after.
    """
    spans = [range(*pair) for pair in zip(astuple(before), astuple(after), strict=True)]
    domains, mailboxes, rules, jobs, entries, deletions = spans
    _domains(domains)
    known = list(Domain.objects.order_by("pk"))
    _mailboxes(mailboxes, known)
    _rules(rules, known)
    _jobs(jobs, person)
    _checks(jobs)
    _entries(entries, person)
    _deletions(deletions, person)
    if not before.domains:
        _account()
        _around_migrations(person)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _domains(numbers: range) -> None:
    now = timezone.now()
    domains = Domain.objects.bulk_create(
        Domain(
            name=f"company-{number:03}.example",
            passes_mx=True,
            passes_spf=number % 10 != 3,
            passes_dkim=number % 20 != 13,
            passes_dmarc=number % 7 != 2,
            failing_count=int(number % 10 == 3) + int(number % 20 == 13),
            checked_at=now - timedelta(minutes=number),
            recheck_after=now + timedelta(hours=24),
            looked_at=now - timedelta(minutes=number % 60),
        )
        for number in numbers
    )
    DnsRecord.objects.bulk_create(
        DnsRecord(
            domain=domain,
            key=key,
            state=RecordState.WRONG
            if key == RecordKey.SPF and not domain.passes_spf
            else RecordState.OK,
            found=[f"v=spf1 include:_spf.{domain.name} ~all"],
            answered_at=now,
        )
        for domain in domains
        for key in RecordKey
    )
    DnsChange.objects.bulk_create(
        DnsChange(
            domain=domain,
            source=CheckSource.PURELYMAIL,
            subject=CHECKS[number % len(CHECKS)],
            before="failing",
            after="ok",
            at=now - timedelta(days=number),
            held_at=now - timedelta(days=number),
        )
        for domain in domains
        for number in range(CHANGES)
    )


def _mailboxes(numbers: range, domains: list[Domain]) -> None:
    Mailbox.objects.bulk_create(
        [
            Mailbox(address=f"person-{number:04}@{domain.name}", domain=domain)
            for number in numbers
            if (domain := domains[number % len(domains)])
        ],
        batch_size=BATCH,
    )


def _rules(numbers: range, domains: list[Domain]) -> None:
    """Mostly addresses, some prefixes, on some domains a catch-all; one to four targets."""
    RoutingRule.objects.bulk_create(
        [
            RoutingRule(
                purelymail_id=100_000 + number,
                domain=domain,
                match_user="" if number % 20 == 19 else f"alias-{number:04}",
                is_prefix=number % 10 == 9,
                is_catchall=number % 20 == 19,
                targets=[
                    f"person-{(number * 7 + target) % 60:04}@{domain.name}"
                    for target in range(1 + number % 4)
                ],
            )
            for number in numbers
            if (domain := domains[number % len(domains)])
        ],
        batch_size=BATCH,
    )


def _jobs(numbers: range, person: User) -> None:
    """All of one batch, which is not at its end."""
    server, _is_new = Server.objects.get_or_create(name="Old provider", host="imap.old.example")
    batch, _is_new = Batch.objects.get_or_create(
        name="The whole company",
        state=BatchState.ACTIVE,
        defaults={"created_by": person, "created_by_name": person.name, "source_server": server},
    )
    now = timezone.now()
    jobs = []
    for number in numbers:
        state = State.RUNNING if number < RUNNING else ENDED[number % len(ENDED)]
        has_run = state != State.QUEUED
        is_broken = state in (State.FAILED, State.DONE_WITH_ERRORS)
        jobs.append(
            MigrationJob(
                name=f"person-{number:05}@company.example",
                created_by=person,
                batch=batch,
                source_server=server,
                source_name=server.name,
                source_host=server.host,
                source_port=993,
                source_security=Security.TLS,
                source_address=f"person-{number:05}@old.example",
                destination_host="imap.purelymail.com",
                destination_port=993,
                destination_security=Security.TLS,
                destination_address=f"person-{number:05}@company.example",
                dry_run=False,
                state=state,
                queued_at=now - timedelta(minutes=number),
                run=int(has_run),
                started_at=now - timedelta(minutes=number) if has_run else None,
                ended_at=now - timedelta(minutes=number // 2) if state in ENDED[:19] else None,
                cause="destination_full" if is_broken else "",
                verdict="All messages are there." if state == State.DONE else "",
                folder="Sent Items" if state == State.RUNNING else "",
                messages_done=8412 if has_run else 0,
                messages_total=12370 if has_run else None,
                bytes_done=2_100_000_000 if has_run else 0,
                bytes_total=3_400_000_000 if has_run else None,
            )
        )
    MigrationJob.objects.bulk_create(jobs, batch_size=BATCH)


def _checks(numbers: range) -> None:
    """A look at every mailbox that waits, every other one with a problem; with results of some."""
    waiting = MigrationJob.objects.filter(state=State.QUEUED, check_before=None)
    Check.objects.bulk_create(
        (
            Check(job=job, state=state, messages=12_370, bytes=3_400_000_000, seconds=600)
            for number, job in enumerate(waiting.only("pk"))
            if (state := CheckState.PROBLEM if number % 2 else CheckState.READY)
        ),
        batch_size=BATCH,
    )
    ended = MigrationJob.objects.filter(state=State.DONE, folder_results=None).only("pk")
    FolderResult.objects.bulk_create(
        (
            FolderResult(job=job, position=position, source=name, destination=name, found=100)
            for job in ended
            for position, name in enumerate(("INBOX", "Sent Items"))
        ),
        batch_size=BATCH,
    )
    failed = MigrationJob.objects.filter(state=State.DONE_WITH_ERRORS, losses=None).only("pk")
    Loss.objects.bulk_create(Loss(job=job, position=0, folder="INBOX") for job in failed)


def _around_migrations(person: User) -> None:
    """What can stand beside them: hosts with limits, workers, work on many, other batches."""
    now = timezone.now()
    kept = {"bytes_per_day": 2_500_000_000}
    HostLimits.objects.create(host="imap.gmail.com", per_mailbox=True, **kept)
    HostLimits.objects.create(host="imap.slow.example", at_once=1, **kept)
    HostLimits.objects.create(
        host="imap.closed.example", closed_until=now + timedelta(days=1), closed_because="Too many."
    )
    HostUse.objects.create(
        host="imap.slow.example", mailbox="a@b.example", day=manners.day_of(now), bytes=10**9
    )
    WorkerHost.objects.create(name="bench:1", started_at=now, seen_at=now, capacity=64)
    whole = Batch.objects.get()
    about = {"created_by": person, "created_by_name": person.name}
    for batch in (whole, None):
        BulkWork.objects.create(
            action=BulkAction.RETRY, batch=batch, last_id=0, total=1000, done=500, **about
        )
    for state in (BatchState.IMPORTING, BatchState.PREVIEW, BatchState.ACTIVE):
        other = Batch.objects.create(name=f"Another in {state}", state=state, **about)
    CutOver.objects.create(domain="company-000.example", batch=other)


def _entries(numbers: range, person: User) -> None:
    actions = (Action.MAILBOX_CREATED, Action.RULE_CREATED, Action.JOB_QUEUED, Action.SIGNED_IN)
    now = timezone.now()
    entries = Entry.objects.bulk_create(
        [
            Entry(
                at=now - timedelta(minutes=number),
                actor_kind=Entry.ActorKind.PERSON,
                actor=person,
                actor_name=person.name,
                address="192.0.2.7",
                action=actions[number % len(actions)],
                target=f"person-{number:05}@company.example",
                after={"targets": ["desk@company.example"]},
            )
            for number in numbers
        ],
        batch_size=BATCH,
    )
    Outcome.objects.bulk_create(
        [Outcome(entry=entry, result=Outcome.Result.OK) for entry in entries], batch_size=BATCH
    )


def _deletions(numbers: range, person: User) -> None:
    """Of mailboxes on the first page of their list, so that the list shows them; ten times as many
    have ended."""
    now = timezone.now()
    addresses = list(Mailbox.objects.order_by("address").values_list("address", flat=True))
    PendingDeletion.objects.bulk_create(
        PendingDeletion(
            kind=DeletionKind.MAILBOX,
            key=addresses[number],
            label=addresses[number],
            requested_by=person,
            requested_by_name=person.name,
            due_at=now + DELAY - timedelta(minutes=number),
        )
        for number in numbers
    )
    PendingDeletion.objects.bulk_create(
        PendingDeletion(
            kind=DeletionKind.MAILBOX,
            key=f"former-{number:03}@company-{turn}.example",
            label=f"former-{number:03}@company-{turn}.example",
            state=FORMER[(number + turn) % len(FORMER)],
            requested_by=person,
            requested_by_name=person.name,
            due_at=now - timedelta(days=turn, minutes=number),
            ended_at=now - timedelta(days=turn, minutes=number),
            ended_by_name=person.name,
            note="It was gone already.",
        )
        for number in numbers
        for turn in range(10)
    )


def _account() -> None:
    """Read from PurelyMail just now; the credit every six hours for ninety days."""
    now = timezone.now()
    SyncState.objects.bulk_create(
        [SyncState(name=kind, synced_at=now, tried_at=now) for kind in Kind]
    )
    CreditReading.objects.bulk_create(
        CreditReading(at=now - timedelta(hours=6 * back), credit=Decimal(4 + back % 200) / 4)
        for back in range(360)
    )
