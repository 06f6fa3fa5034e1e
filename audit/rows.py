"""The stored rows of the log, one after the other, as they were found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from operator import attrgetter
from typing import Any

from django.db import DatabaseError, models

from audit import chain
from audit.chain import Seal
from audit.models import Entry, Outcome

CHUNK = 2000
SEALED_WITH = ("link", "mac", "key_id")
STRANGE = (DatabaseError, ValueError, TypeError, OverflowError)
"""What reading raises at a value that we never write, such as a moment beyond all calendars."""
UNREADABLE = b""
"""Stands for such a value, and has no place in canonical bytes either."""


@dataclass(frozen=True)
class Row:
    """An entry or an outcome as it is stored."""

    table: str
    values: Mapping[str, Any]

    @cached_property
    def seal(self) -> Seal:
        return Seal(self.values["position"], *(str(self.values[name]) for name in SEALED_WITH))

    @cached_property
    def content(self) -> bytes:
        """Nothing, which no seal was made of, where a value is none that we write."""
        try:
            return chain.canonical(self.table, self.values)
        except STRANGE:
            return b""

    @property
    def position(self) -> int:
        return self.seal.position

    def at_place(self, position: int) -> Row:
        """As if it stood there. What we write has its position as its key."""
        values = {**self.values, "position": position}
        if values.get("id") == self.position:
            values["id"] = position
        return Row(self.table, values)

    def follows(self, previous: Seal) -> bool:
        """Whether this row was written after `previous`, as it stands."""
        return self.seal.link == chain.link_after(previous, self.content)


def stored_rows(*, upto: int | None = None) -> Iterator[Row]:
    """All rows by position, in short queries: no cursor and no transaction stays open."""
    streams = [_stream(model, upto=upto) for model in (Entry, Outcome)]
    return merge(*streams, key=attrgetter("position"))


def _stream(model: type[models.Model], *, upto: int | None) -> Iterator[Row]:
    found: models.QuerySet[Any, Any] = models.QuerySet(model).order_by("position")
    if upto is not None:
        found = found.filter(position__lte=upto)
    chunk = _read(found[:CHUNK])
    while chunk:
        for values in chunk:
            yield Row(str(model._meta.model_name), values)
        chunk = _read(found.filter(position__gt=chunk[-1]["position"])[:CHUNK])


def _read(found: models.QuerySet[Any, Any]) -> list[dict[str, Any]]:
    """All columns of these rows; each on its own where one of them cannot be read."""
    names = [field.attname for field in found.model._meta.concrete_fields]
    try:
        return list(found.values(*names))
    except STRANGE:
        return [_readable(found.model, pk, names) for pk in found.values_list("pk", flat=True)]


def _readable(model: type[models.Model], pk: Any, names: list[str]) -> dict[str, Any]:
    row: models.QuerySet[Any, Any] = models.QuerySet(model).filter(pk=pk)
    values: dict[str, Any] = dict.fromkeys(names, UNREADABLE)
    for name in names:
        with suppress(*STRANGE):
            values[name] = row.values_list(name, flat=True).get()
    return values
