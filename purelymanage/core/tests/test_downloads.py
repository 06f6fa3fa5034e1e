"""Files to take along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from purelymanage.core import downloads
from purelymanage.core.downloads import (
    as_json,
    as_moment,
    attachment,
    json_array,
    json_object,
    json_response,
)

pytestmark = pytest.mark.once


def test_a_name_that_no_header_may_hold_is_written_so_that_it_may() -> None:
    assert attachment("a.csv") == {"Content-Disposition": 'attachment; filename="a.csv"'}
    assert attachment("Büro.csv")["Content-Disposition"].endswith("utf-8''B%C3%BCro.csv")


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_pieces_make_one_array_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(downloads, "CHUNK", 2)
    values = [{"name": f"ä{number}"} for number in range(count)]
    assert json.loads("".join(json_array(values))) == values
    whole = json.loads("".join(json_object({"id": 7}, "all", values)))
    assert whole == {"id": 7, "all": values}


def test_nothing_is_made_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "CHUNK", 2)
    made: list[int] = []

    def values() -> Iterator[int]:
        for number in range(6):
            made.append(number)
            yield number

    response = json_response("all.json", json_array(values()))
    stream = iter(response.streaming_content)
    assert (next(stream), made) == (b"[\n0,\n1", [0, 1])
    assert b"".join(stream).endswith(b"5\n]\n")
    assert response["Content-Disposition"] == 'attachment; filename="all.json"'
    assert response["Content-Type"] == "application/json"


def test_moments_have_their_offset_and_letters_stay_as_they_are() -> None:
    moment = datetime(2026, 11, 20, 14, tzinfo=UTC)
    assert datetime.fromisoformat(as_moment(moment)) == moment
    assert as_json("ä") == '"ä"'
