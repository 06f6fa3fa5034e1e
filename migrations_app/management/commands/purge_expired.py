"""`manage.py purge_expired`: erase what is older than it may be, as a worker does every night."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from migrations_app.services.retention import purge_expired

BUSY = 3


class Command(BaseCommand):
    help = (
        "Erases the passwords of migrations whose last real run ended well more than 7 days ago,"
        " or that nobody ran for 90 days,"
        " and deletes logs older than LOG_RETENTION_DAYS and migrations older than"
        " JOB_RETENTION_DAYS. What repeats or belongs to a cut-over under way is left alone. No"
        " mail is touched. Exit code 0: done, 2: wrong arguments, 3: a worker is doing it now."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the numbers as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        purged = purge_expired()
        if purged is None:
            self.stderr.write("A worker is doing this at the moment. Nothing was erased twice.")
            sys.exit(BUSY)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(purged)))
            return
        self.stdout.write(
            f"Erased the passwords of {purged.passwords} jobs; deleted {purged.log_pieces} pieces"
            f" of logs, {purged.jobs} jobs and {purged.batches} batches."
        )
