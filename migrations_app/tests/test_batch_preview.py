"""The preview of a file: its form, its pages, and its end."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from migrations_app.batches.preview import COLUMNS
from migrations_app.models import Batch, BatchLine, BatchState
from migrations_app.services import batches as services
from migrations_app.tests.batching import (
    GOOD,
    HEADER,
    NEW,
    SECRET,
    form,
    preview,
    start,
    states,
    table,
)
from migrations_app.tests.pages import text_of, url
from purelymanage.core.errors import RefusedError
from purelymanage.core.tables import read_table
from purelymanage.jobs.models import WorkerHost

pytestmark = pytest.mark.django_db


def test_from_the_form_to_the_preview(admin_client):
    content = f"{HEADER}{GOOD}max@old.example,{SECRET},max@other.example,{SECRET}\n"
    answer = admin_client.post(NEW, form(content), follow=True)
    batch = Batch.objects.get()
    page = text_of(answer)
    assert answer.redirect_chain[-1][0] == url("batch_preview", batch.pk)
    assert batch.name == "Staff 2026"
    assert (batch.dry_run, batch.is_paused, batch.start_at) == (True, False, None)
    assert "Import the 1 good one" in page
    assert "All or nothing is not possible" in page
    assert "other.example is not one of your domains" in page
    assert "no-store" in answer["Cache-Control"]
    for text in (page, str(list(Entry.objects.values())), str(list(BatchLine.objects.values()))):
        assert SECRET not in text


def test_the_choices_of_the_form_are_kept(admin_client):
    later = timezone.localtime() + timedelta(days=2)
    data = form(
        HEADER + GOOD,
        name="Weekend",
        dry_run="",
        is_paused="on",
        uses_app_password="on",
        start_at=later.strftime("%Y-%m-%dT%H:%M"),
        engine_wanted="builtin",
        exclude="Spam",
        bandwidth_kbs="500",
    )
    assert admin_client.post(NEW, data).status_code == 302
    batch = Batch.objects.get()
    assert (batch.name, batch.dry_run, batch.uses_app_password) == ("Weekend", False, True)
    assert batch.is_paused
    assert batch.paused_by == "Adam"
    assert batch.start_at == later.replace(second=0, microsecond=0)
    assert batch.engine_wanted == "builtin"
    assert batch.options["exclude"] == ["Spam"]
    assert batch.options["bytes_per_second"] == 500_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": ""}, "Choose a file, or paste lines"),
        ({"pasted": GOOD}, "not both"),
        ({"source_server": "999"}, "This server is gone"),
        ({"destination_server": ""}, "Choose a server."),
        ({"start_at": "2020-01-01T10:00"}, "This moment is over"),
        ({"start_at": "soon"}, "Enter a date and a time"),
        ({"engine_wanted": "mbsync"}, "mbsync"),
        ({"include": "A", "exclude": "A"}, "stands in both lists"),
        ({"max_size_mb": "0"}, "from 1 to"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_beside_it(admin_client, changes, words):
    answer = admin_client.post(NEW, form(HEADER + GOOD) | changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Batch.objects.exists()


def test_all_that_is_missing_is_said_at_once(admin_client):
    page = text_of(admin_client.post(NEW, form("", file="", source_server="")))
    assert "Choose a file, or paste lines" in page
    assert "Choose a server." in page


def test_a_file_that_is_no_table_is_refused_on_the_form(admin_client):
    answer = admin_client.post(NEW, form("PK\x03\x04 xl/"))
    assert answer.status_code == 422
    assert "Excel" in text_of(answer)


def test_every_problem_can_be_read_page_by_page_and_as_a_file(viewer_client, admin):
    bad = "".join(f"p{number}@old.example,pw,nobody{number},pw\n" for number in range(70))
    batch = preview(admin, HEADER + GOOD + bad)
    page = text_of(viewer_client.get(url("batch_preview", batch.pk) + "?state=bad&page=2"))
    assert "of 70" in page
    assert "lea" not in page.partition("<tbody")[2]
    assert "Discard" not in page
    answer = viewer_client.get(url("batch_lines", batch.pk) + "?state=bad")
    rows = list(csv.reader(io.StringIO(text_of(answer).removeprefix("\ufeff"))))
    assert len(rows) == 71
    assert rows[70][:2] == ["72", "p69@old.example"]
    assert "not an e-mail address" in rows[70][4]


def test_the_preview_costs_the_same_for_one_line_and_for_hundreds(viewer_client, admin):
    few, many = preview(admin, table(1)), preview(admin, table(300))
    counts = []
    for batch in (few, few, many):  # the first look warms up what is kept
        with CaptureQueriesContext(connection) as queries:
            viewer_client.get(url("batch_preview", batch.pk))
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 12


def test_a_page_that_waits_for_an_import_reads_no_line(viewer_client, admin):
    batch = start(admin, table(3))
    page = url("batch_preview", batch.pk)
    with CaptureQueriesContext(connection) as queries:
        assert "0 of 3" in text_of(viewer_client.get(page, headers={"HX-Request": "true"}))
    asked = [one["sql"] for one in queries if BatchLine._meta.db_table in one["sql"]]
    assert len(asked) == 1, "how many there are in each state"


def test_the_template_can_be_uploaded_as_it_is(viewer_client):
    content = b"".join(viewer_client.get(url("batch_template")).streaming_content)
    read = read_table(content, columns=COLUMNS, required=COLUMNS)
    assert [row.error for row in read.rows] == ["", ""]
    assert all(read.rows[0].values.values())


def test_a_batch_that_is_made_shows_itself_instead(admin_client):
    batch = preview_of_state(BatchState.ACTIVE)
    answer = admin_client.get(url("batch_preview", batch.pk))
    assert answer["Location"] == reverse("migrations:batch", args=[batch.pk])
    polled = admin_client.get(url("batch_preview", batch.pk), headers={"HX-Request": "true"})
    assert polled["HX-Redirect"] == reverse("migrations:batch", args=[batch.pk])


def preview_of_state(state: BatchState) -> Batch:
    return Batch.objects.create(name="staff", state=state, created_by_name="Adam")


def test_while_it_is_imported_the_page_asks_again_by_itself(admin_client, admin):
    batch = start(admin, table(3))
    page = text_of(admin_client.get(url("batch_preview", batch.pk)))
    assert "0 of 3" in page
    assert 'hx-trigger="every 2s"' in page
    part = text_of(admin_client.get(url("batch_preview", batch.pk), headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "0 of 3" in part
    assert "No worker is there" in part
    now = timezone.now()
    WorkerHost.objects.create(name="here", capacity=1, seen_at=now, started_at=now)
    assert "No worker is there" not in text_of(admin_client.get(url("batch_preview", batch.pk)))


def test_without_servers_the_form_says_what_to_do_first(admin_client):
    assert "No servers yet" in text_of(admin_client.get(NEW))


def test_a_viewer_imports_and_discards_nothing(viewer_client, admin):
    batch = preview(admin, HEADER + GOOD)
    assert viewer_client.get(NEW).status_code == 403
    for name in ("batch_import", "batch_discard"):
        assert viewer_client.post(url(name, batch.pk)).status_code == 403
    batch.refresh_from_db()
    assert batch.is_preview


# Thrown away


def test_discarding_forgets_lines_and_passwords(admin_client, admin):
    batch = preview(admin, HEADER + GOOD)
    answer = admin_client.post(url("batch_discard", batch.pk))
    assert answer["Location"] == NEW
    assert not BatchLine.objects.exists()
    assert admin_client.get(url("batch_preview", batch.pk)).status_code == 404
    assert Entry.objects.order_by("pk").last().action == "migrations.discarded"


def test_what_is_being_imported_is_not_discarded(admin):
    batch = start(admin, HEADER + GOOD)
    with pytest.raises(RefusedError):
        services.discard(batch=batch)
    assert states(batch) == ["good"]


def test_a_preview_that_nobody_came_back_to_goes_after_a_week(admin):
    old, young = preview(admin, HEADER + GOOD), preview(admin, HEADER + GOOD)
    week = timezone.now() - timedelta(days=7, minutes=1)
    Batch.objects.filter(pk=old.pk).update(created_at=week)
    services.discard_old_previews()
    assert states(old) == []
    assert states(young) == ["good"]
