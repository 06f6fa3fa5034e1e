"""`manage.py sync_purelymail`: refresh the local copy now."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from domains import copy
from domains.models import Kind
from purelymanage.core.errors import PurelyManageError, UnavailableError

PART_FAILED, BUSY = 1, 3
PAUSE = 0.5

Result = copy.Changes | PurelyManageError
Results = dict[Kind, Result]


class Command(BaseCommand):
    help = (
        "Refreshes the local copy of PurelyMail's domains, mailboxes, routing rules, credit and"
        " ownership code, whether it is due or not: one call each."
        " Exit code 0: all refreshed, 1: a part failed and keeps its old copy,"
        " 2: wrong arguments, 3: a part was left to another refresh, or to changes, at work."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--wait",
            type=float,
            default=0,
            metavar="SECONDS",
            help="keep trying for so long while PurelyMail does not answer",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        results = _refresh(patience=options["wait"])
        if options["json"]:
            self.stdout.write(json.dumps({kind.value: _facts(results.get(kind)) for kind in Kind}))
        else:
            for kind in Kind:
                label = str(kind.label).capitalize()
                self.stdout.write(f"{label}: {_words(results.get(kind))}")
        if any(isinstance(result, PurelyManageError) for result in results.values()):
            sys.exit(PART_FAILED)
        if len(results) < len(Kind):
            sys.exit(BUSY)


def _refresh(*, patience: float) -> Results:
    give_up = time.monotonic() + patience
    while True:
        results = copy.refresh(list(Kind))
        unanswered = any(isinstance(result, UnavailableError) for result in results.values())
        if not unanswered or time.monotonic() >= give_up:
            return results
        time.sleep(PAUSE)


def _facts(result: Result | None) -> dict[str, object]:
    if result is None:
        return {"ok": True, "busy": True}
    if isinstance(result, PurelyManageError):
        return {"ok": False, "error": result.message}
    return {
        "ok": True,
        "added": result.added,
        "changed": result.changed,
        "removed": result.removed,
    }


def _words(result: Result | None) -> str:
    if result is None:
        return "left to another refresh, or to changes of our own, at work."
    if isinstance(result, PurelyManageError):
        return f"not refreshed. {result.message}"
    return f"{result.added} added, {result.changed} changed, {result.removed} removed"
