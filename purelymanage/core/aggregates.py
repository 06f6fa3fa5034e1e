"""What both databases can gather from many rows, and Django has no name for."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, JSONField


class AllValues(Aggregate):
    """The values of all rows in one list, in no order; None where there is no row."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, *args: Any, **options: Any) -> Any:
        return self.as_sql(*args, function="JSON_GROUP_ARRAY", **options)
