"""What a database knows of its tables when it plans a query."""

from __future__ import annotations

from django.db import connection
from django.db.models import Model


def plan_anew(model: type[Model]) -> None:
    """Have PostgreSQL look at a table that many rows were just added to.

    Until it does by itself, a minute later at most, it plans as if the table were as before: one
    that was empty is walked through for each row that is joined with it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
