"""All pages of migrations: who may, as a whole and as a fragment, and without a password."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app.models import MigrationJob
from migrations_app.queueing import dispatch
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    JobFactory,
    ServerFactory,
)
from migrations_app.tests.pages import HTMX, in_every_state, text_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def test_every_page_opens_whole_and_as_a_fragment_and_shows_no_password(
    admin_client: Client,
) -> None:
    server = ServerFactory(security="none")
    addresses = [url("list"), url("list") + "?state=failed&q=old&page=99", url("servers")]
    addresses += [url("add"), url("server_add") + "?preset=gmail", url("server_add")]
    addresses += [url(name, server.pk) for name in ("server_edit", "server_test", "server_delete")]
    for job in in_every_state():
        addresses += [url(name, job.pk) for name in ("detail", "log", "cancel", "delete", "erase")]
        if job.is_finished:
            addresses.append(url("edit", job.pk))
    for address in addresses:
        for headers in ({}, HTMX):
            response = admin_client.get(address, headers=headers)
            page = text_of(response)
            assert response.status_code == 200, address
            for secret in (SOURCE_PASSWORD, DESTINATION_PASSWORD, "pm1."):
                assert secret not in page, address


def test_a_viewer_reads_every_page_and_sees_no_way_to_change(viewer_client: Client) -> None:
    ServerFactory()
    for job in in_every_state():
        for name in ("detail", "log"):
            response = viewer_client.get(url(name, job.pk))
            assert response.status_code == 200
            page = text_of(response)
            assert "Re-run" not in page
            assert url("cancel", job.pk) not in page
            assert "Run for real" not in page
    for name in ("list", "servers"):
        page = text_of(viewer_client.get(url(name)))
        assert "New migration" not in page
        assert "Delete…" not in page
    settings = text_of(viewer_client.get(reverse("migration_settings:limits")))
    assert 'name="concurrency"' not in settings


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "name", ["cancel", "real", "rerun", "delete", "erase", "edit", "server_edit", "server_test"]
)
def test_a_viewer_changes_nothing(viewer_client: Client, name: str, method: str) -> None:
    job, server = JobFactory(), ServerFactory()
    pk = server.pk if name.startswith("server") else job.pk
    assert getattr(viewer_client, method)(url(name, pk)).status_code == 403
    assert MigrationJob.objects.get().version == job.version


@pytest.mark.parametrize("name", ["add", "selected", "server_add"])
def test_a_viewer_adds_nothing(viewer_client: Client, name: str) -> None:
    assert viewer_client.post(url(name), {}).status_code == 403


@pytest.mark.parametrize("action", ["real", "rerun", "cancel", "delete", "erase", "edit"])
def test_a_viewer_acts_on_no_job(viewer_client: Client, action: str) -> None:
    job = JobFactory(dry_run=True)
    before = MigrationJob.objects.filter(pk=job.pk).values().get()
    assert viewer_client.post(url(action, job.pk)).status_code == 403
    many = {"action": action, "selected": [job.pk], "confirmed": "1"}
    assert viewer_client.post(url("selected"), many).status_code == 403
    assert MigrationJob.objects.values().get() == before


def test_a_viewer_does_not_change_limits(viewer_client: Client) -> None:
    data = {"concurrency": 9, "per_source_host": 9}
    assert viewer_client.post(reverse("migration_settings:limits"), data).status_code == 403
    assert dispatch.limits().concurrency == 2


def test_a_stranger_is_sent_to_sign_in(client: Client, owner: object) -> None:
    response = client.get(url("list"))
    assert response.status_code == 302
    assert "login" in response["Location"]
