"""`manage.py recheck_dns`: have PurelyMail look at the DNS of domains now."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from domains import notices, rechecks
from domains.checks import CheckView, check_views, with_health
from domains.models import Domain
from purelymanage.core.addresses import clean_domain, shown_domain

PART_FAILED, BUSY = 1, 3

Views = dict[str, list[CheckView]]


class Command(BaseCommand):
    help = (
        "Has PurelyMail check the DNS of domains and prints its verdicts, before and after. Without"
        " arguments it takes those whose turn it is, at most 20, as the schedule does; the others"
        " are one call each. Exit code 0: all were checked, 1: some were not, 2: wrong arguments,"
        " 3: another recheck is at work."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="check these")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--failing", action="store_true", help="check all that fail")
        which.add_argument("--all", action="store_true", help="check all")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--dry-run", action="store_true", help="print which would be checked, and call nobody"
        )

    def handle(self, *names: str, **options: Any) -> None:
        domains = _wanted(options)
        before = _views(domains)
        if options["dry_run"]:
            self._print([_facts(name, views, views, "") for name, views in before.items()], options)
            return
        batch = rechecks.recheck_now(domains)
        if batch is None:
            self.stderr.write("Another recheck is at work. Nothing was checked.")
            sys.exit(BUSY)
        notices.tell()
        after = _views(domains)
        done = {domain.name for domain in batch.rechecked}
        facts = [
            _facts(name, views, after.get(name, []), _trouble(batch, name, is_done=name in done))
            for name, views in before.items()
        ]
        self._print(facts, options)
        if len(done) < len(domains):
            sys.exit(PART_FAILED)

    def _print(self, facts: Sequence[dict[str, Any]], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        if not facts:
            self.stdout.write("No domain is due.")
        for one in facts:
            shown = shown_domain(one["domain"])
            if options["dry_run"]:
                self.stdout.write(f"{shown}: {_words(one['before'])}")
            elif one["error"]:
                self.stdout.write(f"{shown}: not checked. {one['error']}")
            else:
                self.stdout.write(f"{shown}: {_compared(one['before'], one['after'])}")


def _wanted(options: dict[str, Any]) -> list[Domain]:
    ours = Domain.objects.ours()
    if options["domains"]:
        if options["failing"] or options["all"]:
            raise CommandError("Name domains, or say --failing or --all, not both.", returncode=2)
        return list({row.pk: row for row in map(_named, options["domains"])}.values())
    if options["failing"]:
        return list(ours.failing())
    if options["all"]:
        return list(ours)
    return list(ours.due_for_recheck(timezone.now())[: rechecks.AT_MOST])


def _named(text: str) -> Domain:
    try:
        return Domain.objects.ours().get(name=clean_domain(text))
    except ValidationError as error:
        raise CommandError(f"{text}: {error.messages[0]}", returncode=2) from None
    except Domain.DoesNotExist:
        message = f"{text} is not among the domains. `manage.py sync_purelymail` reads them again."
        raise CommandError(message, returncode=2) from None


def _views(domains: Iterable[Domain]) -> Views:
    rows = with_health(Domain.objects.filter(pk__in=[domain.pk for domain in domains]))
    found = {row.pk: row for row in rows}
    return {domain.name: check_views(found[domain.pk]) for domain in domains if domain.pk in found}


def _trouble(batch: rechecks.Batch, name: str, *, is_done: bool) -> str:
    if is_done:
        return ""
    if name in batch.refused:
        return batch.refused[name]
    return batch.failure.message if batch.failure else ""


def _facts(
    name: str, before: list[CheckView], after: list[CheckView], error: str
) -> dict[str, Any]:
    return {
        "domain": name,
        "before": {view.check: view.state for view in before},
        "after": {view.check: view.state for view in after},
        "error": error,
    }


def _words(states: dict[str, str]) -> str:
    return ", ".join(f"{check} {state}" for check, state in states.items())


def _compared(before: dict[str, str], after: dict[str, str]) -> str:
    if not after:
        return "PurelyMail does not list it any more."
    return ", ".join(
        f"{check} {state}" if state == before[check] else f"{check} {before[check]} → {state}"
        for check, state in after.items()
    )
