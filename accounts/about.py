"""Facts of the About page. Apps above this one register theirs in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import purelymanage
from accounts import rotation
from purelymanage.crypto import known_key_ids
from purelymanage.jobs.health import LATE_SECONDS, seconds_since_worker_seen
from purelymanage.jobs.queue import waiting


@dataclass(frozen=True)
class Fact:
    """One line: words, a moment, a tone for a verdict, and what it means."""

    text: str = ""
    at: datetime | None = None
    tone: str = ""
    note: str = ""


Ask = Callable[[], Fact]


def register_fact(label: Any, ask: Ask, order: int) -> None:
    """Add a line to the About page; `ask` reads our own tables and nothing slower."""
    _facts.append((order, label, ask))


def facts() -> list[tuple[str, Fact]]:
    """Every line, in order."""
    return [(str(label), ask()) for _order, label, ask in sorted(_facts, key=lambda fact: fact[0])]


def _version() -> Fact:
    return Fact(purelymanage.__version__, note=f"Django {django.get_version()}")


def _database() -> Fact:
    if connection.vendor == "postgresql":
        number = connection.pg_version  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it
        return Fact(f"PostgreSQL {number // 10_000}.{number % 10_000}")
    version = ".".join(str(part) for part in connection.Database.sqlite_version_info)  # type: ignore[attr-defined]  # SQLite's module has it
    return Fact(f"SQLite {version}", note=str(settings.DATABASES["default"]["NAME"]))


def _worker() -> Fact:
    seconds = seconds_since_worker_seen()
    if seconds is None:
        return Fact(_("Never seen"), tone="bad", note=_("Start the workers: manage.py workers"))
    text = ngettext("Seen %(seconds)d second ago", "Seen %(seconds)d seconds ago", int(seconds)) % {
        "seconds": int(seconds)
    }
    if seconds > LATE_SECONDS:
        note = _("No worker runs, so nothing syncs and no migration starts.")
        return Fact(text, tone="bad", note=note)
    return Fact(text, tone="ok")


def _queue() -> Fact:
    tasks = waiting("app") + waiting("sync")
    return Fact(ngettext("%(tasks)d task", "%(tasks)d tasks", tasks) % {"tasks": tasks})


def _secrets() -> Fact:
    """Whether every key may go but the first, and whether one is missing."""
    keys = rotation.keys_in_use()
    known = known_key_ids()
    if lost := keys.total() - sum(keys[key] for key in known):
        text = ngettext("%(lost)d does not open", "%(lost)d do not open", lost) % {"lost": lost}
        note = _("Their key is missing: %(keys)s. Put it back, last among ENCRYPTION_KEYS.") % {
            "keys": ", ".join(sorted(set(keys) - set(known)))
        }
        return Fact(text, tone="bad", note=note)
    if older := keys.total() - keys[known[0]]:
        text = ngettext(
            "%(older)d sealed with an older key", "%(older)d sealed with older keys", older
        ) % {"older": older}
        note = _("Run manage.py rotate_encryption_keys before the older key goes.")
        return Fact(text, tone="warn", note=note)
    return Fact(_("All sealed with the current key"), tone="ok")


_facts: list[tuple[int, Any, Ask]] = [
    (10, gettext_lazy("Version"), _version),
    (20, gettext_lazy("Database"), _database),
    (30, gettext_lazy("Workers"), _worker),
    (40, gettext_lazy("Queue"), _queue),
    (45, gettext_lazy("Stored secrets"), _secrets),
]
