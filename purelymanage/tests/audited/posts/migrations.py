"""Servers, jobs and limits."""

from __future__ import annotations

from typing import Any

from audit.actions import Action
from audit.models import Outcome
from purelymanage.tests.audited.tables import Leaves, Line
from purelymanage.tests.audited.world import LEA, NEW_PASSWORD, World

SERVER = {"name": "New provider", "host": "imap.new.example", "port": 993, "security": "tls"}
NOWHERE = {"host": "127.0.0.1", "port": 9, "security": "none"}


def _job(world: World, *, server: Any = None) -> dict[str, Any]:
    """What the form of a job sends."""
    server = server or world.server
    ends = {
        f"{side}_{name}": value
        for side, address in (("source", "lea@old.example"), ("destination", LEA))
        for name, value in {
            "server": server.pk,
            "address": address,
            "password": NEW_PASSWORD,
        }.items()
    }
    return {"name": "Lea", "dry_run": "on", **ends}


def _table(world: World) -> dict[str, Any]:
    """What the form of a batch sends."""
    line = f"lea@old.example,{NEW_PASSWORD},lea@elsewhere.example,{NEW_PASSWORD}"
    servers = {"source_server": world.server.pk, "destination_server": world.server.pk}
    return {"name": "Staff", "dry_run": "on", "pasted": line, **servers}


def _nowhere(world: World) -> Any:
    for name, value in NOWHERE.items():
        setattr(world.server, name, value)
    world.server.save()
    return world.server


MIGRATIONS: list[Line] = [
    # Migrations
    Leaves("migrations:server_add", Action.SERVER_CREATED, lambda _world, post: post(**SERVER)),
    Leaves(
        "migrations:server_edit",
        Action.SERVER_CHANGED,
        lambda world, post: post(world.server.pk, **SERVER),
    ),
    Leaves(
        "migrations:server_test",
        Action.SERVER_TESTED,
        lambda world, post: post(_nowhere(world).pk, address=LEA, password=NEW_PASSWORD),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:server_delete",
        Action.SERVER_DELETED,
        lambda world, post: post(world.server.pk),
    ),
    Leaves("migrations:add", Action.JOB_CREATED, lambda world, post: post(**_job(world))),
    Leaves(
        "migrations:add",
        Action.SERVER_TESTED,
        lambda world, post: post(**_job(world, server=_nowhere(world)), test="1"),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:edit",
        Action.JOB_CHANGED,
        lambda world, post: post(world.job.pk, **_job(world)),
    ),
    Leaves(
        "migrations:edit",
        Action.SERVER_TESTED,
        lambda world, post: post(world.job.pk, **_job(world, server=_nowhere(world)), test="1"),
        result=Outcome.Result.REFUSED,
    ),
    Leaves(
        "migrations:cancel",
        Action.JOB_CANCELLED,
        lambda world, post: post(world.queued_job.pk),
    ),
    Leaves("migrations:check", Action.JOBS_CHECKED, lambda world, post: post(world.job.pk)),
    Leaves("migrations:now", Action.JOB_HURRIED, lambda world, post: post(world.later_job.pk)),
    Leaves("migrations:real", Action.JOB_CREATED, lambda world, post: post(world.job.pk)),
    Leaves("migrations:rerun", Action.JOB_QUEUED, lambda world, post: post(world.job.pk)),
    Leaves("migrations:delete", Action.JOB_DELETED, lambda world, post: post(world.job.pk)),
    Leaves(
        "migrations:erase",
        Action.CREDENTIALS_ERASED,
        lambda world, post: post(world.job.pk),
    ),
    *(
        Leaves(
            "migrations:selected",
            action,
            lambda world, post, verb=verb, kind=kind: post(
                selected=[getattr(world, kind).pk], action=verb, confirmed="1"
            ),
        )
        for verb, kind, action in (
            ("cancel", "queued_job", Action.JOB_CANCELLED),
            ("now", "later_job", Action.JOB_HURRIED),
            ("real", "job", Action.JOB_CREATED),
            ("rerun", "job", Action.JOB_QUEUED),
            ("erase", "job", Action.CREDENTIALS_ERASED),
            ("delete", "job", Action.JOB_DELETED),
        )
    ),
    Leaves(
        "migrations:batch_new",
        Action.MIGRATIONS_PREPARED,
        lambda world, post: post(**_table(world)),
    ),
    Leaves(
        "migrations:batch_import",
        Action.MIGRATIONS_IMPORTED,
        lambda world, post: post(world.migrations_preview.pk),
    ),
    Leaves(
        "migrations:batch_import_stop",
        Action.MIGRATIONS_IMPORT_STOPPED,
        lambda world, post: post(world.importing_batch.pk),
    ),
    Leaves(
        "migrations:batch_discard",
        Action.MIGRATIONS_DISCARDED,
        lambda world, post: post(world.migrations_preview.pk),
    ),
    Leaves(
        "migrations:batch_check",
        Action.JOBS_CHECKED,
        lambda world, post: post(world.migration_batch.pk),
    ),
    Leaves(
        "migrations:batch_check_stop",
        Action.CHECKS_STOPPED,
        lambda world, post: post(world.migration_batch.pk),
    ),
    Leaves(
        "migrations:check_selected",
        Action.JOBS_CHECKED,
        lambda world, post: post(selected=[world.job.pk]),
    ),
    Leaves(
        "migrations:repeat",
        Action.JOB_REPEATED,
        lambda world, post: post(world.repeating_job.pk, hours=12),
    ),
    Leaves(
        "migrations:final",
        Action.JOB_SYNCED_FINALLY,
        lambda world, post: post(world.repeating_job.pk),
    ),
    Leaves(
        "migrations:batch_repeat",
        Action.MIGRATIONS_REPEATED,
        lambda world, post: post(world.moving_batch.pk, hours=12),
    ),
    Leaves(
        "migrations:batch_final",
        Action.MIGRATIONS_SYNCED_FINALLY,
        lambda world, post: post(world.moving_batch.pk),
    ),
    Leaves(
        "migrations:cut_over_begin",
        Action.CUT_OVER_BEGUN,
        lambda world, post: post(batch=world.moving_batch.pk, every_hours=6),
    ),
    Leaves(
        "migrations:cut_over_advance",
        Action.CUT_OVER_ADVANCED,
        lambda world, post: post(world.cut_over.pk, step="copy"),
    ),
    Leaves(
        "migrations:cut_over_stop",
        Action.CUT_OVER_STOPPED,
        lambda world, post: post(world.cut_over.pk),
    ),
    Leaves(
        "migrations:cut_over_resume",
        Action.CUT_OVER_RESUMED,
        lambda world, post: post(world.stopped_cut_over.pk),
    ),
    Leaves(
        "migrations:temporary_password_settle",
        Action.APP_PASSWORD_SETTLED,
        lambda world, post: post(world.temporary_password.pk),
    ),
    *(
        Leaves(
            f"migrations:batch_{verb}",
            action,
            lambda world, post, batch=batch, data=data: post(getattr(world, batch).pk, **data),
        )
        for verb, batch, action, data in (
            ("real", "migration_batch", Action.JOB_CREATED, {}),
            ("retry", "failed_migrations", Action.JOB_QUEUED, {}),
            ("cancel", "waiting_migrations", Action.JOB_CANCELLED, {}),
            ("pause", "waiting_migrations", Action.MIGRATIONS_PAUSED, {}),
            ("resume", "paused_migrations", Action.MIGRATIONS_RESUMED, {}),
            ("start", "waiting_migrations", Action.MIGRATIONS_SCHEDULED, {"start_at": ""}),
            ("erase", "migration_batch", Action.CREDENTIALS_ERASED, {}),
            ("delete", "migration_batch", Action.MIGRATIONS_DELETED, {}),
        )
    ),
    Leaves(
        "migrations:selected",
        Action.JOB_QUEUED,
        lambda world, post: post(
            everything="1", action="rerun", selected=[world.failed_migrations.pk]
        ),
    ),
    Leaves(
        "migrations:work_stop",
        Action.MIGRATIONS_BULK_STOPPED,
        lambda world, post: post(world.bulk_work.pk),
    ),
    Leaves(
        "migration_settings:limits",
        Action.LIMIT_CHANGED,
        lambda _world, post: post(concurrency=3, per_source_host=2),
    ),
    Leaves(
        "migration_settings:host_add",
        Action.HOST_LIMITED,
        lambda _world, post: post(host="imap.other.example", at_once=2),
    ),
    Leaves(
        "migration_settings:host_edit",
        Action.HOST_LIMITED,
        lambda world, post: post(world.closed_host.pk, at_once=2),
    ),
    Leaves(
        "migration_settings:host_free",
        Action.HOST_FREED,
        lambda world, post: post(world.closed_host.pk),
    ),
    Leaves(
        "migration_settings:host_open",
        Action.HOST_OPENED,
        lambda world, post: post(world.closed_host.pk),
    ),
    Leaves(
        "migration_settings:worker_drain",
        Action.WORKER_DRAINED,
        lambda world, post: post(world.worker_host.pk),
    ),
    Leaves(
        "migration_settings:worker_resume",
        Action.WORKER_RESUMED,
        lambda world, post: post(world.worker_host.pk),
    ),
]
