"""The log as a file."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import selectors
from audit.actions import Action
from audit.exports import COLUMNS
from audit.models import Entry
from audit.services import audited, record
from purelymanage.core import downloads
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError

pytestmark = pytest.mark.django_db

VERA = {"target": "Vera", "before": {"role": "viewer"}}
CSV, JSON = "/settings/audit/export/csv/", "/settings/audit/export/json/"


def body(response) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def as_csv(client, **filters: str) -> list[dict[str, str]]:
    text = body(client.get(CSV, filters)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def as_json(client, **filters: str) -> list[dict[str, object]]:
    return json.loads(body(client.get(JSON, filters)))


@pytest.fixture
def history(admin):
    with acting_as(person(admin, address="192.0.2.7")):
        with suppress(RefusedError), audited(Action.PERSON_CHANGED, **VERA) as change:
            change.after["role"] = "admin"
            raise RefusedError("Not today.")
        record(Action.SERVER_CREATED, target="Büro, alt")
    Entry.objects.create(actor_name="system", action=Action.COPY_REFRESHED)


def test_both_files_have_every_fact_newest_first(viewer_client, history):
    rows = as_json(viewer_client)
    assert [row["action"] for row in rows[-3:]] == [
        "purelymail.refreshed",
        "server.created",
        "person.changed",
    ]
    changed = rows[-1]
    assert tuple(changed) == COLUMNS
    assert datetime.fromisoformat(changed["at"]).tzinfo
    assert datetime.fromisoformat(changed["ended_at"]).tzinfo
    expected = {
        "actor_kind": "person",
        "actor": "Adam",
        "address": "192.0.2.7",
        "action": "person.changed",
        "sentence": "changed the role of Vera",
        "target": "Vera",
        "before": {"role": "viewer"},
        "after": {"role": "admin"},
        "result": "refused",
        "reason": "Not today.",
    }
    assert changed.items() >= expected.items()
    entry = Entry.objects.get(action=Action.PERSON_CHANGED)
    assert (changed["position"], changed["mac"]) == (entry.position, entry.mac)
    assert changed["end_link"] == entry.outcome.link
    assert rows[-3]["end_mac"] == ""
    assert rows[-3]["result"] == "in-progress"
    assert rows[-3]["ended_at"] == ""
    line = as_csv(viewer_client)[-1]
    assert (
        line.items()
        >= {
            **expected,
            "before": '{"role": "viewer"}',
            "after": '{"role": "admin"}',
        }.items()
    )
    assert line["at"] == changed["at"]


@pytest.mark.parametrize("read", [as_csv, as_json])
def test_files_hold_what_the_filter_matches(viewer_client, history, read):
    assert [row["target"] for row in read(viewer_client, q="büro")] == ["Büro, alt"]
    assert len(read(viewer_client, result="refused", actor="adam")) == 1
    assert read(viewer_client, q="nobody") == []


@pytest.mark.parametrize(("read", "kind"), [(as_csv, "CSV"), (as_json, "JSON")])
def test_each_export_is_on_record_with_its_filter_and_number(viewer_client, history, read, kind):
    number = Entry.objects.count()
    assert len(read(viewer_client)) == number  # without the entry about itself
    read(viewer_client, q='actor:adam "büro"', result="done")
    everything, some = Entry.objects.filter(action=Action.AUDIT_EXPORTED).order_by("pk")
    assert everything.after == {"entries": number, "filter": "", "format": kind}
    assert some.after == {"entries": 1, "filter": "actor:adam result:done büro", "format": kind}
    assert some.actor_name == "Vera"


@pytest.mark.parametrize("url", [CSV, JSON])
def test_a_filter_that_makes_no_sense_exports_nothing(viewer_client, history, url):
    response = viewer_client.get(url, {"q": "since:x"})
    assert response.status_code == 422
    assert "“since:” is no filter." in response.content.decode()
    assert not Entry.objects.filter(action=Action.AUDIT_EXPORTED).exists()


def test_spreadsheets_run_nothing_of_it(viewer_client, admin):
    record(Action.SERVER_CREATED, target='=HYPERLINK("http://x.example")')
    assert as_csv(viewer_client)[-1]["target"].startswith("'=")
    assert as_json(viewer_client)[-1]["target"].startswith("=")


def test_files_are_made_while_they_are_sent(viewer_client, admin, monkeypatch):
    monkeypatch.setattr(selectors, "EXPORT_CHUNK", 10)
    monkeypatch.setattr(downloads, "CHUNK", 10)
    Entry.objects.bulk_create(
        Entry(actor_name="system", action=Action.COPY_REFRESHED) for _ in range(95)
    )
    stream = iter(viewer_client.get(JSON).streaming_content)
    with CaptureQueriesContext(connection) as queries:
        assert next(stream).startswith(b"[\n{")
        assert len(queries) == 1
        rest = b"".join(stream)
    assert len(queries) == 11
    assert rest.endswith(b"}\n]\n")
