"""An import that a person stops: what was made stays, and nothing is made twice after that."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from migrations_app import tasks
from migrations_app.models import Batch, BatchState, MigrationJob, State
from migrations_app.services import batches as services
from migrations_app.tests.batching import preview, start, states, table
from migrations_app.tests.pages import HTMX, text_of, url
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError

pytestmark = pytest.mark.django_db
STOP = "Stop the import"


@pytest.fixture
def stopped(admin: User, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Two of three jobs are made, and the third line waits."""
    monkeypatch.setattr(services, "SLICE", 2)
    batch = start(admin, table(3))
    services._import_slice(batch)
    with acting_as(person(admin)):
        assert services.stop_import(batch=batch) == 2
    batch.refresh_from_db()
    return batch


def test_what_is_made_stays_and_the_rest_is_a_preview_again(stopped: Batch) -> None:
    assert stopped.is_preview
    assert states(stopped) == ["imported", "imported", "good"]
    tasks.import_batches()
    assert stopped.jobs.filter(state=State.QUEUED).count() == 2
    entry = Entry.objects.get(action="migrations.import_stopped")
    assert (entry.target, entry.outcome.after) == ("staff", {"jobs": 2})


@pytest.mark.parametrize("all_or_nothing", [True, False])
def test_an_import_that_goes_on_doubles_nothing(
    stopped: Batch, admin: User, *, all_or_nothing: bool
) -> None:
    with acting_as(person(admin)):
        services.start_import(batch=stopped, all_or_nothing=all_or_nothing)
    tasks.import_batches()
    stopped.refresh_from_db()
    assert stopped.state == BatchState.ACTIVE
    assert states(stopped) == ["imported"] * 3
    addresses = list(stopped.jobs.order_by("pk").values_list("source_address", flat=True))
    assert addresses == [f"p0000{number}@old.example" for number in (1, 2, 3)]


def test_a_worker_in_the_middle_of_it_makes_no_further_slice(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SLICE", 1)
    batch = start(admin, table(3))
    record = services.record_all

    def stops(happened: object) -> None:
        record(happened)
        monkeypatch.undo()
        services.stop_import(batch=batch)

    monkeypatch.setattr(services, "record_all", stops)
    services.import_all(batch=batch)
    assert states(batch) == ["imported", "good", "good"]
    assert MigrationJob.objects.count() == 1


def test_what_is_not_under_way_cannot_be_stopped(admin: User) -> None:
    with pytest.raises(RefusedError, match="not being imported"):
        services.stop_import(batch=preview(admin, table(1)))


def test_the_page_stops_it_and_says_what_is_made(admin_client: Client, admin: User) -> None:
    batch = start(admin, table(3))
    page = url("batch_preview", batch.pk)
    assert STOP in text_of(admin_client.get(page))
    assert STOP in text_of(admin_client.get(page, headers=HTMX))
    answer = admin_client.post(url("batch_import_stop", batch.pk), follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert "0 jobs are made and stay" in text_of(answer)
    assert STOP not in text_of(answer)


def test_a_page_that_waits_for_an_import_learns_that_it_was_stopped(
    viewer_client: Client, stopped: Batch
) -> None:
    page = url("batch_preview", stopped.pk)
    assert viewer_client.get(page, headers=HTMX)["HX-Redirect"] == page


def test_who_only_reads_is_offered_no_stop(viewer_client: Client, admin: User) -> None:
    batch = start(admin, table(3))
    assert STOP not in text_of(viewer_client.get(url("batch_preview", batch.pk)))
    assert viewer_client.post(url("batch_import_stop", batch.pk)).status_code == 403


def test_the_jobs_made_can_be_looked_at_and_the_rest_gone_on_with(
    admin_client: Client, stopped: Batch
) -> None:
    preview_url, batch_url = url("batch_preview", stopped.pk), url("batch", stopped.pk)
    asked = text_of(admin_client.get(preview_url))
    assert f'href="{batch_url}"' in asked
    assert "Discard the rest" in asked
    page = text_of(admin_client.get(batch_url))
    assert f'href="{preview_url}"' in page
    assert "Import stopped" in page
    answer = admin_client.post(url("batch_discard", stopped.pk))
    assert answer["Location"] == batch_url
    assert preview_url not in text_of(admin_client.get(batch_url))


def test_a_preview_without_jobs_has_no_other_page(admin_client: Client, admin: User) -> None:
    batch = preview(admin, table(1))
    answer = admin_client.get(url("batch", batch.pk))
    assert answer["Location"] == url("batch_preview", batch.pk)
