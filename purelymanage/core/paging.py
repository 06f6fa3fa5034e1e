"""Server-side paging: 50 rows a page, and numbers that survive nonsense in the URL."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

PAGE_SIZE = 50


def page_of(
    rows: QuerySet[Any], number: str | None, *, size: int = PAGE_SIZE, count: int | None = None
) -> Page[Any]:
    """The asked page, or the nearest one that exists. One query, and one for an unknown `count`."""
    paginator = Paginator(rows, size)
    if count is not None:
        paginator.count = count
    return paginator.get_page(number)
