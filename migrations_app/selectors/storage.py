"""How much room everything takes, and for how long it is kept; asked of the database itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from migrations_app.models import LogChunk


@dataclass(frozen=True)
class Storage:
    """Sizes in bytes; None where the database does not tell."""

    database: int
    logs: int | None
    """Of migrations, with their index."""
    free: int | None
    """On the disk the database is on."""
    log_days: int
    """0 keeps them for ever, here and below."""
    job_days: int


def storage() -> Storage:
    """A query or two, however much is stored."""
    database, logs = _postgresql() if connection.vendor == "postgresql" else (_sqlite(), None)
    return Storage(
        database, logs, _free(), settings.LOG_RETENTION_DAYS, settings.JOB_RETENTION_DAYS
    )


def _postgresql() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), pg_total_relation_size(%s::regclass)",
            [LogChunk._meta.db_table],
        )
        database, logs = cursor.fetchone()
    return database, logs


def _sqlite() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        size: int = cursor.fetchone()[0]
    return size


def _free() -> int | None:
    """A database server's disk may be another machine's."""
    file = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "postgresql" or not file.is_file():
        return None
    return shutil.disk_usage(file.parent).free
