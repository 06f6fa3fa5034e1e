"""The built-in engine as the panel starts it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from migrations_app.engines.base import Reader
from migrations_app.engines.builtin.reader import BuiltinReader
from migrations_app.engines.plan import Endpoint, Plan

_MAIN = Path(__file__).with_name("__main__.py")


class BuiltinEngine:
    """Always there: it needs only what the panel itself needs."""

    name = "builtin"
    label = "Built-in"
    preload: tuple[str, ...] = (
        "migrations_app.engines.builtin.main",
        "purelymanage.core.private_memory",
    )
    environment: Mapping[str, str] = {}

    def version(self) -> str:
        """It has no version of its own."""
        return "1"

    def argv(self, plan: Plan, *, passfile1: str, passfile2: str, workdir: Path) -> list[str]:
        """The command line; it works from any directory and with any environment."""
        options = plan.options
        arguments = [
            sys.executable,
            "-I",
            str(_MAIN),
            *_side(1, plan.source, passfile1),
            *_side(2, plan.destination, passfile2),
            *(f"--include={name}" for name in options.include),
            *(f"--exclude={name}" for name in options.exclude),
            f"--timeout={options.timeout_seconds}",
        ]
        limits = {
            "--ca-file": settings.IMAP_CA_FILE or None,
            "--max-age": options.max_age_days,
            "--max-size": options.max_message_bytes,
            "--max-bytes-per-second": options.bytes_per_second,
            "--exit-when-over": plan.most_bytes,
        }
        arguments += [f"{name}={value}" for name, value in limits.items() if value is not None]
        switches = {
            "--allow-local": settings.IMAP_ALLOW_LOCAL,
            "--dry": plan.dry_run,
            "--no-special": not options.map_special_folders,
            "--no-subscribe": not options.subscribe,
        }
        return arguments + [name for name, is_on in switches.items() if is_on]

    def reader(self, plan: Plan) -> Reader:
        """A fresh reader for one run."""
        return BuiltinReader(plan)


def _side(number: int, end: Endpoint, passfile: str) -> list[str]:
    return [
        f"--host{number}={end.host}",
        f"--port{number}={end.port}",
        f"--security{number}={end.security}",
        f"--user{number}={end.user}",
        f"--passfile{number}={passfile}",
    ]
