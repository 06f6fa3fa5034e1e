"""The pages about servers: what greets somebody who adds one."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app.engines.plan import Options
from migrations_app.services.jobs import End, create_job
from migrations_app.tests.factories import ServerFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["", "?preset=gmail"])
def test_adding_a_server_does_not_begin_with_an_error(admin_client: Client, query: str) -> None:
    page = admin_client.get(reverse("migrations:server_add") + query).content.decode()
    assert "This field is required." not in page
    assert "aria-invalid" not in page
    assert "(optional)" not in page
    assert ('<option value="gmail" selected>' in page) == bool(query)


def test_a_deleted_server_leaves_its_name_to_its_jobs(admin_client: Client) -> None:
    old, new = ServerFactory(name="Old mail"), ServerFactory(name="New mail")
    job = create_job(
        name="",
        source=End(old, "anna@old.example", "one"),
        destination=End(new, "anna@new.example", "two"),
        dry_run=True,
        options=Options(),
    )
    job.state = "done"
    job.save()
    old.delete()

    page = admin_client.get(reverse("migrations:detail", args=[job.pk])).content.decode()
    form = admin_client.get(reverse("migrations:edit", args=[job.pk])).content.decode()

    assert "From Old mail to New mail." in page
    assert f"Old mail (deleted; {old.host}:993)" in form
    assert "Source server</label>" in form
