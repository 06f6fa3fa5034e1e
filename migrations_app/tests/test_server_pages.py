"""The pages about servers: what greets somebody who adds one."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.engines.sentences import sentence_for
from migrations_app.services.jobs import End, create_job
from migrations_app.tests.factories import JobFactory, ServerFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["", "?preset=gmail"])
def test_adding_a_server_does_not_begin_with_an_error(admin_client: Client, query: str) -> None:
    page = admin_client.get(reverse("migrations:server_add") + query).content.decode()
    assert "This field is required." not in page
    assert "aria-invalid" not in page
    assert "(optional)" not in page
    assert ('<option value="gmail" selected>' in page) == bool(query)


def test_an_ipv6_host_stands_in_brackets_beside_its_port(viewer_client: Client) -> None:
    server = ServerFactory(host="::1", port=8311)
    job = JobFactory(source_server=server, state="done")
    for name, args in (("servers", []), ("detail", [job.pk])):
        page = viewer_client.get(reverse(f"migrations:{name}", args=args)).content.decode()
        assert "[::1]:8311" in page
    end = Endpoint("::1", 8311, "tls", "a")
    words = sentence_for(Cause.SOURCE_UNREACHABLE, Plan(end, end, dry_run=False), 101, [])
    assert "[::1]:8311" in words


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
