"""About how long a migration takes: by what was measured here, else by what is usual."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Lower

from migrations_app.engines.choice import describe
from migrations_app.models import ENDED_WELL, MigrationJob

MEASURED_JOBS = 20
SIGN_IN_SECONDS = 5


@dataclass(frozen=True)
class Pace:
    """How fast mail comes over: of small messages their number counts, of large ones their size."""

    bytes_per_second: float
    messages_per_second: float

    def seconds(self, *, messages: int, size: int, at_most: int | None = None) -> int:
        """For a mailbox; `at_most` is a limit in bytes per second."""
        speed = min(filter(None, (self.bytes_per_second, at_most)))
        return round(SIGN_IN_SECONDS + max(size / speed, messages / self.messages_per_second))


USUAL = {
    "builtin": Pace(bytes_per_second=1_500_000, messages_per_second=40),
    "imapsync": Pace(bytes_per_second=500_000, messages_per_second=8),
}
"""Of the engines, over the internet, towards the careful side."""


def pace_from(host: str) -> Pace:
    """That of the last real runs from this host, else of the last from anywhere, else the usual.

    A run that found most of it there already tells how fast it compares, not how fast it copies.
    """
    runs = (
        MigrationJob.objects.filter(
            dry_run=False,
            state__in=ENDED_WELL,
            messages_copied__gt=0,
            messages_copied__gte=F("messages_present"),
            bytes_done__gt=0,
            started_at__isnull=False,
            ended_at__isnull=False,
        )
        .annotate(host=Lower("source_host"))
        .order_by("-ended_at", "-pk")
    )
    return _measured(runs.filter(host=host.lower())) or _measured(runs) or USUAL[describe().name]


def _measured(runs: QuerySet[MigrationJob]) -> Pace | None:
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    facts = runs.values_list(took, "bytes_done", "messages_copied")
    latest = list(facts[:MEASURED_JOBS])
    seconds = sum(max(1.0, time.total_seconds()) for time, _size, _count in latest)
    if not seconds:
        return None
    return Pace(
        bytes_per_second=sum(size for _time, size, _count in latest) / seconds,
        messages_per_second=sum(count for _time, _size, count in latest) / seconds,
    )
