"""The log as a file: for spreadsheets, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from audit.models import Entry
from audit.selectors import Extent, Reader, ending, in_chunks, outcome_of, told
from purelymanage.core.downloads import as_json, as_moment, json_array, json_response
from purelymanage.core.tables import csv_response

COLUMNS = (
    "id",
    "at",
    "actor_kind",
    "actor",
    "address",
    "action",
    "sentence",
    "target",
    "before",
    "after",
    "result",
    "reason",
    "ended_at",
    "position",
    "link",
    "mac",
    "key_id",
    "end_position",
    "end_link",
    "end_mac",
    "end_key_id",
)
"""The last eight are the places of the entry and of its end in the chain: docs/audit.md."""
UNSEALED = ("",) * 4


def csv_file(extent: Extent, *, reader: Reader) -> StreamingHttpResponse:
    """A line per entry, newest first; what was before and after as JSON in one cell."""
    lines = map(_cells, _all_facts(extent, reader))
    return csv_response(f"{_name()}.csv", COLUMNS, lines)


def json_file(extent: Extent, *, reader: Reader) -> StreamingHttpResponse:
    """One array with an object per entry, newest first, each on a line of its own."""
    return json_response(f"{_name()}.json", json_array(_all_facts(extent, reader)))


def facts(entry: Entry, *, reader: Reader) -> dict[str, Any]:
    """All that `reader` may know about one entry, under the names of the columns."""
    outcome = outcome_of(entry)
    said = told(entry, reader=reader)
    values = (
        entry.pk,
        as_moment(entry.at),
        entry.actor_kind,
        entry.actor_name,
        entry.address or "",
        entry.action,
        entry.sentence,
        entry.target,
        said.before,
        said.after,
        ending(entry).value,
        said.reason,
        as_moment(outcome.at) if outcome else "",
        *astuple(entry.seal),
        *(astuple(outcome.seal) if outcome else UNSEALED),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _all_facts(extent: Extent, reader: Reader) -> Iterator[dict[str, Any]]:
    return (facts(entry, reader=reader) for entry in in_chunks(extent.entries))


def _cells(known: dict[str, Any]) -> list[object]:
    return [as_json(value) if isinstance(value, dict) else value for value in known.values()]


def _name() -> str:
    return f"audit-log-{timezone.localdate():%Y-%m-%d}"
