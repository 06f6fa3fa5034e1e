"""What the workers do for people's accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import forget_old_sessions

pytestmark = pytest.mark.django_db


def test_expired_sessions_are_forgotten_and_living_ones_stay(owner_client):
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(seconds=1))
    forget_old_sessions()
    assert not Session.objects.filter(session_key="old").exists()
    assert owner_client.get("/").status_code == 200
