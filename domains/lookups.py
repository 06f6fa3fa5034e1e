"""Our own lookups: each domain about once an hour, which costs PurelyMail nothing.

What no resolver answers changes nothing: the last answer stands, and is shown as such.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from random import SystemRandom

from django.db import transaction
from django.db.models import Count, Exists, F, Min, Q, Subquery
from django.utils import timezone

from domains import changes, dns, tiers
from domains.dns import Finding
from domains.models import CheckSource, DnsRecord, Domain, RecordKey, RecordState
from domains.services.account import ownership_code
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue

logger = logging.getLogger(__name__)

SEVERAL = 5
"""So many are looked up side by side; when all of them stay unanswered, so would the others."""
PER_TICK = 60
ROUND_SECONDS = 240
LOCK, LOCK_SECONDS = "domains.lookups", 600
SOON = timedelta(minutes=4, seconds=30)  # so that the next tick takes it for sure
HOURLY = timedelta(hours=1)
LONGEST_PATIENCE = timedelta(minutes=30)
JITTER_SECONDS = 300
OUTAGE_SIZE = 3
_random = SystemRandom()

Findings = Mapping[RecordKey, Finding]


def look_up_due() -> int:
    """Look up the domains whose turn it is, and return how many had an answer."""
    started = timezone.now()
    with only_one(LOCK, seconds=LOCK_SECONDS) as is_alone:
        if not is_alone:
            return 0
        outage = resolver_outage()
        answered = _look_up_all(_due())
        if outage and answered:  # it is back: the others need not wait out their patience
            silent = Domain.objects.ours().filter(unanswered_since__gte=outage)
            silent.update(look_after=timezone.now())
    is_asked_for = Q(look_after__gt=started, look_after__lte=timezone.now())
    is_new = Q(look_after=None, created_at__gt=started)
    if Domain.objects.ours().filter(is_asked_for | is_new).exists():
        enqueue("domains.tasks.look_up_due")  # came while we were at work
    return answered


def resolver_outage() -> datetime | None:
    """Since when our resolver has answered nothing for any domain; None while it works."""
    ours = Domain.objects.ours()
    answered = ours.filter(looked_at__isnull=False).order_by("-looked_at").values("looked_at")[:1]
    unanswered = Q(unanswered_since__isnull=False) & (
        Q(unanswered_since__gt=Subquery(answered)) | Q(~Exists(answered))
    )
    facts = ours.aggregate(
        known=Count("pk"),
        number=Count("pk", filter=unanswered),
        since=Min("unanswered_since", filter=unanswered),
    )
    is_out = facts["number"] and facts["number"] >= min(OUTAGE_SIZE, facts["known"])
    return facts["since"] if is_out else None


def _due() -> list[Domain]:
    """Those that used to answer first, so that a few dead domains do not look like an outage."""
    ours = Domain.objects.ours()
    due = ours.filter(look_after=None) | ours.filter(look_after__lte=timezone.now())
    order = F("unanswered_since").asc(nulls_first=True), F("look_after").asc(nulls_first=True)
    return list(due.order_by(*order)[: max(PER_TICK, ours.count() // 10)])


def _look_up_all(domains: Sequence[Domain]) -> int:
    """A few side by side; the database is this thread's alone."""
    code = ownership_code()
    give_up = time.monotonic() + ROUND_SECONDS
    answered = 0
    with ThreadPoolExecutor(max_workers=SEVERAL, thread_name_prefix="lookups") as pool:
        for start in range(0, len(domains), SEVERAL):
            some = domains[start : start + SEVERAL]
            asked = [pool.submit(dns.look_up, one.name, ownership_code=code) for one in some]
            results = [_take(one, future) for one, future in zip(some, asked, strict=True)]
            answered += sum(results)
            if not any(results) or time.monotonic() >= give_up:
                break
    return answered


def _take(domain: Domain, asked: Future[dict[RecordKey, Finding]]) -> bool:
    """Save one result. What breaks on one domain must not keep the others from being looked up."""
    try:
        return _save(domain.pk, asked.result())
    except Exception:
        logger.exception("Could not look up %s", domain.name)
        Domain.objects.filter(pk=domain.pk).update(look_after=timezone.now() + HOURLY)
        return False


def _save(domain_id: int, findings: Findings) -> bool:
    """Write down what was found, and say whether there was any answer."""
    now = timezone.now()
    is_answered = any(_is_answer(finding) for finding in findings.values())
    with transaction.atomic():
        domain = Domain.objects.select_for_update().filter(pk=domain_id).first()
        if domain is None:  # deleted while we asked
            return is_answered
        known = {RecordKey(row.key): row for row in domain.records.all()}
        rows = [_row(domain, key, known.get(key), findings[key], now) for key in findings]
        DnsRecord.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["domain", "key"],
            update_fields=[
                "state",
                "found",
                "advice",
                "is_answered",
                "problem",
                "looked_at",
                "answered_at",
            ],
        )
        noted = _note_changes(domain, known, findings, now)
        Domain.objects.filter(pk=domain.pk).update(
            **_next_look(domain, now, is_answered=is_answered, is_open=noted.is_open)
        )
        tiers.recount([domain])
        if noted.has_held or _differ(known, findings):
            tiers.recheck_because_changed([domain], now=now)
    return is_answered


def _row(
    domain: Domain, key: RecordKey, known: DnsRecord | None, finding: Finding, now: datetime
) -> DnsRecord:
    """A try without an answer keeps the last one."""
    row = known or DnsRecord(state=RecordState.NO_ANSWER)
    fresh = DnsRecord(
        domain=domain,
        key=key,
        state=row.state,
        found=row.found,
        advice=row.advice,
        answered_at=row.answered_at,
        looked_at=now,
        is_answered=_is_answer(finding),
        problem=finding.problem[:200],
    )
    if fresh.is_answered:
        fresh.state, fresh.found, fresh.advice = finding.state, finding.found, finding.advice
        fresh.answered_at = now
    return fresh


def _is_answer(finding: Finding) -> bool:
    return finding.state != RecordState.NO_ANSWER


def _compared(
    known: Mapping[RecordKey, DnsRecord], findings: Findings
) -> list[tuple[DnsRecord, Finding]]:
    """Last answer and this one, where there are both: the very first one is no change."""
    return [
        (known[key], finding)
        for key, finding in findings.items()
        if _is_answer(finding) and key in known and known[key].answered_at
    ]


def _differ(known: Mapping[RecordKey, DnsRecord], findings: Findings) -> bool:
    """Whether any answer is another one than before; the order of values means nothing."""
    return any(
        (row.state, set(row.found)) != (finding.state, set(finding.found))
        for row, finding in _compared(known, findings)
    )


def _note_changes(
    domain: Domain, known: Mapping[RecordKey, DnsRecord], findings: Findings, now: datetime
) -> changes.Noted:
    sightings = [
        changes.Sighting(domain.pk, row.key, row.state, finding.state)
        for row, finding in _compared(known, findings)
    ]
    return changes.observe(
        CheckSource.OWN,
        sightings,
        at=now,
        confirms=lambda change: now - change.at >= changes.APART,
    )


def _next_look(
    domain: Domain, now: datetime, *, is_answered: bool, is_open: bool
) -> dict[str, datetime | None]:
    """In an hour; a change is looked at again at once; silence is met with growing patience."""
    if is_answered:
        jitter = timedelta(seconds=_random.uniform(-JITTER_SECONDS, JITTER_SECONDS))
        pause = SOON if is_open else HOURLY + jitter
        return {"looked_at": now, "unanswered_since": None, "look_after": now + pause}
    since = domain.unanswered_since or now
    pause = min(max(now - since, SOON), LONGEST_PATIENCE)
    return {"unanswered_since": since, "look_after": now + pause}
