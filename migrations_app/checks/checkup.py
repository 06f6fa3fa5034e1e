"""The worker's side of checks: a few mailboxes at a time, nothing changed, nothing copied.

One worker at a time, on all hosts together, has the checks in hand, so that the limits hold. Its
threads know no database: what they need is opened before, what they found is stored after. A check
that a dead worker left in hand is simply done again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.checks.findings import Look, Seen, findings_of, problem
from migrations_app.checks.pace import Pace, pace_from
from migrations_app.engines.builtin.troubles import DESTINATION, SOURCE, TroubleError
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.sentences import sentence_for
from migrations_app.engines.troubles import Trouble, cause_of
from migrations_app.imap import survey as imap_survey
from migrations_app.models import Check, CheckState, MigrationJob
from migrations_app.models.results import fitting
from migrations_app.running import credentials
from migrations_app.running.output import Redactor
from migrations_app.running.start import place_trouble, plan_of
from migrations_app.selectors.checks import NEVER_CHECKED
from migrations_app.services import temporary_passwords
from migrations_app.services.checks import WORK
from purelymanage.core.errors import PurelyManageError
from purelymanage.jobs.locks import only_one, prolong
from purelymanage.jobs.queue import enqueue

logger = logging.getLogger(__name__)

AT_ONCE = 4
PER_HOST = 2
LOCK = "migrations.checks"
LOCK_SECONDS = 60.0
BEAT_SECONDS = 5.0
SLICE_SECONDS = 15.0
"""After so long no further one is begun, so that other tasks have their turn."""


class Hosts:
    """Lets only so many threads at a host at a time, whichever end of a job it is."""

    def __init__(self) -> None:
        self._doors: defaultdict[str, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(PER_HOST)
        )
        self._lock = threading.Lock()

    @contextmanager
    def at(self, end: Endpoint) -> Iterator[None]:
        with self._lock:
            door = self._doors[end.host.lower()]
        with door:
            yield


def work(*, seconds: float = SLICE_SECONDS) -> None:
    """One slice of the checks that wait; nothing where another worker has them in hand."""
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        if not alone:
            return
        Check.objects.filter(job__state__in=NEVER_CHECKED, state=CheckState.WAITING).delete()
        Check.objects.filter(state=CheckState.RUNNING).update(state=CheckState.WAITING)
        _slice(time.monotonic() + seconds)
    if waiting().exists():
        enqueue(WORK)


def waiting() -> QuerySet[Check]:
    """Those to be looked at, the first asked for first."""
    return (
        Check.objects.filter(state=CheckState.WAITING)
        .exclude(job__state__in=NEVER_CHECKED)
        .order_by("pk")
    )


def _slice(until: float) -> None:
    hosts, in_hand = Hosts(), dict[Future[tuple[Seen, Seen]], Look]()
    paces = cache(pace_from)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="check") as threads:
        while True:
            while len(in_hand) < AT_ONCE and time.monotonic() < until:
                check = _take(Counter(look.host for look in in_hand.values()))
                if check is None:
                    break
                if look := _opened(check):
                    in_hand[threads.submit(_look_at, look, hosts)] = look
            if not in_hand:
                return
            done, _others = wait(in_hand, timeout=BEAT_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                _conclude(in_hand.pop(future), future, paces)
            if not prolong(LOCK, seconds=LOCK_SECONDS):
                until = 0.0  # another worker has them in hand by now


def _take(busy: Counter[str]) -> Check | None:
    """The next one whose source host has a place."""
    full = [host for host, count in busy.items() if count >= PER_HOST]
    places = waiting().annotate(host=Lower("job__source_host")).exclude(host__in=full)
    check = places.select_related("job").first()
    if check:
        check.taken_until = timezone.now() + timedelta(seconds=LOCK_SECONDS)
        check.state = CheckState.RUNNING
        Check.objects.filter(pk=check.pk, state=CheckState.WAITING).update(
            state=check.state, taken_until=check.taken_until
        )
    return check


def _opened(check: Check) -> Look | None:
    """All that a thread needs to know; what cannot be looked at is settled at once."""
    try:
        return Look(check, plan_of(check.job), _passwords(check.job))
    except PurelyManageError as error:
        _settle(check, problem(error.message))
        return None


def _passwords(job: MigrationJob) -> tuple[str, str | None]:
    credentials.refuse_erased(job)
    with credentials.opening(job):
        source = job.source_password.reveal()
        if not job.uses_app_password:
            return source, job.destination_password.reveal()
    temporary_passwords.refuse_impossible(
        host=job.destination_host, port=job.destination_port, address=job.destination_address
    )
    return source, None


def _look_at(look: Look, hosts: Hosts) -> tuple[Seen, Seen]:
    """Both ends one after the other; that one lets nobody in keeps nobody from the other."""
    source_password, destination_password = look.passwords
    with hosts.at(look.plan.source):
        source = _survey(look.plan, SOURCE, source_password)
    if destination_password is None:
        return source, Seen()
    with hosts.at(look.plan.destination):
        return source, _survey(look.plan, DESTINATION, destination_password)


def _survey(plan: Plan, side: int, password: str) -> Seen:
    is_source = side == SOURCE
    end = plan.source if is_source else plan.destination
    if refused := place_trouble(end, side):
        cause, words = refused
        return Seen(cause=cause, problem=words)
    options = plan.options if is_source else replace(plan.options, include=(), exclude=())
    try:
        found = imap_survey.survey(end, password, side=side, options=options, measures=is_source)
    except TroubleError as error:
        said = Redactor([password]).clean(error.text)  # a sentence gives only so much of it
        trouble = Trouble(error.stage, error.side, said)
        cause = cause_of(trouble)
        return Seen(cause=cause, problem=sentence_for(cause, plan, 0, [trouble]))
    return Seen(found=found)


def _conclude(look: Look, future: Future[tuple[Seen, Seen]], paces: Callable[[str], Pace]) -> None:
    """Store what a thread found; one that fails must not keep the others from their turn."""
    try:
        source, destination = future.result()
        _settle(look.check, findings_of(look, source, destination, paces(look.host)))
    except Exception as error:
        logger.exception("The check of job %s met an unexpected error.", look.check.job_id)
        words = _("The panel failed at it (%(kind)s); see its log.")
        _settle(look.check, problem(words % {"kind": type(error).__name__}))


def _settle(check: Check, facts: dict[str, Any]) -> None:
    """Write down what was found, unless somebody asked anew meanwhile."""
    mine = Check.objects.filter(
        pk=check.pk, state=CheckState.RUNNING, taken_until=check.taken_until
    )
    columns = {name: fitting(name, value) for name, value in facts.items()}
    mine.update(taken_until=None, checked_at=Now(), **columns)
