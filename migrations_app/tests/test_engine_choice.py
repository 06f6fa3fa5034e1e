"""Which engine is taken, and what is said about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.core.cache import cache

from migrations_app.engines import choice
from migrations_app.tests.queueing import FAKE
from purelymanage.core.errors import UnavailableError

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _forget() -> None:
    cache.clear()


@pytest.fixture
def _auto(settings: object) -> None:
    settings.MIGRATION_ENGINE = "auto"


@pytest.mark.usefixtures("_auto")
def test_auto_takes_imapsync_where_it_answers(tmp_path: Path, settings: object) -> None:
    settings.IMAPSYNC_PATH = str(FAKE)
    assert choice.describe().version == ""  # nobody asked it yet
    assert choice.choose().name == "imapsync"
    assert choice.describe() == choice.EngineChoice(
        "imapsync", "2.229", f"imapsync was found at “{settings.IMAPSYNC_PATH}”."
    )


@pytest.mark.usefixtures("_auto")
def test_auto_takes_the_builtin_engine_and_says_why(tmp_path: Path, settings: object) -> None:
    settings.IMAPSYNC_PATH = str(tmp_path / "nothing")
    assert choice.choose().name == "builtin"
    assert choice.describe().reason.startswith("Built-in, because imapsync is not installed")


@pytest.mark.usefixtures("_auto")
def test_an_imapsync_installed_meanwhile_is_taken_by_the_next_run(
    tmp_path: Path, settings: object
) -> None:
    settings.IMAPSYNC_PATH = str(tmp_path / "imapsync")
    assert choice.choose().name == "builtin"
    Path(settings.IMAPSYNC_PATH).symlink_to(FAKE)
    assert choice.choose().name == "imapsync"


@pytest.mark.usefixtures("_auto")
@pytest.mark.parametrize("wanted", ["", "imapsync"])
def test_an_imapsync_that_a_busy_machine_keeps_from_answering_is_taken_all_the_same(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    settings.IMAPSYNC_PATH = str(slow)
    monkeypatch.setattr("migrations_app.engines.imapsync.command.VERSION_SECONDS", 0.2)
    assert choice.choose(wanted).name == "imapsync"
    assert choice.describe().label == "imapsync"


@pytest.mark.usefixtures("_auto")
def test_that_another_host_has_imapsync_does_not_count_here(
    tmp_path: Path, settings: object
) -> None:
    settings.IMAPSYNC_PATH = str(tmp_path / "imapsync")
    Path(settings.IMAPSYNC_PATH).symlink_to(FAKE)
    assert choice.choose().name == "imapsync"
    Path(settings.IMAPSYNC_PATH).unlink()  # the same answer in the cache, another disk
    assert choice.choose().name == "builtin"


@pytest.mark.usefixtures("_auto")
def test_a_broken_imapsync_is_not_taken(tmp_path: Path, settings: object) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'Can not locate IMAPClient.pm' >&2; exit 2\n")
    broken.chmod(0o755)
    settings.IMAPSYNC_PATH = str(broken)
    assert choice.probe().name == "builtin"
    assert "IMAPClient.pm" in choice.describe().reason
    with pytest.raises(UnavailableError, match="MIGRATION_ENGINE=builtin"):
        choice.choose("imapsync")


def test_an_engine_can_be_named_and_an_unknown_one_is_refused(settings: object) -> None:
    settings.MIGRATION_ENGINE = "builtin"
    assert choice.choose().name == "builtin"
    assert choice.describe().reason == "MIGRATION_ENGINE is set to builtin."
    with pytest.raises(UnavailableError, match="There is no engine “mbsync”"):
        choice.choose("mbsync")


@pytest.mark.usefixtures("_auto")
def test_a_page_never_starts_a_program(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMAPSYNC_PATH = str(FAKE)
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    assert choice.describe().name == "imapsync"
