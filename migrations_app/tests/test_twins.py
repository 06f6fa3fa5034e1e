"""One migration at a time between two mailboxes: the same rule by hand, from a file, once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from migrations_app.models import BatchLine, LineState, MigrationJob, State
from migrations_app.services import batches as services
from migrations_app.services.jobs import rerun_job, run_job_for_real
from migrations_app.tests.batching import (
    DOMAIN,
    GOOD,
    HEADER,
    old_server,
    preview,
    purelymail_server,
    states,
    table,
)
from migrations_app.tests.factories import JobFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError

pytestmark = pytest.mark.django_db

LINES = BatchLine._meta.db_table
ENDS = {
    "source_host": "imap.old.example",
    "source_port": 993,
    "source_address": "lea@old.example",
    "destination_host": "imap.purelymail.com",
    "destination_port": 993,
    "destination_address": f"lea@{DOMAIN}",
}
UNFINISHED = {"state": State.QUEUED, "dry_run": True, "name": "The first"}
SAME = [
    {},
    {"source_address": "Lea@Old.example"},
    {"destination_address": f"LEA@{DOMAIN}"},
    {"source_host": "IMAP.Old.Example"},
    {"destination_host": "IMAP.purelymail.com"},
    {"source_port": 143},
    {"state": State.RUNNING},
    {"state": State.INTERRUPTED, "requeues": 3},
]
OTHERS = [
    {"source_address": "max@old.example"},
    {"destination_address": f"max@{DOMAIN}"},
    {"source_host": "imap.other.example"},
    {"source_port": 1993},
    {"dry_run": False},
    {"state": State.DONE},
    {"state": State.INTERRUPTED, "requeues": 4},
]


def is_refused_once_more(_admin: User) -> bool:
    job = JobFactory(**ENDS, dry_run=True)
    try:
        rerun_job(job=job)
    except RefusedError as error:
        return "The first" in error.message
    return False


def is_refused_in_a_file(admin: User) -> bool:
    return states(preview(admin, HEADER + GOOD)) == [LineState.BAD]


def is_left_out_by_an_import(admin: User) -> bool:
    batch = preview(admin, HEADER + GOOD)
    batch.lines.update(state=LineState.GOOD, problem="")  # nobody had made it then
    with acting_as(person(admin)):
        services.start_import(batch=batch)
    services.import_waiting()
    return states(batch) == [LineState.BAD]


@pytest.mark.parametrize(
    "refused", [is_refused_once_more, is_refused_in_a_file, is_left_out_by_an_import]
)
@pytest.mark.parametrize(
    ("facts", "expected"), [*((one, True) for one in SAME), *((one, False) for one in OTHERS)]
)
def test_what_counts_as_the_same_migration(
    admin: User, refused: Callable[[User], bool], facts: dict[str, Any], *, expected: bool
) -> None:
    JobFactory(**{**ENDS, **UNFINISHED, **facts})
    assert refused(admin) is expected


def test_a_job_is_no_twin_of_itself(admin: User) -> None:
    dry = JobFactory(**ENDS, dry_run=True)
    real = run_job_for_real(job=dry)
    MigrationJob.objects.filter(pk=real.pk).update(state=State.FAILED)
    real.refresh_from_db()
    assert rerun_job(job=real).state == State.QUEUED


@pytest.mark.parametrize("count", [3, 90])
def test_however_many_lines_are_taken_few_statements_say_so(admin: User, count: int) -> None:
    batch = preview(admin, table(count))
    for line in batch.lines.all():
        JobFactory(
            source_server=old_server(),
            destination_server=purelymail_server(),
            source_address=line.source_address,
            destination_address=line.destination_address,
            state=State.QUEUED,
            dry_run=True,
        )
    with CaptureQueriesContext(connection) as queries, pytest.raises(RefusedError):
        services.start_import(batch=batch, all_or_nothing=True)
    updates = [one["sql"] for one in queries if "UPDATE" in one["sql"] and LINES in one["sql"]]
    assert len(updates) == 2
    assert states(batch) == [LineState.BAD] * count
    assert not batch.lines.exclude(source_password="", destination_password="").exists()
    assert all("unfinished" in problem for problem in batch.lines.values_list("problem", flat=True))


def test_what_was_imported_meanwhile_is_not_called_taken(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = preview(admin, table(2))
    find = services.unfinished_pairs

    def imported_by_another(*args: Any) -> dict[Any, str]:
        with acting_as(person(admin)):
            monkeypatch.setattr(services, "unfinished_pairs", find)
            services.start_import(batch=batch)
            services.import_waiting()
        return find(*args)

    monkeypatch.setattr(services, "unfinished_pairs", imported_by_another)
    with pytest.raises(RefusedError):
        services.start_import(batch=batch, all_or_nothing=True)
    assert states(batch) == [LineState.IMPORTED] * 2
