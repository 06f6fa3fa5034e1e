"""`manage.py rotate_encryption_keys`: seal all stored secrets with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts import rotation
from accounts.rotation import Count
from purelymanage import crypto

NOT_ALL = 1


class Command(BaseCommand):
    help = (
        "Seals all stored secrets anew with the first of ENCRYPTION_KEYS, while the panel runs;"
        " docs/keys.md has the steps around it. A run that was interrupted is started again and"
        " goes on where it was. Exit code 0: everything bears the first key, the others may go;"
        " 1: something does not, and is listed; 2: wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--batch", type=_positive, default=rotation.BATCH, help="how many rows are read at once"
        )

    def handle(self, **options: Any) -> None:
        counts = rotation.rotate(batch=options["batch"], tell=self._show_progress)
        if self.stderr.isatty():
            self.stderr.write("\r", ending="")
        if options["json"]:
            key = crypto.known_key_ids()[0]
            self.stdout.write(json.dumps({"key": key, "tables": [_facts(one) for one in counts]}))
        else:
            self._print(counts)
        if any(count.left for count in counts):
            sys.exit(NOT_ALL)

    def _show_progress(self, count: Count) -> None:
        if self.stderr.isatty():
            done = count.current + count.resealed
            self.stderr.write(f"\r{count.table}: {done} of {count.total} ", ending="")

    def _print(self, counts: list[Count]) -> None:
        for count in counts:
            self.stdout.write(
                f"{count.table}: {count.resealed} sealed anew, {count.current} were current,"
                f" {count.left} left"
            )
            for failure in count.failures:
                self.stdout.write(f"  {failure}")
        key = crypto.known_key_ids()[0]
        if not any(count.left for count in counts):
            self.stdout.write(f"Everything bears key {key}. The others are not needed any more.")
        elif any(count.failures for count in counts):
            self.stdout.write("Keep all keys: what is listed above does not open yet.")
        else:
            self.stdout.write(
                "Keep all keys: something was sealed with another one meanwhile. Restart whatever"
                " runs with older settings, then start this command again."
            )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _facts(count: Count) -> dict[str, Any]:
    return {
        "table": count.table,
        "resealed": count.resealed,
        "current": count.current,
        "left": count.left,
        "failed": [
            {"secret": one.place, "missing_key": one.missing_key, "problem": str(one)}
            for one in count.failures
        ],
    }
