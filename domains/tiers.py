"""When a domain is due for a recheck by PurelyMail: the rules, apart from who carries them out.

`failing_count` puts a domain into its tier, `recheck_after` says when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import SystemRandom

from django.db.models import ExpressionWrapper, F, Q
from django.db.models.fields import DateTimeField

from domains.checks import check_views, with_health
from domains.models import Domain

FAILING_PAUSE = timedelta(minutes=30)
HEALTHY_PAUSE = timedelta(hours=24)
JITTER_SECONDS = 3600
_random = SystemRandom()


def healthy_pause() -> timedelta:
    """A day and a little. Draw it once for a batch: domains checked together stay together."""
    return HEALTHY_PAUSE + timedelta(seconds=_random.uniform(0, JITTER_SECONDS))


def recount(domains: Iterable[Domain]) -> None:
    """Bring number of failing checks and next turn in line with what is known of these now."""
    rows = Domain.objects.judged().filter(pk__in=[domain.pk for domain in domains])
    healthy = healthy_pause()
    for row in with_health(rows):
        failing = sum(view.is_failing for view in check_views(row))
        facts: dict[str, object] = {}
        if failing != row.failing_count:
            facts["failing_count"] = failing
        changes_tier = bool(failing) != bool(row.failing_count)
        if row.checked_at and (changes_tier or row.recheck_after is None):
            facts["recheck_after"] = row.checked_at + (FAILING_PAUSE if failing else healthy)
        if facts:
            Domain.objects.filter(pk=row.pk).update(**facts)


def recheck_because_changed(domains: Iterable[Domain], *, now: datetime) -> None:
    """Our lookups saw other records: PurelyMail has to look as well, but not twice in half an hour.

    So a domain whose name servers disagree costs two calls an hour, not twelve.
    """
    rows = Domain.objects.ours().filter(pk__in=[domain.pk for domain in domains])
    rested = Q(checked_at=None) | Q(checked_at__lte=now - FAILING_PAUSE)
    rows.filter(rested, recheck_wanted_at=None).update(recheck_wanted_at=now)
    soon = ExpressionWrapper(F("checked_at") + FAILING_PAUSE, output_field=DateTimeField())
    rows.exclude(rested).filter(recheck_after__gt=soon).update(recheck_after=soon)
