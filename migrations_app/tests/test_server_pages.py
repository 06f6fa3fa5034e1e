"""The pages about servers: added, edited, deleted, and tested by a login."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.engines.sentences import sentence_for
from migrations_app.models import MigrationJob, Server
from migrations_app.services.jobs import End, create_job
from migrations_app.tests.factories import JobFactory, ServerFactory
from migrations_app.tests.pages import HTMX, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


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


def test_a_server_is_added_by_a_plain_post(admin_client: Client) -> None:
    data = {"name": "Old", "host": "IMAP.Old.example.", "port": "993", "security": "tls"}
    response = admin_client.post(url("server_add"), data)
    assert response["Location"] == url("servers")
    assert Server.objects.get().host == "imap.old.example"
    again = admin_client.post(url("server_add"), data)
    assert again.status_code == 422
    assert "already here" in text_of(again)


def test_a_preset_fills_the_form_and_says_what_users_trip_over(admin_client: Client) -> None:
    page = text_of(admin_client.get(url("server_add") + "?preset=microsoft365"))
    assert "outlook.office365.com" in page
    assert "switched off passwords" in page
    purelymail = text_of(admin_client.get(url("server_add") + "?preset=purelymail"))
    assert "imap.purelymail.com" in purelymail
    assert admin_client.get(url("server_add") + "?preset=nonsense").status_code == 200


def test_a_server_is_edited_and_deleted(admin_client: Client) -> None:
    server = ServerFactory()
    JobFactory(source_server=server)
    data = {"name": "New name", "host": "imap.x.example", "port": "143", "security": "starttls"}
    admin_client.post(url("server_edit", server.pk), data)
    server.refresh_from_db()
    assert (server.name, server.port, server.security) == ("New name", 143, "starttls")
    assert "1 job keeps a copy" in text_of(admin_client.get(url("server_delete", server.pk)))
    admin_client.post(url("server_delete", server.pk))
    assert not Server.objects.exists()
    assert MigrationJob.objects.exists()


def test_a_login_test_opens_below_its_server(admin_client: Client) -> None:
    server = ServerFactory()
    page = text_of(admin_client.get(url("servers")))
    assert f'hx-target="#server-{server.pk}-test"' in page
    assert f'<tr role="row" id="server-{server.pk}-test" hidden>' in page
    assert f'popovertarget="server-{server.pk}-menu"' in page


def test_a_login_test_names_the_failing_step_and_stores_nothing(admin_client: Client) -> None:
    server = ServerFactory(host="127.0.0.1", port=9, security="none")
    data = {"address": "anna", "password": "typed-secret"}
    for headers in ({}, HTMX):
        response = admin_client.post(url("server_test", server.pk), data, headers=headers)
        page = text_of(response)
        assert response.status_code == 200
        assert "refused the connection" in page
        assert "typed-secret" not in page
        posts_by_htmx = f'hx-post="{url("server_test", server.pk)}"' in page
        assert posts_by_htmx is bool(headers)
