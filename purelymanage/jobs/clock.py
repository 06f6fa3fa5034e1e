"""The database's clock: several hosts share it, so their own clocks need not agree."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def seconds_from_now(seconds: float) -> Combinable:
    """The moment that many seconds ahead (or back, if negative), for a query or an update."""
    return ExpressionWrapper(
        Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField()
    )
