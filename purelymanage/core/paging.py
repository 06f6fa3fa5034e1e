"""Server-side paging: 50 rows a page, and numbers that survive nonsense in the URL.

A page of the second half is read from the end, so that the last page costs what the first does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

PAGE_SIZE = 50
CAP = 10_000


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


@dataclass(frozen=True)
class CappedPage:
    """A page of rows that may be too many to count, and whether more match than are paged."""

    page: Page[Any]
    is_capped: bool


def capped_page_of(rows: QuerySet[Any], number: str | None) -> CappedPage:
    """The asked page of the first 10,000 rows, or the nearest one that exists. Two queries.

    Neither the number of rows nor a high page costs more than the keys of these rows. A search
    that finds little goes through the table once, where counting first would do so twice.
    """
    keys = list(rows.values_list("pk", flat=True)[: CAP + 1])
    page = Paginator(keys[:CAP], PAGE_SIZE).get_page(number)
    page.object_list = list(rows.filter(pk__in=list(page.object_list)))
    return CappedPage(page, is_capped=len(keys) > CAP)
