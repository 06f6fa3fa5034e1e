"""Who looks at a job or a batch right now, noted as their page asks for news."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import caches
from django.utils import timezone

from migrations_app.models import Batch, MigrationJob, Watch

NOTED_EVERY = timedelta(seconds=20)
"""A page asks every two seconds; so seldom does each process write that down."""
COUNTS_FOR = timedelta(seconds=60)


def note_watching(user: int, watched: MigrationJob | Batch) -> None:
    """Remember that a person has the page of this job or batch open. Often it does nothing."""
    page = _page(watched)
    if not caches["process"].add(f"watching:{user}:{page}", 1, NOTED_EVERY.seconds):
        return
    Watch.objects.bulk_create(
        [Watch(user_id=user, page=page, seen_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["user", "page"],
        update_fields=["seen_at"],
    )


def has_seen(user: int | None, watched: MigrationJob | Batch, end: datetime) -> bool:
    """Whether they had its page open within the minute before `end`, or later."""
    seen = Watch.objects.filter(user=user, page=_page(watched), seen_at__gte=end - COUNTS_FOR)
    return user is not None and seen.exists()


def forget_old() -> None:
    """Drop what says nothing any more."""
    Watch.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


def _page(watched: MigrationJob | Batch) -> str:
    return f"{'batch' if isinstance(watched, Batch) else 'job'}:{watched.pk}"
