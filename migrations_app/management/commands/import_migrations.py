"""`manage.py import_migrations`: a batch from a CSV file, as the page makes it."""

from __future__ import annotations

import json
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.models import Batch, LineState, Server
from migrations_app.selectors.lines import LineNumbers, line_numbers
from migrations_app.services import batches
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.tables import refuse_large

NOTHING, SOME = 1, 3


class Command(BaseCommand):
    help = (
        "Imports migrations from a CSV file with the columns source_email, source_password, "
        "dest_email and dest_password, as the page “Import migrations from CSV” does. Jobs are dry "
        "runs unless --real is given; running workers start them at once unless --paused is given. "
        "The file is not deleted: it holds passwords.\n\n"
        "Exit status: 0 every line was imported, 1 nothing was imported, 2 wrong arguments, "
        "3 the good lines were imported and others were not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("file", help="the CSV file; - reads standard input")
        parser.add_argument("--source", required=True, metavar="NAME", help="the source server")
        parser.add_argument(
            "--destination", required=True, metavar="NAME", help="the destination server"
        )
        parser.add_argument(
            "--batch", default="", metavar="NAME", help="what the batch is called; else the file"
        )
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument(
            "--dry-run", action="store_true", help="compare and copy nothing; this is the default"
        )
        kind.add_argument("--real", action="store_true", help="copy the mail")
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="import only if every line can be"
        )
        parser.add_argument(
            "--paused", action="store_true", help="start no job until the batch is resumed"
        )
        parser.add_argument(
            "--app-passwords",
            action="store_true",
            help="make a temporary app password for each run; dest_password may be left out",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        content, name = _read(options["file"])
        try:
            batch, is_guessed = batches.preview_batch(
                content=content,
                name=options["batch"] or name,
                source_server=_server(options["source"]),
                destination_server=_server(options["destination"]),
                dry_run=not options["real"],
                uses_app_password=options["app_passwords"],
                is_paused=options["paused"],
            )
        except PurelyManageError as error:
            raise CommandError(error.message) from None
        if is_guessed:
            self.stderr.write("The file is not in UTF-8 and was read as Windows-1252.")
        is_imported = self._import(batch, all_or_nothing=options["all_or_nothing"])
        numbers, problems = line_numbers(batch), _problems(batch)
        if options["json"]:
            facts = {"batch": batch.pk if numbers.imported else None, "name": batch.name}
            self.stdout.write(json.dumps(facts | _counts(numbers) | {"problems": problems}))
        else:
            self._tell(batch, numbers, problems)
        if not is_imported:
            batches.discard(batch=batch)
        if code := _status(numbers):
            sys.exit(code)

    def _import(self, batch: Batch, *, all_or_nothing: bool) -> bool:
        """Here and now: no worker is needed. Whether there was something to import, and it was."""
        try:
            batches.start_import(batch=batch, all_or_nothing=all_or_nothing)
        except PurelyManageError as error:
            self.stderr.write(error.message)
            return False
        batch.refresh_from_db()
        batches.import_all(batch=batch)
        batch.refresh_from_db()
        return not batch.is_preview

    def _tell(self, batch: Batch, numbers: LineNumbers, problems: list[dict[str, Any]]) -> None:
        for problem in problems:
            self.stdout.write(f"Line {problem['line']}: {problem['problem']}")
        self.stdout.write(
            f"{batch.name}: {numbers.imported} of {numbers.total} lines imported"
            f"{' as dry runs' if batch.dry_run else ''}."
        )


def _read(file: str) -> tuple[bytes, str]:
    """The content of the file, and what its batch is called."""
    path = Path(file)
    try:
        content = sys.stdin.buffer.read() if file == "-" else path.read_bytes()
        refuse_large(len(content))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None
    except ValidationError as error:
        raise CommandError(f"{file}: {error.messages[0]}") from None
    return content, path.stem if file != "-" else "standard input"


def _server(name: str) -> Server:
    server = Server.objects.filter(name__iexact=name).first()
    if server is None:
        names = ", ".join(Server.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no server “{name}”. There are: {names}.")
    return server


def _problems(batch: Batch) -> list[dict[str, Any]]:
    bad = batch.lines.filter(state=LineState.BAD).values_list("line", "problem")
    return [{"line": line, "problem": problem} for line, problem in bad]


def _counts(numbers: LineNumbers) -> dict[str, int]:
    return {"lines": numbers.total, "imported": numbers.imported}


def _status(numbers: LineNumbers) -> int:
    if not numbers.imported:
        return NOTHING
    return SOME if numbers.imported < numbers.total else 0
