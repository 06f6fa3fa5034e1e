"""Temporary app passwords that a person may have to look after."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from migrations_app.models import TemporaryPassword

ANSWER_WITHIN = timedelta(minutes=5)
"""A call has ended by then, so a row still without its secret never gets one."""
WORRYING_AFTER = timedelta(days=1)
SHOWN = 100


def unsettled() -> QuerySet[TemporaryPassword]:
    """Those that nobody knows, and those whose revoking has not worked yet."""
    failing = ~Q(problem="") & ~Q(secret="")
    return TemporaryPassword.objects.filter(_lost() | failing, revoked_at=None)


def left_behind() -> QuerySet[TemporaryPassword]:
    """The oldest of the unsettled ones, for their page."""
    return _with_jobs(unsettled())[:SHOWN]


def worrying() -> list[TemporaryPassword]:
    """Those that the dashboard tells of: nobody knows them, or they outlived their run by a day."""
    since = timezone.now() - WORRYING_AFTER
    just_over = Q(job__run=F("run"), job__ended_at__gt=since)
    outlived = ~Q(secret="") & Q(tries__gt=0, made_at__lt=since) & ~just_over
    rows = TemporaryPassword.objects.filter(_lost() | outlived, revoked_at=None)
    return list(_with_jobs(rows)[:SHOWN])


def _lost() -> Q:
    is_over = ~Q(problem="") | Q(asked_at__lt=timezone.now() - ANSWER_WITHIN)
    return Q(secret="") & is_over


def _with_jobs(rows: QuerySet[TemporaryPassword]) -> QuerySet[TemporaryPassword]:
    return rows.select_related("job").only("job__name", *_SHOWN_FIELDS).order_by("pk")


_SHOWN_FIELDS = ("address", "run", "asked_at", "made_at", "tries", "try_after", "problem", "job")
