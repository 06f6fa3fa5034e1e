"""Is the audit log as it was written? Says what is wrong first, and up to where it is good."""

from __future__ import annotations

import json
import re
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.timezone import localtime

from audit.verification import Anchor, Report, Verdict, verify
from audit.watch import as_anchor, kept_anchors, last_cut

CODES = {Verdict.GOOD: 0, Verdict.TAMPERED: 1, Verdict.UNKNOWN: 3}
WRONG_ARGUMENTS = 2
HEAD = re.compile(r"[1-9][0-9]{0,17}:[0-9a-f]{64}")


class Command(BaseCommand):
    help = (
        "Checks the whole audit log.\n\n"
        "Exit status: 0 all is as it was written, 1 it was tampered with, 2 wrong arguments, "
        "3 it cannot be checked because a key is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            metavar="POSITION:MAC",
            help="a head that was mailed earlier: the log must still hold it; may be repeated",
        )

    def handle(self, **options: Any) -> None:
        given = [self._anchor(text) for text in options["head"]]
        report = verify([*kept_anchors(), *given])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), cls=DjangoJSONEncoder))
        else:
            self._tell(report)
        if code := CODES[report.verdict]:
            raise SystemExit(code)

    def _anchor(self, text: str) -> Anchor:
        if not HEAD.fullmatch(text):
            raise CommandError(
                "--head: write it as in the mail, a position, a colon and 64 hexadecimal digits.",
                returncode=WRONG_ARGUMENTS,
            )
        anchor = as_anchor(text)
        if anchor.position <= last_cut():
            raise CommandError(
                f"--head: rows up to position {last_cut()} were cut off because of their age. "
                "Compare with a newer head.",
                returncode=WRONG_ARGUMENTS,
            )
        return anchor

    def _tell(self, report: Report) -> None:
        say = self.stdout.write
        if report.finding:
            say(f"{report.verdict.label}: {report.finding.kind.value}. {report.finding.sentence}")
        else:
            say(f"{report.verdict.label}: every entry is as it was written.")
        say(f"Entries checked: {report.entries}")
        if last := report.last_good:
            when = localtime(last.at).strftime("%Y-%m-%d %H:%M:%S %Z")
            say(f"Last good row: position {last.position}, {when}: {last.sentence}")
        else:
            say("Last good row: none")
        say(f"Head: {report.head}")
