"""Triggers by which the database itself refuses to change or remove what is on record.

They guard against mistakes, ours and those of others. The one exception is a cut, which says so in
the head's row inside its own transaction; whoever says so too, or drops the triggers, is found by
`verify_audit_log`. SQLite drops triggers with the table when a migration rebuilds it:
a migration that alters one of these tables begins with `remove` and ends with `install`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("audit_entry", "audit_outcome", "audit_cut")
REFUSED = "The audit log is append-only: its rows are never changed or removed."

FUNCTION = f"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' OR NOT EXISTS (SELECT FROM audit_chain WHERE is_cutting) THEN
        RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$
"""  # nosec B608  # made of our own words


def install(connection: BaseDatabaseWrapper) -> None:
    """Have the database refuse."""
    _run(connection, _creating(connection.vendor))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, for a migration."""
    _run(connection, _dropping(connection.vendor))


def let_tests_empty_tables(connection: BaseDatabaseWrapper) -> None:
    """Tests that commit empty all tables afterwards; nothing else is to be able to."""
    for table in TABLES:
        if connection.vendor == "postgresql":
            _run(connection, [f"ALTER TABLE {table} DISABLE TRIGGER {table}_truncate"])
        else:
            _run(connection, [f"DROP TRIGGER {table}_delete"])


def _run(connection: BaseDatabaseWrapper, statements: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _creating(vendor: str) -> Iterator[str]:
    if vendor == "postgresql":
        yield FUNCTION
        for table in TABLES:
            yield _postgres_trigger(table, "change", "UPDATE OR DELETE")
            yield _postgres_trigger(table, "truncate", "TRUNCATE")
    else:
        for table in TABLES:
            yield _sqlite_trigger(table, "update", "")
            unless_cutting = "WHEN NOT EXISTS (SELECT 1 FROM audit_chain WHERE is_cutting)"
            yield _sqlite_trigger(table, "delete", unless_cutting)


def _postgres_trigger(table: str, name: str, event: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )


def _sqlite_trigger(table: str, event: str, condition: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{event} BEFORE {event.upper()} ON {table} {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )


def _dropping(vendor: str) -> Iterator[str]:
    if vendor == "postgresql":
        yield "DROP FUNCTION IF EXISTS audit_refuse() CASCADE"
    else:
        for table in TABLES:
            for event in ("update", "delete"):
                yield f"DROP TRIGGER IF EXISTS {table}_{event}"
