"""Files to take along: the name that an answer is stored under, and JSON written as it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

CHUNK = 100


def attachment(filename: str) -> dict[str, str]:
    """The header that has a browser store an answer under this name."""
    disposition = content_disposition_header(as_attachment=True, filename=filename)
    return {"Content-Disposition": str(disposition)}


def json_response(filename: str, pieces: Iterable[str]) -> StreamingHttpResponse:
    """A JSON file for programs, sent as its pieces are made."""
    return StreamingHttpResponse(
        chain(pieces, "\n"), content_type="application/json", headers=attachment(filename)
    )


def json_array(values: Iterable[object]) -> Iterator[str]:
    """An array, each of its values on a line of its own.

    Written by the hundred: a piece each would cost more than the values themselves.
    """
    found, opening = map(as_json, values), "[\n"
    while lines := [*islice(found, CHUNK)]:
        yield opening + ",\n".join(lines)
        opening = ",\n"
    yield "[]" if opening == "[\n" else "\n]"


def json_object(facts: Mapping[str, object], name: str, values: Iterable[object]) -> Iterator[str]:
    """An object that holds `facts`, and under `name` an array of many values."""
    yield f"{as_json(facts)[:-1]}, {as_json(name)}: "
    yield from json_array(values)
    yield "}"


def as_json(value: object) -> str:
    """JSON of whatever a row holds."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def as_moment(moment: datetime) -> str:
    """As files write it: local time with its offset."""
    return timezone.localtime(moment).isoformat()
