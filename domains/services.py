"""What can happen to the copy of domains and credit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.copy import Changes, believed, refreshing, update_rows
from domains.models import CreditReading, Domain, Kind, SyncState
from purelymanage.core.errors import UnavailableError
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client

CREDIT_DIGITS = Decimal("0.00000001")
MAX_CREDIT = Decimal(10) ** 11
CREDIT_KEPT = timedelta(days=400)
WATCHED = ("is_shared", "allow_account_reset", "symbolic_subaddressing")


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
        found = {
            domain.name.lower(): {
                "is_shared": domain.is_shared,
                "passes_mx": domain.passes_mx,
                "passes_spf": domain.passes_spf,
                "passes_dkim": domain.passes_dkim,
                "passes_dmarc": domain.passes_dmarc,
                "allow_account_reset": domain.allow_account_reset,
                "symbolic_subaddressing": domain.symbolic_subaddressing,
            }
            for domain in listed
        }
        rows = Domain.objects.ours() | Domain.objects.filter(name__in=found)
        changes = update_rows(
            rows, found, key="name", state=state, asked_at=asked_at, watched=WATCHED
        )
        _forget_unused_shared(asked_before=asked_at)
        return changes


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


def read_credit() -> Changes:
    """Add what the account holds now to its history."""
    with refreshing(Kind.CREDIT):
        credit = get_client().check_account_credit()
        if not credit.is_finite() or abs(credit) >= MAX_CREDIT:
            raise UnavailableError(_("PurelyMail answered with a credit that is not an amount."))
        now = timezone.now()
        CreditReading.objects.create(at=now, credit=credit.quantize(CREDIT_DIGITS))
        CreditReading.objects.filter(at__lt=now - CREDIT_KEPT).delete()
        return Changes(added=1)


def request_refresh() -> None:
    """Have the workers refresh the copy now, because somebody asked."""
    with audited(Action.COPY_REFRESHED):
        now = timezone.now()
        for kind in (Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES):
            SyncState.objects.update_or_create(name=kind, defaults={"requested_at": now})
        enqueue("domains.tasks.refresh_copy")
