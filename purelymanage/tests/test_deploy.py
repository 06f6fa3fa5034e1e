"""Django's own checks find nothing in the settings of production."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from purelymanage.make_keys import make_keys

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("database", ["", "postgres://panel:secret@127.0.0.1:9/panel"])
def test_the_checks_for_production_find_nothing(tmp_path, database):
    keys = dict(line.split("=", 1) for line in make_keys().splitlines() if "=" in line)
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "DATA_DIR": str(tmp_path),
        "BASE_URL": "https://panel.example.com",
        "PURELYMAIL_API_TOKEN": "a-token",
        "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
        "TRUSTED_PROXIES": "127.0.0.1",
        **({"DATABASE_URL": database} if database else {}),
        **keys,
    }
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
    assert "0 silenced" in done.stdout
