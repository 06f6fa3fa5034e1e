"""Whether somebody does the background work."""

from __future__ import annotations

from django.db.models.functions import Now

from purelymanage.jobs.models import WorkerHost

LATE_SECONDS = 60
"""A worker host that was not seen for so long counts as gone."""


def seconds_since_worker_seen() -> float | None:
    """Age of the youngest heartbeat of any worker host; None if there never was one."""
    times = WorkerHost.objects.order_by("-seen_at").values_list("seen_at", Now()).first()
    if times is None:
        return None
    seen_at, now = times
    age: float = (now - seen_at).total_seconds()
    return max(age, 0.0)
