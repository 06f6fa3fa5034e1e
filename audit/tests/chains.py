"""What tests of the chain share: history to tamper with, and SQL that the database would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from audit import guards
from audit.actions import Action
from audit.services import audited, record

ENTRIES = 6


def make_history(entries: int = ENTRIES) -> None:
    """So many entries with their outcomes: positions 1 to twice as many."""
    for number in range(1, entries + 1):
        with audited(Action.RULE_CHANGED, target=f"rule {number}", before={"n": number}) as change:
            change.after["seen"] = number


def make_pair(first: str, second: str) -> None:
    """Two entries, the second one inside the first one."""
    with audited(Action.RULE_CHANGED, target=first):
        record(Action.SIGNED_IN, target=second)


@contextmanager
def unguarded() -> Iterator[None]:
    """As somebody who may change the schema: the triggers are away for a moment."""
    connection.check_constraints()
    guards.remove(connection)
    yield
    connection.check_constraints()
    guards.install(connection)
    guards.let_tests_empty_tables(connection)


@contextmanager
def guarded() -> Iterator[None]:
    """As in production: also those triggers are up that tests which commit could not live with."""
    connection.check_constraints()
    guards.remove(connection)
    guards.install(connection)
    yield
    connection.check_constraints()
    guards.let_tests_empty_tables(connection)


def sql(statement: str, *values: Any) -> None:
    """Run a statement past all that guards the log; the same with each of several."""
    with unguarded(), connection.cursor() as cursor:
        for one in statement.split(";"):
            cursor.execute(one, values)
