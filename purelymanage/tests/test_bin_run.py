"""bin/run on machines that lack something: one clear sentence each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.once


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "bin", tmp_path / "clone" / "bin")
    shutil.copy(ROOT / "requirements.txt", tmp_path / "clone")
    return tmp_path / "clone"


def run(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "bin/run"],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(clone), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def fake_python(clone: Path, script: str) -> str:
    path = clone / "fake-python"
    path.write_text(f'#!/bin/sh\n{script}\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_an_old_python_is_named(clone: Path):
    result = run(clone, PYTHON=fake_python(clone, "exit 1"))
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "apt install python3" in result.stderr


def test_a_missing_venv_module_is_named(clone: Path):
    script = '[ "$1 $2" = "-m venv" ] && { echo "ensurepip is not available"; exit 1; }'
    result = run(clone, PYTHON=fake_python(clone, script))
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr
    assert not (clone / ".venv").exists()


def test_a_full_disk_is_named(clone: Path):
    script = '[ "$1 $2" = "-m venv" ] && { echo "[Errno 28] No space left on device"; exit 1; }'
    result = run(clone, PYTHON=fake_python(clone, script))
    assert result.returncode == 1
    assert "The disk is full" in result.stderr


def test_no_network_is_named_and_a_later_start_tries_again(clone: Path):
    offline = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
    }
    for _attempt in range(2):
        result = run(clone, PYTHON=sys.executable, **offline)
        assert result.returncode == 1
        assert "Check the network" in result.stderr
