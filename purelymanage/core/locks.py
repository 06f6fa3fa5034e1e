"""Short exclusive sections, the same on PostgreSQL and SQLite."""

from __future__ import annotations

from zlib import crc32

from django.db import connection, transaction


def lock_transaction(name: str) -> None:
    """Hold `name` until the current transaction ends.

    PostgreSQL takes an advisory lock; SQLite's IMMEDIATE transactions already exclude each other.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("lock_transaction needs a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [crc32(name.encode())])
