"""Whatever changes something leaves an entry in the audit log, or says here why not.

The tables are `audited/posts/` and `audited/work.py`. Every line of them is really done: by HTTP
as the right person, or as a worker does it, with the simulator of PurelyMail behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest
from django.utils.module_loading import import_string

from audit.models import Entry
from migrations_app.tests.queueing import FAKE
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.posts import POSTS
from purelymanage.tests.audited.tables import Exempt, Line
from purelymanage.tests.audited.work import RUNS, WORK, command
from purelymanage.tests.audited.world import (
    ADDRESS,
    World,
    entries_after,
    newest_entry,
    recorded,
)

pytestmark = pytest.mark.once

SESSIONS = {"accounts_session"}
"""Messages to the person, and when they were last seen."""
COMMANDS = walk.commands()


def names(lines: Iterable[Line]) -> set[str]:
    return {line.name for line in lines}


# The tables are complete


def test_the_walk_finds_the_site():
    found = {name for name, _route, _item in walk.addresses()}
    assert found >= {"account_login", "mailboxes:add", "admin:index", "dashboard:home"}
    assert walk.changing_addresses() >= {"account_login", "mailboxes:add", "admin:logout"}
    assert walk.changing_addresses().isdisjoint({"dashboard:home", "audit:list"})
    assert walk.tasks() >= {"domains.tasks.refresh_copy", "migrations_app.tasks.run_next"}


def test_every_address_that_takes_a_post_is_in_the_table():
    missing = walk.changing_addresses() - names(POSTS)
    assert not missing, (
        f"{', '.join(sorted(missing))}: takes more than GET. Add a line to the table in"
        " purelymanage/tests/audited/posts/: `Leaves` with the action that is on record"
        " afterwards, or `Exempt` with the reason why nothing is. A page that is only looked at"
        " wears @require_GET."
    )


def test_every_task_chore_and_command_is_in_the_table():
    missing = (walk.tasks() | walk.chores() | COMMANDS) - names([*WORK, *RUNS])
    assert not missing, (
        f"{', '.join(sorted(missing))}: Add a line to WORK in purelymanage/tests/audited/work.py:"
        " `Leaves` with the action that is on record afterwards, or `Exempt` with the reason why"
        " nothing is."
    )


def test_nothing_is_in_the_tables_that_is_gone():
    gone = names(POSTS) - walk.changing_addresses()
    gone |= names([*WORK, *RUNS]) - walk.tasks() - walk.chores() - COMMANDS
    assert not gone, f"{', '.join(sorted(gone))}: is not there any more. Take its line out."


def test_every_exemption_says_why():
    for line in [*POSTS, *WORK, *RUNS]:
        if isinstance(line, Exempt):
            assert len(line.why.split()) >= 4, line.name


# And true


def done_by_post(line: Line, world: World) -> None:
    """Send it, and see that the answer is a good one."""
    post = partial(world.post, line.name, by=line.by)
    answers = line.do(world, post)
    for answer in answers if isinstance(answers, list) else [answers]:
        assert answer.status_code in line.status, f"{line}: {answer.status_code}"


def done_by_worker(line: Line, world: World) -> None:
    work = command(line.name) if line.name in COMMANDS else import_string(line.name)
    line.do(world, partial(world.run, work))


def is_by(entry: Entry, role: str, world: World) -> bool:
    """Whether an entry names the right person, or the right one of the others."""
    if role == "system":
        return entry.actor_kind == Entry.ActorKind.SYSTEM and entry.actor_id is None
    person = world.people.get(role)
    return entry.actor_kind == Entry.ActorKind.PERSON and entry.actor_id == (person and person.pk)


def check(line: Line, world: World, *, before: int, by: str, address: str | None) -> None:
    """What stands in the log since entry `before` is what the line promises."""
    new = entries_after(before)
    if isinstance(line, Exempt):
        written = world.written - SESSIONS - set(line.writes)
        assert not written, f"{line.name} is exempt, and wrote to {', '.join(sorted(written))}"
        return
    told = [f"{entry.action} by {entry.actor_name} from {entry.address}" for entry in new]
    found = [
        entry
        for entry in new
        if entry.action == line.action and is_by(entry, by, world) and entry.address == address
    ]
    assert found, f"{line.name}: no {line.action} by {by} from {address}, but {told}"
    assert [entry.outcome.result for entry in found] == [line.result] * len(found), line.name
    log = recorded()
    assert not any(secret in log for secret in world.secrets), f"{line.name}: a secret on record"


@pytest.mark.django_db
@pytest.mark.parametrize("line", POSTS, ids=str)
def test_what_is_posted_is_on_record(line, world):
    before = newest_entry()
    done_by_post(line, world)
    by = getattr(line, "actor", "") or line.by
    check(line, world, before=before, by=by, address=ADDRESS)


@pytest.mark.django_db
@pytest.mark.parametrize("line", [line for line in WORK if getattr(line, "do", None)], ids=str)
def test_what_happens_in_the_background_is_on_record(line, world):
    before = newest_entry()
    done_by_worker(line, world)
    by = getattr(line, "actor", "") or "system"
    check(line, world, before=before, by=by, address=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("line", RUNS, ids=str)
def test_what_starts_programs_is_on_record(line, world, settings, tmp_path):
    settings.MIGRATION_ENGINE, settings.IMAPSYNC_PATH = "imapsync", str(FAKE)
    settings.DATA_DIR, settings.WORKER_HOST = tmp_path, "a:1"
    before = newest_entry()
    done_by_worker(line, world)
    check(line, world, before=before, by="system", address=None)
