"""What both databases can gather from many rows, and Django has no name for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Aggregate, CharField, Count, JSONField, QuerySet, Value


class AllValues(Aggregate):
    """The values of all rows in one list, in no order; None where there is no row."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, *args: Any, **options: Any) -> Any:
        return self.as_sql(*args, function="JSON_GROUP_ARRAY", **options)


def count_each(wanted: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each of these has, by name, in one query."""
    counts = [
        rows.order_by()
        .annotate(of=Value(name, CharField()))
        .values("of")
        .annotate(number=Count("pk"))
        .values_list("of", "number")
        for name, rows in wanted.items()
    ]
    return dict(counts[0].union(*counts[1:], all=True)) if counts else {}
