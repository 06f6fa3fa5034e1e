"""The canary: a task that does nothing but show that the app cluster works."""

from __future__ import annotations

from django.conf import settings
from django.db.models.functions import Now

from purelymanage.jobs.models import WorkerHost


def answer_canary() -> None:
    """Note on this worker's host that its app cluster took a task."""
    WorkerHost.objects.filter(name=settings.WORKER_HOST).update(app_answered_at=Now())
