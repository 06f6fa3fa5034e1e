"""Which engine runs here: the one named, or imapsync where it works, else the built-in one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from migrations_app.engines.base import Engine
from migrations_app.engines.builtin.engine import BuiltinEngine
from migrations_app.engines.imapsync.command import ImapsyncEngine
from purelymanage.core.errors import UnavailableError

LABELS = {"builtin": "Built-in", "imapsync": "imapsync"}
"""What people call the engines."""
_SECONDS = 300
_KEY = "migrations_app.engines.imapsync"


@dataclass(frozen=True)
class EngineChoice:
    """What the page says about the engine."""

    name: str
    version: str
    """Empty until a worker has asked, and was answered in time."""
    reason: str

    @property
    def label(self) -> str:
        """Its name for people, with the version where it has one of its own."""
        return f"{LABELS[self.name]} {self.version}".rstrip()


@dataclass(frozen=True)
class _Answer:
    version: str
    trouble: str


def choose(name: str | None = None) -> Engine:
    """The engine for a run. Raises UnavailableError with the cure where it cannot run."""
    name = name or settings.MIGRATION_ENGINE
    if name == "builtin":
        return BuiltinEngine()
    if name not in {"auto", "imapsync"}:
        raise UnavailableError(
            f"There is no engine “{name}”. Set MIGRATION_ENGINE to auto, imapsync or builtin."
        )
    has_program = shutil.which(settings.IMAPSYNC_PATH)
    answer = _cached() if has_program else None  # what is known may be another host's answer
    if answer is None or answer.trouble:  # what was missing may have been installed meanwhile
        answer = _ask()
    if not answer.trouble:
        return ImapsyncEngine(answer.version)
    if name == "imapsync":
        raise UnavailableError(answer.trouble)
    return BuiltinEngine()


def probe() -> EngineChoice:
    """Ask imapsync for its version now; for upkeep, so that pages never have to wait for it."""
    if settings.MIGRATION_ENGINE != "builtin":
        _ask()
    return describe()


def describe() -> EngineChoice:
    """Which engine runs and why; never starts a program."""
    name = settings.MIGRATION_ENGINE
    if name == "builtin":
        return EngineChoice("builtin", "", "MIGRATION_ENGINE is set to builtin.")
    answer = _cached() or _glance()
    path = settings.IMAPSYNC_PATH
    if name == "imapsync":
        return EngineChoice(
            "imapsync", answer.version, answer.trouble or "MIGRATION_ENGINE is set to imapsync."
        )
    if answer.trouble:
        reason = answer.trouble if shutil.which(path) else _not_installed(path)
        return EngineChoice("builtin", "", reason)
    return EngineChoice("imapsync", answer.version, f"imapsync was found at “{path}”.")


def _not_installed(path: str) -> str:
    """Nothing is wrong where nobody installed it."""
    where = "" if path == "imapsync" else f" at “{path}”"
    return f"Built-in, because imapsync is not installed{where}."


def _cached() -> _Answer | None:
    stored = cache.get(_KEY)
    if not stored or stored[0] != settings.IMAPSYNC_PATH:
        return None
    return _Answer(*stored[1:])


def _ask() -> _Answer:
    try:
        answer = _Answer(ImapsyncEngine().version(), "")
    except UnavailableError as error:
        answer = _Answer("", error.message)
    cache.set(_KEY, (settings.IMAPSYNC_PATH, answer.version, answer.trouble), _SECONDS)
    return answer


def _glance() -> _Answer:
    """What can be said without starting it: is there such a program?"""
    path = settings.IMAPSYNC_PATH
    if shutil.which(path):
        return _Answer("", "")
    return _Answer("", f"imapsync was not found at “{path}”.")
