"""The log as a file: for spreadsheets, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import astuple
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from audit.models import Entry
from audit.selectors import Extent, Reader, ending, in_chunks, outcome_of, told
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
CHUNK = 100


def csv_file(extent: Extent, *, reader: Reader) -> StreamingHttpResponse:
    """A line per entry, newest first; what was before and after as JSON in one cell."""
    lines = map(_cells, _all_facts(extent, reader))
    return csv_response(f"{_name()}.csv", COLUMNS, lines)


def json_file(extent: Extent, *, reader: Reader) -> StreamingHttpResponse:
    """One array with an object per entry, newest first, each on a line of its own."""
    name = f"{_name()}.json"
    return StreamingHttpResponse(
        _array(_all_facts(extent, reader)),
        content_type="application/json",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name)
        },
    )


def facts(entry: Entry, *, reader: Reader) -> dict[str, Any]:
    """All that `reader` may know about one entry, under the names of the columns."""
    outcome = outcome_of(entry)
    said = told(entry, reader=reader)
    values = (
        entry.pk,
        _written(entry.at),
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
        _written(outcome.at) if outcome else "",
        *astuple(entry.seal),
        *(astuple(outcome.seal) if outcome else UNSEALED),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _all_facts(extent: Extent, reader: Reader) -> Iterator[dict[str, Any]]:
    return (facts(entry, reader=reader) for entry in in_chunks(extent.entries))


def _array(found: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Written by the hundred: a chunk each would cost more than the entries themselves."""
    opening = "[\n"
    while lines := [_json(each) for each in islice(found, CHUNK)]:
        yield opening + ",\n".join(lines)
        opening = ",\n"
    yield "[]\n" if opening == "[\n" else "\n]\n"


def _cells(known: dict[str, Any]) -> list[object]:
    return [_json(value) if isinstance(value, dict) else value for value in known.values()]


def _json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _written(moment: Any) -> str:
    return timezone.localtime(moment).isoformat()


def _name() -> str:
    return f"audit-log-{timezone.localdate():%Y-%m-%d}"
