"""A run's private directory: no living worker loses it, and nothing stays of a killed one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from migrations_app.models import MigrationJob
from migrations_app.running import workplace
from purelymanage.jobs import registry

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def runs(settings, tmp_path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "runs"


def worker() -> tuple[int, Path]:
    """Another process in the middle of a run: its id, and where it works."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        with workplace.private_directory(MigrationJob(pk=1)) as path:
            (path / "passfile1").write_text("secret")
            os.write(theirs, str(path).encode())
            time.sleep(60)
        os._exit(0)
    path = Path(os.read(ours, 1000).decode())
    os.close(ours)
    os.close(theirs)
    return pid, path


def test_it_is_private_and_gone_after_the_run(runs):
    with workplace.private_directory(MigrationJob(pk=7)) as path:
        assert path.parent == runs
        assert path.name.startswith("7-")
        assert [oct(place.stat().st_mode)[-3:] for place in (runs, path)] == ["700", "700"]
    assert list(runs.iterdir()) == []


def test_a_living_workers_stays_and_a_killed_ones_goes(monkeypatch):
    pid, path = worker()
    try:
        workplace.clear_up()
        with workplace.private_directory(MigrationJob(pk=2)):
            assert (path / "passfile1").exists()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert path.exists()
    workplace.clear_up()
    assert not path.exists()


def test_one_that_is_just_being_made_stays(runs):
    making = runs / ".3-new"
    making.mkdir(parents=True)
    workplace.clear_up()
    assert making.exists()
    os.utime(making, (0, 0))
    workplace.clear_up()
    assert not making.exists()


def test_every_host_clears_up_all_the_time():
    workplace.clear_up()
    assert workplace.clear_up in registry.upkeep()
