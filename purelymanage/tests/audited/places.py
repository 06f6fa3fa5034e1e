"""Addresses that lead to a row that is there: one for each name of the URL map."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import site as admin_site
from django.urls import URLPattern, reverse

from purelymanage.tests.audited.posts.invitations import TOKEN, invited
from purelymanage.tests.audited.world import World


def argument(name: str, key: str, world: World) -> Any:
    """A value that leads somewhere."""
    space = name.rpartition(":")[0]
    special = {
        "migrations:server_edit": world.server,
        "migrations:server_test": world.server,
        "migrations:server_delete": world.server,
        **{
            f"migrations:{page}": world.migration_batch
            for page in (
                "batch",
                "batch_live",
                "batch_real",
                "batch_start",
                "batch_erase",
                "batch_delete",
            )
        },
        "migrations:batch_cancel": world.waiting_migrations,
        "migrations:batch_retry": world.failed_migrations,
        "migrations:batch_check": world.migration_batch,
        "migrations:batch_check_stop": world.migration_batch,
        "migrations:batch_checks_live": world.migration_batch,
        "migrations:batch_pause": world.waiting_migrations,
        "migrations:batch_resume": world.paused_migrations,
        "migrations:work_stop": world.bulk_work,
        "migrations:batch_passwords": world.failed_migrations,
        "migrations:batch_passwords_csv": world.failed_migrations,
        "migrations:batch_passwords_text": world.failed_migrations,
        "migrations:batch_report": world.migration_batch,
        "migrations:batch_report_csv": world.migration_batch,
        "migrations:batch_report_json": world.migration_batch,
        "migrations:batch_losses_csv": world.migration_batch,
        "migrations:repeat": world.repeating_job,
        "migrations:final": world.repeating_job,
        "migrations:batch_repeat": world.moving_batch,
        "migrations:batch_final": world.moving_batch,
        "migrations:cut_over": world.cut_over,
        "migrations:cut_over_advance": world.cut_over,
        "migrations:cut_over_stop": world.cut_over,
        "migrations:cut_over_resume": world.stopped_cut_over,
        "migrations:batch_preview": world.migrations_preview,
        "migrations:batch_lines": world.migrations_preview,
        "migrations:batch_import": world.migrations_preview,
        "migrations:batch_import_stop": world.importing_batch,
        "migrations:batch_discard": world.migrations_preview,
        "migrations:cancel": world.queued_job,
        "migrations:now": world.later_job,
        "migrations:temporary_password_settle": world.temporary_password,
        "migration_settings:worker_drain": world.worker_host,
        "migration_settings:worker_resume": world.worker_host,
        "deletions:frozen": world.freeze,
        "deletions:recreate": world.executed,
        "deletions:freeze": world.people["admin"],
        "accounts:invitation_send": invited(world),
        "accounts:invitation_revoke": invited(world),
    }
    usual = {
        "accounts": world.people["viewer"],
        "mailboxes": world.mailbox,
        "mailboxes:batches": world.done_batch,
        "domains": world.domain,
        "routing": world.rule,
        "deletions": world.deletion,
        "migrations": world.job,
        "migration_settings": world.closed_host,
    }
    if key == "pk":
        row = special.get(name) or usual.get(space)
        return row.pk if row else 1
    if key == "token":
        return TOKEN
    words = {"key": "mx", "kind": "mailboxes", "app_label": "domains", "url": "nothing/"}
    return words.get(key, "1")


def path_of(name: str, item: URLPattern, world: World) -> str:
    """An address of that name."""
    if name == "admin":
        return "/admin/nothing/"
    keys = item.pattern.regex.groupindex
    arguments = {key: argument(name, key, world) for key in keys}
    if "object_id" in arguments:
        for model in admin_site._registry:
            if name.startswith(f"admin:{model._meta.label_lower.replace('.', '_')}_"):
                pk = model.objects.values_list("pk", flat=True).first()
                arguments["object_id"] = str(pk or 1)
    return reverse(name, kwargs=arguments)
