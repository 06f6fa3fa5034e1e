"""Every task, chore and command: how it comes to do something, and what is then on record."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from accounts.tests.factors import give_app
from audit.actions import Action
from audit.tests import chains
from domains.models import SyncState
from mailboxes.batches.models import MailboxBatch
from migrations_app.models import Batch, Check, State
from migrations_app.tests.queueing import make_job
from purelymanage.core.context import acting_as, person
from purelymanage.core.startup import new_encryption_key
from purelymanage.deletions.models import DELAY, Alarm, DeletionKind, PendingDeletion
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.tests.audited.posts.invitations import invited
from purelymanage.tests.audited.tables import Exempt, Leaves, Line
from purelymanage.tests.audited.world import DOMAIN, LEA, NEW_PASSWORD, World
from routing.picture import as_rule
from routing.services import edit_rule

Run = Callable[..., object]
WEEKS = timedelta(days=15)
TRACES = ("jobs_tasklock", "domains_syncstate")
"""Who is at work, and when it was last done."""
VERDICTS = (*TRACES, "domains_domain", "domains_dnsrecord", "domains_dnschange", "audit_entry")


def _drift(world: World, run: Run) -> None:
    """Somebody made a mailbox in PurelyMail's own pages."""
    world.purelymail.state.add_user(f"stranger@{DOMAIN}")
    hours_ago = timezone.now() - timedelta(days=1)
    SyncState.objects.update(synced_at=hours_ago, tried_at=hours_ago)
    run()


def _look_again(world: World, run: Run) -> None:
    world.dns.publish(DOMAIN)
    world.domain.__class__.objects.update(recheck_wanted_at=timezone.now(), look_after=None)
    run()


def _due_deletion(world: World, run: Run) -> None:
    past = timezone.now() - timedelta(seconds=1)
    world.scheduled(DeletionKind.MAILBOX, LEA)
    PendingDeletion.objects.update(due_at=past, requested_at=past - DELAY)
    run()


def _cut_short_edit(world: World, run: Run) -> None:
    """The process died between the new rule and the removal of the old one."""
    with pytest.MonkeyPatch.context() as patch, acting_as(person(world.people["admin"])):
        patch.setattr(world.purelymail.client, "delete_routing_rule", _dies)
        with pytest.raises(KeyboardInterrupt):
            edit_rule(rule=world.rule, draft=replace(as_rule(world.rule), match_user="office"))
    run()


def _alarm(world: World) -> None:
    admin = world.people["admin"]
    Alarm.objects.create(person=admin, person_name=admin.name)


def _dies(**_fields: object) -> None:
    raise KeyboardInterrupt


def _old_batches(world: World, run: Run) -> None:
    """One stopped, and nobody let it go on for two weeks."""
    batch = world.running_batch
    old = timezone.now() - WEEKS
    MailboxBatch.objects.filter(pk=batch.pk).update(resume_at=None, started_at=old, created_at=old)
    run()


def _old_previews(world: World, run: Run) -> None:
    MailboxBatch.objects.filter(pk=world.batch.pk).update(created_at=timezone.now() - WEEKS)
    run()


def _old_migrations_previews(world: World, run: Run) -> None:
    batches = Batch.objects.filter(pk=world.migrations_preview.pk)
    batches.update(created_at=timezone.now() - WEEKS)
    run()


def _old_migrations(world: World, run: Run) -> None:
    """What is there by now is ten days old, and five are kept."""
    world.moving_batch  # noqa: B018  has a job
    with override_settings(JOB_RETENTION_DAYS=5):
        run()


def _migrations_file(world: World, run: Run) -> None:
    """With the servers and the table of the preview."""
    batch = world.migrations_preview
    table = f"lea@other.example,{NEW_PASSWORD},{LEA},{NEW_PASSWORD}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table.encode())))
        run("-", source=batch.source_server.name, destination=batch.destination_server.name)


def _lost_worker(world: World, run: Run) -> None:
    world.new_job(state=State.RUNNING, lease_until=seconds_from_now(-60))
    run()


def _checked_job(world: World, run: Run) -> None:
    """At a server where nobody listens."""
    job = world.new_job(state=State.QUEUED, source_host="127.0.0.1", source_port=9)
    Check.objects.create(job=job)
    run()


def _queued_job(_world: World, run: Run) -> None:
    make_job(source_password=NEW_PASSWORD, destination_password=NEW_PASSWORD)
    run()


def _new_owner(world: World, run: Run) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{NEW_PASSWORD}\n"))
        run(email="nora@panel.example", name="Nora", password_stdin=True)


def _with_a_new_key(world: World, run: Run) -> None:
    world.job  # noqa: B018  has passwords, sealed with what is the older key now
    keys = [new_encryption_key(), *settings.ENCRYPTION_KEYS]
    with override_settings(ENCRYPTION_KEYS=keys):
        run()


def _lost_factor(world: World, run: Run) -> None:
    give_app(world.people["admin"])
    run(world.people["admin"].email)


def _lost_password(world: World, run: Run) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{NEW_PASSWORD}\n"))
        run(world.people["admin"].email, password_stdin=True)


def _tampered_log(world: World, run: Run) -> None:
    """Somebody with the database's password changed what an entry says."""
    world.deletion  # noqa: B018  leaves an entry
    chains.sql("UPDATE audit_entry SET actor_name = 'Nobody'")
    run()


def _old_log(world: World, run: Run) -> None:
    """What is there by now is a year old, and half a year is kept."""
    world.deletion  # noqa: B018  leaves an entry
    later = timezone.now() + timedelta(days=365)
    with override_settings(AUDIT_RETENTION_DAYS=180), time_machine.travel(later):
        run()


def _plainly(_world: World, run: Run) -> None:
    run()


WORK: list[Line] = [
    # Tasks
    Leaves(
        "accounts.tasks.send_password_reset",
        Action.RESET_LINK_SENT,
        lambda world, run: run(world.people["admin"].pk),
    ),
    Leaves(
        "accounts.tasks.send_invitations",
        Action.INVITATION_SENT,
        lambda world, run: (invited(world), run()),
    ),
    Exempt(
        "accounts.tasks.send_factor_news",
        "It mails a person what happened to their second factors, which is on record already.",
        lambda world, run: run(
            world.people["admin"].pk, "factor.added", "Passkey", "2026-11-21T12:00:00+00:00", ""
        ),
    ),
    Exempt(
        "accounts.tasks.send_factors_reset",
        "It mails a person that their second factors were reset, which is on record already.",
        lambda world, run: run(world.people["admin"].pk),
    ),
    Exempt(
        "accounts.tasks.forget_old_sessions",
        "Sessions that have expired let nobody in; their rows are tidied away.",
        _plainly,
    ),
    *(
        line
        for name in ("audit.tasks.verify_and_mail_head", "audit.tasks.check_now")
        for line in (
            Exempt(
                name,
                "It reads the whole log and keeps how that ended; what is wrong goes on record.",
                lambda world, run: (world.deletion, run()),
                writes=("audit_verification", "jobs_tasklock"),
            ),
            Leaves(name, Action.AUDIT_BROKEN, _tampered_log),
        )
    ),
    Leaves("audit.tasks.verify_and_mail_head", Action.AUDIT_CUT, _old_log),
    *(
        Leaves(f"domains.tasks.{name}", Action.DRIFT_APPEARED, _drift)
        for name in ("refresh_due", "refresh_copy", "refresh_all")
    ),
    Exempt(
        "domains.tasks.recheck_due",
        "It has PurelyMail look at DNS again, thousands of times a day. What changed by that"
        " stands in the history of the domain; what a person asked for is on record.",
        _look_again,
        writes=VERDICTS,
    ),
    Exempt(
        "domains.tasks.look_up_due",
        "It looks at DNS. What changed there stands in the history of the domain.",
        _look_again,
        writes=VERDICTS,
    ),
    Exempt(
        "domains.tasks.forget_old_changes",
        "Retention: the history of DNS is kept for a year.",
        _plainly,
        writes=("domains_dnschange",),
    ),
    Leaves("purelymanage.deletions.tasks.run_due", Action.DELETION_EXECUTED, _due_deletion),
    Exempt(
        "purelymanage.deletions.tasks.complete_dossiers",
        "It adds to a dossier what PurelyMail says; that somebody scheduled the deletion is on"
        " record, and nothing but the dossier changes.",
        lambda world, run: (world.deletion, run()),
        writes=(*TRACES, "deletions_pendingdeletion"),
    ),
    Exempt(
        "purelymanage.deletions.tasks.tell_alarms",
        "It mails an alarm, which is on record since it was raised.",
        lambda world, run: (_alarm(world), run()),
        writes=(*TRACES, "deletions_alarm"),
    ),
    Leaves("routing.tasks.finish_edits", Action.RULE_CHANGED, _cut_short_edit),
    Leaves(
        "mailboxes.tasks.work_on_batches",
        Action.MAILBOX_CREATED,
        lambda world, run: (world.running_batch, run()),
        actor="admin",
    ),
    Leaves(
        "mailboxes.tasks.work_on_batches",
        Action.DELETION_SCHEDULED,
        lambda world, run: (world.delete_batch, run()),
        actor="admin",
    ),
    Leaves("mailboxes.tasks.forget_old_batches", Action.BATCH_CANCELLED, _old_batches),
    Leaves("mailboxes.tasks.forget_old_batches", Action.BATCH_DISCARDED, _old_previews),
    Leaves(
        "migrations_app.tasks.import_batches",
        Action.JOB_CREATED,
        lambda world, run: (world.importing_batch, run()),
        actor="admin",
    ),
    Leaves(
        "migrations_app.tasks.discard_old_previews",
        Action.MIGRATIONS_DISCARDED,
        _old_migrations_previews,
    ),
    Leaves(
        "migrations_app.tasks.work_on_jobs",
        Action.JOB_QUEUED,
        lambda world, run: (world.bulk_work, run()),
        actor="admin",
    ),
    Exempt(
        "migrations_app.tasks.check_mailboxes",
        "It looks at mailboxes before anything is copied; who asked for that is on record.",
        _checked_job,
        writes=("jobs_tasklock", "migrations_app_check"),
    ),
    Leaves(
        "migrations_app.tasks.revoke_passwords",
        Action.APP_PASSWORD_REVOKED,
        lambda world, run: (world.temporary_password, run()),
    ),
    Exempt(
        "migrations_app.tasks.tell_of_ends",
        "It mails whoever started a migration that it has ended, which is on record.",
        lambda world, run: (world.job, run()),
        writes=("jobs_tasklock", "migrations_app_migrationjob"),
    ),
    Exempt(
        "purelymanage.notifications.tasks.send_waiting",
        "It passes on news of what is on record where it happened.",
        _plainly,
    ),
    Leaves(
        "migrations_app.tasks.repeat_jobs",
        Action.JOB_QUEUED,
        lambda world, run: (world.repeating_job, run()),
    ),
    Leaves(
        "migrations_app.tasks.advance_cut_overs",
        Action.CUT_OVER_ADVANCED,
        lambda world, run: (world.cut_over, run()),
    ),
    Leaves(
        "migrations_app.tasks.purge_expired",
        Action.CREDENTIALS_ERASED,
        lambda world, run: (world.moving_batch, run()),
    ),
    Leaves("migrations_app.tasks.purge_expired", Action.JOB_DELETED, _old_migrations),
    Exempt(
        "migrations_app.tasks.probe_engine",
        "It finds out which engine runs here.",
        _plainly,
    ),
    Exempt(
        "purelymanage.jobs.tasks.answer_canary",
        "A sign of life of the workers.",
        _plainly,
        writes=("jobs_workerhost",),
    ),
    # Chores of every worker host
    Leaves("migrations_app.queueing.queue.upkeep", Action.JOB_INTERRUPTED, _lost_worker),
    Exempt(
        "migrations_app.running.workplace.clear_up",
        "It removes directories that killed workers left; what became of their jobs is on record.",
        _plainly,
    ),
    # Commands
    Leaves("create_owner", Action.PERSON_ADDED, _new_owner),
    Leaves("reset_mfa", Action.FACTORS_RESET, _lost_factor),
    Leaves("set_password", Action.PASSWORD_SET, _lost_password),
    Leaves(
        "recheck_dns",
        Action.DOMAIN_RECHECKED,
        lambda _world, run: run("--all"),
    ),
    Leaves(
        "purge_expired",
        Action.CREDENTIALS_ERASED,
        lambda world, run: (world.moving_batch, run()),
    ),
    Leaves("import_migrations", Action.JOB_CREATED, _migrations_file),
    Leaves("run_due_deletions", Action.DELETION_EXECUTED, _due_deletion),
    Leaves("seed_demo", Action.SERVER_CREATED, _plainly),
    Leaves("sync_purelymail", Action.DRIFT_APPEARED, _drift),
    Leaves("rotate_encryption_keys", Action.KEYS_ROTATED, _with_a_new_key),
    Exempt("verify_audit_log", "It reads the whole log and prints what it found.", _plainly),
    Exempt("setup_code", "It prints the code of the set-up page.", _plainly),
    Exempt("start", "It keeps programs running; what they do is in these tables.", None),
    Exempt("workers", "It keeps programs running; what they do is in these tables.", None),
    Exempt("simulate_purelymail", "The simulator is somebody else.", None),
    Exempt("demo_imap", "The demo's mail servers are somebody else.", None),
]
RUNS: list[Line] = [Leaves("migrations_app.tasks.run_next", Action.JOB_STARTED, _queued_job)]
"""What starts processes and threads, which cannot look into a test's own transaction."""


def command(name: str) -> Callable[..., None]:
    """The management command of that name, as the server's operator calls it."""

    def call(*args: object, **options: object) -> None:
        call_command(name, *args, stdout=io.StringIO(), **options)

    return call
