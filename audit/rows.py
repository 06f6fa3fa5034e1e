"""The stored rows of the log, one after the other, as they were found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from operator import attrgetter
from typing import Any

from django.db import models

from audit import chain
from audit.chain import Seal
from audit.models import Entry, Outcome

CHUNK = 2000


@dataclass(frozen=True)
class Row:
    """An entry or an outcome as it is stored."""

    table: str
    values: Mapping[str, Any]

    @cached_property
    def seal(self) -> Seal:
        return Seal(*(self.values[name] for name in ("position", "link", "mac", "key_id")))

    @cached_property
    def content(self) -> bytes:
        return chain.canonical(self.table, self.values)

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
    names = [field.attname for field in model._meta.concrete_fields]
    found: models.QuerySet[Any, Any] = models.QuerySet(model).order_by("position")
    if upto is not None:
        found = found.filter(position__lte=upto)
    chunk = list(found.values(*names)[:CHUNK])
    while chunk:
        for values in chunk:
            yield Row(str(model._meta.model_name), values)
        chunk = list(found.filter(position__gt=chunk[-1]["position"]).values(*names)[:CHUNK])
