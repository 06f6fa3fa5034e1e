"""What the tests of queue and runner share: jobs whose engine is the stand-in for imapsync."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from migrations_app.models import MigrationJob

FAKE = Path(__file__).with_name("fake_imapsync.py")
SOURCE_PASSWORD = 'Quelle "§7 % secret'
DESTINATION_PASSWORD = "Ziel+geheim/=&<42>"


def make_job(
    name: str = "job", *, behaviour: dict[str, Any] | None = None, **facts: Any
) -> MigrationJob:
    """A queued job that nobody was told of yet."""
    values = {
        "name": name,
        "source_host": "old.example",
        "source_port": 993,
        "source_security": "tls",
        "source_address": urlencode(behaviour or {}) or "mails=3",
        "source_password": SOURCE_PASSWORD,
        "destination_host": "new.example",
        "destination_port": 993,
        "destination_security": "tls",
        "destination_address": f"{name}@new.example",
        "destination_password": DESTINATION_PASSWORD,
        "dry_run": False,
    }
    return MigrationJob.objects.create(**{**values, **facts})
