"""What can happen to the copy of the domains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from audit.actions import Action
from audit.services import audited
from domains.changes import verdicts_watched
from domains.copy import Changes, believed, refreshing, update_rows
from domains.dependants import names_of
from domains.models import Domain, Kind, SyncState
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.types import RemoteDomain

SETTINGS = ("allow_account_reset", "symbolic_subaddressing")
WATCHED = ("is_shared", *SETTINGS)
TOLD = (*WATCHED, "passes_mx", "passes_spf", "passes_dkim", "passes_dmarc")
"""What PurelyMail says of a domain, by the same names in its listing and in our rows."""


def refresh_domains() -> Changes:
    """Bring the copy of the domains up to date with one call to PurelyMail."""
    with refreshing(Kind.DOMAINS) as state:
        asked_at = timezone.now()
        listed = believed(
            state,
            ask=get_client().list_domains,
            size=len,
            held=Domain.objects.ours().count(),
        )
        found = {domain.name.lower(): told(domain) for domain in listed}
        rows = Domain.objects.ours() | Domain.objects.filter(name__in=found)
        with verdicts_watched():
            changes = update_rows(
                rows,
                found,
                key="name",
                state=state,
                asked_at=asked_at,
                watched=WATCHED,
                hanging=names_of,
            )
        _forget_unused_shared(asked_before=asked_at)
        return changes


def told(remote: RemoteDomain) -> dict[str, bool]:
    """What PurelyMail says of a domain, as fields of our row."""
    return {name: getattr(remote, name) for name in TOLD}


def _forget_unused_shared(*, asked_before: datetime) -> None:
    """Shared domains are here only for the mailboxes and rules that stand on them."""
    Domain.objects.filter(
        is_shared=True, mailboxes=None, routing_rules=None, created_at__lt=asked_before
    ).delete()


def domains_called(names: Iterable[str]) -> dict[str, Domain]:
    """The rows of these domains by name.

    PurelyMail lists mailboxes on domains it shares among its customers, and sometimes on one
    added a moment ago; those are entered as shared until the next listing says otherwise.
    """
    wanted = set(names)
    known = set(Domain.objects.filter(name__in=wanted).values_list("name", flat=True))
    Domain.objects.bulk_create(
        [Domain(name=name, is_shared=True) for name in sorted(wanted - known)],
        ignore_conflicts=True,
    )
    return {domain.name: domain for domain in Domain.objects.filter(name__in=wanted)}


def request_refresh() -> None:
    """Have the workers refresh the copy now, because somebody asked."""
    with audited(Action.COPY_REFRESHED):
        now = timezone.now()
        for kind in (Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES):
            SyncState.objects.update_or_create(name=kind, defaults={"requested_at": now})
        enqueue("domains.tasks.refresh_copy")
