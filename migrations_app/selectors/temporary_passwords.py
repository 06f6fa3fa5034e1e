"""Temporary app passwords that a person may have to look after."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from migrations_app.models import TemporaryPassword

ANSWER_WITHIN = timedelta(minutes=5)
"""A call has ended by then, so a row still without its secret never gets one."""
WORRYING_AFTER = timedelta(days=1)
SHOWN = 100


def left_behind() -> QuerySet[TemporaryPassword]:
    """Those that nobody knows, and those whose revoking has not worked yet; the oldest first."""
    failing = ~Q(problem="") & ~Q(secret="")
    return _with_jobs(_lost() | failing)[:SHOWN]


def worrying() -> list[TemporaryPassword]:
    """Those that the dashboard tells of: nobody knows them, or they outlived their run by a day."""
    outlived = ~Q(secret="") & Q(tries__gt=0, made_at__lt=timezone.now() - WORRYING_AFTER)
    return list(_with_jobs(_lost() | outlived)[:SHOWN])


def _lost() -> Q:
    is_over = ~Q(problem="") | Q(asked_at__lt=timezone.now() - ANSWER_WITHIN)
    return Q(secret="") & is_over


def _with_jobs(which: Q) -> QuerySet[TemporaryPassword]:
    rows = TemporaryPassword.objects.filter(which, revoked_at=None)
    return rows.select_related("job").only("job__name", *_SHOWN_FIELDS).order_by("pk")


_SHOWN_FIELDS = ("address", "run", "asked_at", "made_at", "tries", "try_after", "problem", "job")
