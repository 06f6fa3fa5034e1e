"""The page of limits."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app import dispatch
from migrations_app.tests.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_limits_are_changed_while_running(admin_client: Client) -> None:
    address = reverse("migration_settings:limits")
    assert "engine" in text_of(admin_client.get(address)).lower()
    response = admin_client.post(address, {"concurrency": 5, "per_source_host": 3})
    assert response.status_code == 302
    assert (dispatch.limits().concurrency, dispatch.limits().per_source_host) == (5, 3)
    assert admin_client.post(address, {"concurrency": 0, "per_source_host": 3}).status_code == 422
