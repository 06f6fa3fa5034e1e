"""Rechecks by PurelyMail: few calls, well chosen, never because somebody opened a page.

`domains/tiers.py` says when a domain's turn comes; why so, and what it costs, is in
docs/adr/0005-call-budget.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains import copy, tiers
from domains.models import Domain, Kind, SyncState
from purelymanage.core.errors import PurelyManageError, UnavailableError
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import InvalidTokenError

logger = logging.getLogger(__name__)

AT_MOST = 20
BATCH_SECONDS = 240
"""After so long a batch takes no further domain: with the slowest call it stays below 600 s."""
LOCK, LOCK_SECONDS = "domains.rechecks", 600
TRY_AGAIN = timedelta(minutes=30)
LONGEST_BACKOFF = timedelta(minutes=30)
BUSY_TRIES, BUSY_SECONDS = 3, 3.0
MAX_ERROR = 500


@dataclass
class Batch:
    """How a number of rechecks went."""

    rechecked: list[Domain] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """By name, with PurelyMail's reason."""
    failure: PurelyManageError | None = None
    """What stopped the batch; domains that are in neither list were left alone."""


def tick() -> int:
    """Recheck those whose turn it is, at most twenty, and return how many were."""
    started = timezone.now()
    with only_one(LOCK, seconds=LOCK_SECONDS) as is_alone:
        if not is_alone or _must_wait(started):
            return 0
        tiers.recount(Domain.objects.filter(deviations__until__lt=timezone.localdate()))
        batch = _recheck(list(Domain.objects.due_for_recheck(started)[:AT_MOST]))
    if not batch.failure and Domain.objects.filter(recheck_wanted_at__gt=started).exists():
        enqueue("domains.tasks.recheck_due")  # asked for while we were at work
    return len(batch.rechecked)


def recheck_now(domains: Sequence[Domain]) -> Batch | None:
    """Recheck these whatever their tier, for the command line; None while a tick is at work."""
    with only_one(LOCK, seconds=LOCK_SECONDS) as is_alone:
        if not is_alone:
            return None
        with _on_record([domain.name for domain in domains]):
            return _recheck(domains, seconds=float("inf"))


def want_recheck(domains: Iterable[Domain]) -> None:
    """Have these rechecked out of turn, and looked up, because somebody asked."""
    rows = Domain.objects.ours().filter(pk__in=[domain.pk for domain in domains])
    names = list(rows.values_list("name", flat=True))
    if not names:
        return
    now = timezone.now()
    with _on_record(names), transaction.atomic():
        rows.update(look_after=now)
        rows.filter(recheck_wanted_at=None).update(recheck_wanted_at=now)
        enqueue("domains.tasks.recheck_due")
        enqueue("domains.tasks.look_up_due")


def _on_record(names: Sequence[str]) -> AbstractContextManager[object]:
    target = names[0] if len(names) == 1 else _("%(number)d domains") % {"number": len(names)}
    return audited(Action.DOMAIN_RECHECKED, target=target, after={"domains": list(names)})


def _must_wait(now: datetime) -> bool:
    """While PurelyMail fails, each pause is as long as it has failed so far."""
    state = SyncState.objects.filter(pk=Kind.DOMAINS).first()
    if state is None or state.failed_since is None or state.tried_at is None:
        return False
    pause = min(state.tried_at - state.failed_since, LONGEST_BACKOFF)
    return now < state.tried_at + pause


def _recheck(domains: Sequence[Domain], *, seconds: float = BATCH_SECONDS) -> Batch:
    """One call for each, and one list for all. The first sign of an outage ends it."""
    batch = Batch()
    give_up = time.monotonic() + seconds
    healthy_until = timezone.now() + timedelta(seconds=BATCH_SECONDS) + tiers.healthy_pause()
    for domain in domains:
        if time.monotonic() >= give_up:
            break
        try:
            _recheck_one(domain, healthy_until=healthy_until)
        except (UnavailableError, InvalidTokenError) as error:
            batch.failure = error
            _put_off(domain, error)
            break
        except PurelyManageError as error:
            batch.refused[domain.name] = error.message
            _put_off(domain, error)
        else:
            batch.rechecked.append(domain)
    if domains:
        _read_verdicts()
    return batch


def _recheck_one(domain: Domain, *, healthy_until: datetime) -> None:
    """Written down at once: after a crash it is not repeated, and the next list has its verdict."""
    asked_at = timezone.now()
    get_client().update_domain_settings(name=domain.name, recheck_dns=True)
    now = timezone.now()
    turn = now + tiers.FAILING_PAUSE
    if not domain.failing_count:
        turn = max(healthy_until, now + tiers.HEALTHY_PAUSE)
    Domain.objects.filter(pk=domain.pk).update(
        checked_at=now,
        recheck_after=turn if domain.checked_at else None,
        recheck_error="",
        recheck_wanted_at=Case(
            When(recheck_wanted_at__lte=asked_at, then=Value(None)),
            default=F("recheck_wanted_at"),
            output_field=DateTimeField(),
        ),
    )


def _put_off(domain: Domain, error: PurelyManageError) -> None:
    """Not checked, and not at the head of the next batch either: others may fare better."""
    logger.warning("Could not have %s rechecked: %s", domain.name, error)
    Domain.objects.filter(pk=domain.pk).update(
        recheck_after=timezone.now() + TRY_AGAIN,
        recheck_wanted_at=None,
        recheck_error=error.message[:MAX_ERROR],
    )


def _read_verdicts() -> None:
    """One list for the whole batch. One that is under way may have been asked for too early."""
    for _attempt in range(BUSY_TRIES):
        if copy.refresh([Kind.DOMAINS]):
            return
        time.sleep(BUSY_SECONDS)
