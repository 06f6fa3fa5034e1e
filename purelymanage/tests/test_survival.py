"""A panel killed in the middle of a real migration: no orphan, and nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from migrations_app.tests.conftest import _session_pair, imap_pair  # noqa: F401  fixtures
from migrations_app.tests.dovecot import Mail, Pair
from migrations_app.tests.postgres import BINARIES, MISSING, PrivatePostgres
from purelymanage.jobs.tests.processes import processes_with, settles
from purelymanage.tests.panel import Panel
from purelymanage.tests.visitor import Visitor

pytestmark = [pytest.mark.imap, pytest.mark.slow, pytest.mark.xdist_group("survival")]

MAILS = [
    Mail(
        ("INBOX",) if n % 2 else ("Archiv", "Süd"),
        b"Message-ID: <%d@survival>\r\nSubject: s\r\n\r\n%s\r\n" % (n, b"%04d" % n * 1000),
    )
    for n in range(300)
]
KB_PER_SECOND = "150"  # 1.2 MB: long enough to be hit in the middle
RECOVERY_SECONDS = 120


class Migration:
    """A running job, its panel and its mailbox."""

    def __init__(self, panel: Panel, owner: Visitor, pair: Pair) -> None:
        self.panel, self.owner, self.pair = panel, owner, pair
        self.user = f"survivor.{uuid.uuid4().hex[:8]}@lindenhof.example"
        pair.source.add_user(self.user, "old password")
        pair.destination.add_user(self.user, "new password")
        pair.source.fill(self.user, MAILS)
        job = owner.job_between(pair, self.user)
        page = owner.post("/migrations/new/", **job, bandwidth_kbs=KB_PER_SECOND, subscribe="on")
        self.number = int(page.url.rstrip("/").rpartition("/")[2])
        assert settles(lambda: pair.destination.count(self.user) > 30), "nothing was copied"

    def engine(self) -> int:
        """The engine's own process."""
        return next(
            pid
            for pid in processes_with("--passfile1")
            if self.user in _command_line(pid) and "guard.py" not in _command_line(pid)
        )

    def ends_exactly(self) -> bool:
        """Done by itself, every message there once."""
        self.owner.wait_for_end(self.number, seconds=RECOVERY_SECONDS)
        return self.pair.destination.count(self.user) == len(MAILS)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory, _session_pair: Pair) -> Iterator[Panel]:  # noqa: F811
    """One for all: each test leaves it at work."""
    panel = Panel(tmp_path_factory.mktemp("panel"), extra=trust(_session_pair))
    yield panel
    panel.remove()
    assert settles(lambda: not panel.processes())


@pytest.fixture(scope="module")
def owner(panel: Panel) -> Visitor:
    owner = Visitor(panel.start().url)
    owner.set_up()
    return owner


def trust(pair: Pair) -> dict[str, str]:
    return {"IMAP_CA_FILE": str(pair.ca_file), "MIGRATION_ENGINE": "builtin"}


@pytest.mark.once
def test_a_killed_engine_is_made_good(panel: Panel, owner: Visitor, imap_pair: Pair):  # noqa: F811
    migration = Migration(panel, owner, imap_pair)
    os.kill(migration.engine(), signal.SIGKILL)
    assert migration.ends_exactly()


def test_a_killed_worker_is_made_good(panel: Panel, owner: Visitor, imap_pair: Pair):  # noqa: F811
    migration = Migration(panel, owner, imap_pair)
    engine = migration.engine()
    guard = _parent(engine)
    os.kill(_parent(guard), signal.SIGKILL)
    assert settles(lambda: _command_line(engine) == "", 5), "the engine outlived its worker"
    assert migration.ends_exactly()


@pytest.mark.once
def test_a_killed_supervisor_leaves_nothing_and_the_next_start_goes_on(
    panel: Panel,
    owner: Visitor,
    imap_pair: Pair,  # noqa: F811
):
    migration = Migration(panel, owner, imap_pair)
    panel.process.kill()
    panel.process.wait()
    assert settles(lambda: not panel.processes(), 10), "processes outlived their supervisor"
    copied = imap_pair.destination.count(migration.user)
    assert copied < len(MAILS)
    panel.start()
    assert migration.ends_exactly()


@pytest.mark.once
def test_stopping_in_good_order_requeues_and_the_next_start_goes_on(
    panel: Panel,
    owner: Visitor,
    imap_pair: Pair,  # noqa: F811
):
    migration = Migration(panel, owner, imap_pair)
    assert panel.stop(signal.SIGINT) == 0
    assert not panel.processes()
    panel.start()
    assert migration.ends_exactly()
    log = f"/migrations/{migration.number}/log/"
    assert "interrupted" not in owner.get(log).text.lower()


@pytest.mark.once
@pytest.mark.skipif(BINARIES is None, reason=MISSING)
def test_a_database_that_stops_is_waited_for(tmp_path: Path, imap_pair: Pair):  # noqa: F811
    database = PrivatePostgres(migrated=True)
    panel = Panel(tmp_path, extra=trust(imap_pair), database_url=database.url)
    try:
        owner = Visitor(panel.start().url)
        owner.set_up()
        migration = Migration(panel, owner, imap_pair)
        engine = migration.engine()
        database.stop()
        assert requests.get(f"{panel.url}/readyz", timeout=20).status_code == 503
        assert settles(lambda: _command_line(engine) == "", 60), "the engine was not fenced off"
        database.start()
        assert settles(panel.is_ready, 60)
        assert migration.ends_exactly()
    finally:
        panel.remove()
        database.remove()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
