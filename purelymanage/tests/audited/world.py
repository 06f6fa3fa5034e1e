"""A small panel to change things in: people, a domain, a mailbox, a rule, jobs, PurelyMail."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from domains.copy import refresh
from domains.models import Domain, Kind, PurelyMailAccount
from domains.testing import DnsZones
from mailboxes.batches import runner
from mailboxes.batches import services as batches
from mailboxes.batches.models import BatchKind, MailboxBatch
from mailboxes.models import Mailbox
from migrations_app.models import (
    Batch,
    BulkWork,
    CutOver,
    HostLimits,
    MigrationJob,
    Server,
    State,
    TemporaryPassword,
)
from migrations_app.services.batches import preview_batch, start_import
from migrations_app.services.cutovers import begin_cut_over, stop_cut_over
from migrations_app.tests.factories import BatchFactory, JobFactory, ServerFactory
from purelymanage.core.context import acting_as, person
from purelymanage.deletions import freezing
from purelymanage.deletions.dossiers import complete_dossiers
from purelymanage.deletions.models import DeletionKind, DeletionState, Freeze, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.jobs.models import WorkerHost
from purelymanage.purelymail.testing import SimulatedPurelyMail
from routing.models import RoutingRule

ADDRESS = "203.0.113.7"
"""Where the people of these tests sit."""
SECRET = "never-on-record"
NEW_PASSWORD = f"seven purple walls {SECRET} 7"
"""Every password that is posted here holds SECRET, and so do those that are stored."""
DOMAIN = "lindenhof.example"
LEA = f"lea@{DOMAIN}"
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE")
NO_TABLE = ("OR", "IGNORE", "INTO", "FROM")
Answer = HttpResponseBase


@dataclass
class World:
    """What scenarios act on; everything is made when first asked for."""

    purelymail: SimulatedPurelyMail
    dns: DnsZones
    people: dict[str, User]
    written: set[str] = field(default_factory=set)
    """The tables that posts and tasks wrote to."""
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    """What must stand nowhere in the log."""

    def __post_init__(self) -> None:
        state = self.purelymail.state
        state.add_domain(DOMAIN)
        state.add_user(LEA, password=NEW_PASSWORD).add_method("email", "lea@home.example")
        state.add_rule(DOMAIN, "sales", LEA)
        refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES, Kind.OWNERSHIP])

    # Who acts

    def client(self, role: str, **options: Any) -> Client:
        """The browser of a person of that role, or of a stranger."""
        client = Client(REMOTE_ADDR=ADDRESS, **options)
        if role != "stranger":
            client.force_login(self.people[role])
        return client

    def post(self, name: str, /, *args: Any, by: str = "admin", **data: Any) -> Answer:
        """What the form at an address sends."""
        return self.send(self.client(by), reverse(name, args=args), **data)

    def send(self, client: Client, path: str, /, **data: Any) -> Answer:
        """A POST whose writes are noted, with the answer's body taken to its end."""
        with tables_written() as tables:
            response = client.post(path, data)
            if response.streaming:
                response.getvalue()
        self.written |= tables
        return response

    def run(self, work: Callable[..., object], /, *args: Any, **options: Any) -> None:
        """A task or command, as a worker or the server's operator has it done."""
        with tables_written() as tables:
            work(*args, **options)
        self.written |= tables

    # What there is

    @cached_property
    def domain(self) -> Domain:
        return Domain.objects.get(name=DOMAIN)

    @cached_property
    def mailbox(self) -> Mailbox:
        return Mailbox.objects.get(address=LEA)

    @cached_property
    def rule(self) -> RoutingRule:
        return RoutingRule.objects.get(domain=self.domain)

    @cached_property
    def server(self) -> Server:
        return ServerFactory(name="Old provider", host="imap.old.example")

    @cached_property
    def job(self) -> MigrationJob:
        """A dry run that ended well."""
        return self.new_job(dry_run=True)

    def new_job(self, **facts: Any) -> MigrationJob:
        """A job with passwords that are secret."""
        passwords = {"source_password": NEW_PASSWORD, "destination_password": NEW_PASSWORD}
        return JobFactory(**passwords, **facts)

    @cached_property
    def closed_host(self) -> HostLimits:
        """A source host that is closed for an hour."""
        until = timezone.now() + timezone.timedelta(hours=1)
        return HostLimits.objects.create(
            host="imap.slow.example", closed_until=until, closed_because="Throttled."
        )

    @cached_property
    def worker_host(self) -> WorkerHost:
        now = timezone.now()
        return WorkerHost.objects.create(name="mail2:17", started_at=now, seen_at=now, capacity=4)

    @cached_property
    def queued_job(self) -> MigrationJob:
        return self.new_job(state=State.QUEUED)

    @cached_property
    def later_job(self) -> MigrationJob:
        """Its start is an hour away."""
        return self.new_job(
            state=State.QUEUED, start_at=timezone.now() + timezone.timedelta(hours=1)
        )

    @cached_property
    def migration_batch(self) -> Batch:
        """With one dry run that ended well."""
        return self.new_batch(dry_run=True)

    @cached_property
    def waiting_migrations(self) -> Batch:
        return self.new_batch(state=State.QUEUED)

    @cached_property
    def failed_migrations(self) -> Batch:
        return self.new_batch(state=State.FAILED)

    @cached_property
    def paused_migrations(self) -> Batch:
        batch = self.new_batch(state=State.QUEUED)
        Batch.objects.filter(pk=batch.pk).update(paused_at=timezone.now())
        batch.refresh_from_db()
        return batch

    def new_batch(self, **facts: Any) -> Batch:
        """A batch of migrations with one job."""
        batch: Batch = BatchFactory(name="Lindenhof")
        self.new_job(batch=batch, **facts)
        return batch

    @cached_property
    def bulk_work(self) -> BulkWork:
        """The failed migrations are to be tried again, and no worker has come yet."""
        admin = self.people["admin"]
        return BulkWork.objects.create(
            action="retry",
            batch=self.failed_migrations,
            wanted={"batch": self.failed_migrations.pk},
            last_id=MigrationJob.objects.latest("pk").pk,
            total=1,
            created_by=admin,
            created_by_name=admin.name,
        )

    @cached_property
    def moving_batch(self) -> Batch:
        return self.new_moving_batch()

    def new_moving_batch(self) -> Batch:
        """Its one real run into our domain has ended well, long ago."""
        batch: Batch = BatchFactory(name="Lindenhof, for real")
        old = timezone.now() - timezone.timedelta(days=10)
        moments = {"ended_at": old, "succeeded_at": old, "queued_at": old}
        self.new_job(batch=batch, destination_address=LEA, **moments)
        return batch

    @cached_property
    def cut_over(self) -> CutOver:
        """At its first copy, which is over."""
        return begin_cut_over(batch=self.new_moving_batch(), every_hours=6)

    @cached_property
    def stopped_cut_over(self) -> CutOver:
        cut_over = begin_cut_over(batch=self.new_moving_batch(), every_hours=6)
        stop_cut_over(cut_over=cut_over)
        return cut_over

    @cached_property
    def repeating_job(self) -> MigrationJob:
        """Its next run is due."""
        return self.new_job(repeat_hours=6, repeat_at=timezone.now())

    @cached_property
    def migrations_preview(self) -> Batch:
        """An uploaded table of migrations that nobody has imported; its passwords are secret."""
        return self._migrations_preview("lea@old.example")

    @cached_property
    def importing_batch(self) -> Batch:
        """To be imported, and no worker has come yet."""
        batch = self._migrations_preview("max@old.example")
        with acting_as(person(self.people["admin"])):
            start_import(batch=batch)
        return batch

    def _migrations_preview(self, source: str) -> Batch:
        header = "source_email,source_password,dest_email,dest_password"
        table = f"{header}\n{source},{NEW_PASSWORD},{LEA},{NEW_PASSWORD}\nmax,,,\n"
        with acting_as(person(self.people["admin"])):
            return preview_batch(
                content=table.encode(),
                name="staff",
                source_server=self.server,
                destination_server=self._new_server,
            )[0]

    @cached_property
    def _new_server(self) -> Server:
        return ServerFactory(name="PurelyMail", host="imap.purelymail.com")

    @cached_property
    def temporary_password(self) -> TemporaryPassword:
        """Made for a run that is over, and not revoked yet: a first try failed."""
        secret = self.purelymail.client.create_app_password(address=LEA)
        facts = {"made_at": timezone.now(), "tries": 1, "problem": "PurelyMail did not answer."}
        return TemporaryPassword.objects.create(
            job=self.job, run=1, address=LEA, secret=secret, **facts
        )

    @cached_property
    def batch(self) -> MailboxBatch:
        """An uploaded table that nobody has started; its password is secret."""
        table = f"local_part,domain,password\nmax,{DOMAIN},{NEW_PASSWORD}\nuli,{DOMAIN},\n"
        with acting_as(person(self.people["admin"])):
            return batches.preview_table(content=table.encode(), name="new.csv")[0]

    @cached_property
    def running_batch(self) -> MailboxBatch:
        """Started, and no worker has come yet."""
        with acting_as(person(self.people["admin"])):
            batches.start(batch=self.batch)
        self.batch.refresh_from_db()
        return self.batch

    @cached_property
    def done_batch(self) -> MailboxBatch:
        """At its end, with a new password to be downloaded."""
        batch = self.running_batch
        runner.work()
        batch.refresh_from_db()
        return batch

    @cached_property
    def delete_batch(self) -> MailboxBatch:
        """Tells the workers to schedule the deletion of a mailbox."""
        with acting_as(person(self.people["admin"])):
            batch = batches.preview_selection(
                kind=BatchKind.DELETE, mailboxes=Mailbox.objects.filter(pk=self.mailbox.pk)
            )
            batches.start(batch=batch)
        return batch

    @cached_property
    def deletion(self) -> PendingDeletion:
        """The admin's, of the mailbox."""
        return self.scheduled(DeletionKind.MAILBOX, LEA)

    @cached_property
    def executed(self) -> PendingDeletion:
        """A deletion of the mailbox that is done, with all that PurelyMail told before."""
        deletion = self.scheduled(DeletionKind.MAILBOX, LEA)
        complete_dossiers()
        PendingDeletion.objects.filter(pk=deletion.pk).update(
            state=DeletionState.EXECUTED, ended_at=timezone.now()
        )
        deletion.refresh_from_db()
        return deletion

    @cached_property
    def freeze(self) -> Freeze:
        """Of the admin, who had scheduled a deletion."""
        self.deletion  # noqa: B018  made when first asked for
        with acting_as(person(self.people["owner"])):
            return freezing.freeze_person(person=self.people["admin"])

    def scheduled(self, kind: DeletionKind, key: str) -> PendingDeletion:
        """A deletion the admin asked for just now."""
        with acting_as(person(self.people["admin"], address=ADDRESS)):
            return schedule_deletion(kind=kind, key=key)

    @cached_property
    def ownership_code(self) -> str:
        code: str = PurelyMailAccount.objects.get().ownership_code
        return code

    def publish(self, name: str) -> None:
        """The ownership record of a new domain appears in DNS."""
        self.dns.set(name, "TXT", self.ownership_code)
        self.purelymail.state.publish_ownership(name)


def recorded() -> str:
    """Everything that stands in the log, as one text."""
    text = io.StringIO()
    for table in ("audit_entry", "audit_outcome"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            text.write(str(cursor.fetchall()))
    return text.getvalue()


def entries_after(pk: int) -> list[Entry]:
    """What was written since, in order."""
    return list(Entry.objects.filter(pk__gt=pk).select_related("outcome").order_by("pk"))


def newest_entry() -> int:
    """The number of the last one by now."""
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@contextmanager
def tables_written() -> Iterator[set[str]]:
    """The tables that the block writes to, whatever comes of it."""
    tables: set[str] = set()

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        words = sql.replace('"', " ").replace("(", " ").split()
        if words and words[0].upper() in WRITES:
            tables.add(next(word for word in words[1:] if word.upper() not in NO_TABLE))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables
