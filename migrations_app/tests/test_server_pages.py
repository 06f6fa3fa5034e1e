"""The pages about servers: what greets somebody who adds one."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["", "?preset=gmail"])
def test_adding_a_server_does_not_begin_with_an_error(admin_client: Client, query: str) -> None:
    page = admin_client.get(reverse("migrations:server_add") + query).content.decode()
    assert "This field is required." not in page
    assert "aria-invalid" not in page
    assert "(optional)" not in page
    assert ('<option value="gmail" selected>' in page) == bool(query)
