"""Somebody who does the background work."""

from __future__ import annotations

import pytest
from django.utils import timezone

from purelymanage.jobs.models import WorkerHost


@pytest.fixture
def worker(db) -> WorkerHost:
    now = timezone.now()
    return WorkerHost.objects.create(name="host:1", started_at=now, seen_at=now)
