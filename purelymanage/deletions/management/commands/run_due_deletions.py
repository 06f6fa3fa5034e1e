"""`manage.py run_due_deletions`: execute now what the workers would execute within a minute."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from purelymanage.deletions import execution
from purelymanage.deletions.models import DeletionState, PendingDeletion

NOT_ALL = 1


class Command(BaseCommand):
    help = (
        "Executes the deletions whose 24 hours are over, as the workers do every minute, and prints"
        " how each ended. It shares the work with them: one that a worker has in hand is left to"
        " it. While PurelyMail does not answer, it stops after the first question. Exit code 0: all"
        " that it tried are deleted, or none was due; 1: some are not, and are tried again later or"
        " given up; 2: wrong arguments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--dry-run", action="store_true", help="print which are due, and call nobody"
        )

    def handle(self, **options: Any) -> None:
        if options["dry_run"]:
            self._print(list(PendingDeletion.objects.due()), options)
            return
        tried = execution.run_due(seconds=float("inf"))
        self._print(tried, options)
        if any(deletion.state != DeletionState.EXECUTED for deletion in tried):
            sys.exit(NOT_ALL)

    def _print(self, deletions: Sequence[PendingDeletion], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps([_facts(deletion) for deletion in deletions]))
            return
        if not deletions:
            self.stdout.write("No deletion is due.")
        for deletion in deletions:
            words = f"{deletion.get_kind_display()} {deletion.label}: {deletion.state}"
            self.stdout.write(" ".join(filter(None, [f"{words}.", _reason(deletion)])))


def _facts(deletion: PendingDeletion) -> dict[str, Any]:
    return {
        "id": deletion.pk,
        "kind": deletion.kind,
        "key": deletion.key,
        "label": deletion.label,
        "state": deletion.state,
        "due_at": deletion.due_at.isoformat(),
        "tries": deletion.tries,
        "reason": _reason(deletion),
        "try_after": deletion.try_after.isoformat() if deletion.try_after else None,
    }


def _reason(deletion: PendingDeletion) -> str:
    """How it ended, or why not yet and when it is tried again."""
    if not deletion.is_pending or not deletion.try_after:
        return deletion.note or deletion.problem
    again = timezone.localtime(deletion.try_after)
    return f"{deletion.problem} Next try at {again:%H:%M:%S %Z}."
