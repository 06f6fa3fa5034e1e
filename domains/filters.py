"""What a list is filtered and sorted by, as its URL says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.http import HttpRequest

from purelymanage.core.addresses import CONTROL, MAX_ADDRESS


@dataclass(frozen=True)
class ListFilter:
    """Search, domain, state, order and page; whatever makes no sense in a URL is left out."""

    path: str
    search: str
    domain: str
    order: str
    page: str
    default_order: str
    state: str = ""

    @classmethod
    def of(
        cls, request: HttpRequest, *, orders: Sequence[str], states: Sequence[str] = ()
    ) -> ListFilter:
        """The filter in the request's query; the first of `orders` is the default."""

        def given(name: str) -> str:
            return CONTROL.sub("", request.GET.get(name, "")).strip()[:MAX_ADDRESS]

        order = given("sort")
        return cls(
            path=request.path,
            search=given("q"),
            domain=given("domain").lower(),
            order=order if order.removeprefix("-") in orders else orders[0],
            page=given("page"),
            default_order=orders[0],
            state=state if (state := given("state")) in states else "",
        )

    @property
    def is_set(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.search or self.domain or self.state)

    @property
    def query(self) -> str:
        """What narrows the list, as a query that begins with `?`; empty where nothing does."""
        return _query(self._narrowing())

    @property
    def url(self) -> str:
        """The list with this filter, and nothing in the query that is not needed."""
        query = self._narrowing()
        if self.order != self.default_order:
            query["sort"] = self.order
        if self.page not in ("", "1"):
            query["page"] = self.page
        return self.path + _query(query)

    def _narrowing(self) -> dict[str, str]:
        return {"q": self.search, "domain": self.domain, "state": self.state}

    def order_by(self, columns: Mapping[str, Sequence[str]]) -> list[str]:
        """The fields of the chosen column; its direction is that of the first of them."""
        first, *others = columns[self.order.removeprefix("-")]
        return [f"-{first}" if self.order.startswith("-") else first, *others]


def _query(parts: Mapping[str, str]) -> str:
    given = {name: value for name, value in parts.items() if value}
    return f"?{urlencode(given)}" if given else ""


@dataclass(frozen=True)
class Listing:
    """One page of what a filter matches, and how many rows there are without it."""

    page: Page[Any]
    total: int
    searched: int
    """How many rows the search went through: those of the chosen domain."""
    domains: Sequence[str] | None = None
    """The domains to filter by; None where a list has no such filter."""

    @classmethod
    def of(cls, page: Page[Any], per_domain: Mapping[str, int], wanted: ListFilter) -> Listing:
        """The listing of what hangs on domains, from the number of rows on each."""
        total = sum(per_domain.values())
        searched = per_domain.get(wanted.domain, 0) if wanted.domain else total
        return cls(page=page, total=total, searched=searched, domains=list(per_domain))


def number_matching(per_domain: Mapping[str, int], wanted: ListFilter) -> int | None:
    """How many rows match, where the number of rows on each domain tells; None: count them."""
    if wanted.search or wanted.state:
        return None
    return per_domain.get(wanted.domain, 0) if wanted.domain else sum(per_domain.values())
