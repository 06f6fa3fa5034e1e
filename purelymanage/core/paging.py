"""Server-side paging: 50 rows a page, and numbers that survive nonsense in the URL.

A page of the second half is read from the end, so that the last page costs what the first does.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

PAGE_SIZE = 50


class BothEnds(Paginator):  # type: ignore[type-arg]  # generic in its stubs alone
    """Skips as few rows as it can. The rows need an order without ties."""

    object_list: QuerySet[Any]

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        stop = min(start + self.per_page, self.count)
        if start <= self.count // 2:
            rows = list(self.object_list[start:stop])
        else:
            rows = list(self.object_list.reverse()[self.count - stop : self.count - start])[::-1]
        return Page(rows, number, self)


def page_of(
    rows: QuerySet[Any], number: str | None, *, size: int = PAGE_SIZE, count: int | None = None
) -> Page[Any]:
    """The asked page, or the nearest one that exists. One query, and one for an unknown `count`."""
    paginator = BothEnds(rows, size)
    if count is not None:
        paginator.count = count
    return paginator.get_page(number)
