"""The list of deletions: what it is narrowed by, and a page of it with all that it shows."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from purelymanage.core.addresses import CONTROL, MAX_ADDRESS
from purelymanage.core.paging import page_of
from purelymanage.deletions.models import (
    DeletionKind,
    DeletionState,
    PendingDeletion,
    PendingDeletionQuerySet,
)
from purelymanage.deletions.registry import urls_of
from purelymanage.ui.states import Look
from purelymanage.ui.tags.atoms import shown
from purelymanage.ui.tags.words import duration

HISTORY = "history"
LOOKS = {
    DeletionState.EXECUTED: Look("ok", "circle-check", gettext_lazy("Deleted")),
    DeletionState.CANCELLED: Look("idle", "ban", gettext_lazy("Cancelled")),
    DeletionState.FAILED: Look("bad", "circle-x", gettext_lazy("Failed")),
}
WAITING = Look("warn", "clock", gettext_lazy("Waiting"))
WORKING = Look("info", "loader", gettext_lazy("Being deleted now"))
DUE = Look("info", "clock", gettext_lazy("Due now"))
FAILING = Look("bad", "triangle-alert", gettext_lazy("Did not work yet"))
PEOPLE = 100


@dataclass(frozen=True)
class Wanted:
    """Tab, search, kind, state, person and page; whatever makes no sense in a URL is left out."""

    path: str
    is_history: bool = False
    search: str = ""
    kind: str = ""
    state: str = ""
    who: str = ""
    page: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Wanted:
        """What the request's query asks for."""

        def given(name: str) -> str:
            return CONTROL.sub("", request.GET.get(name, "")).strip()[:MAX_ADDRESS]

        is_history = given("tab") == HISTORY
        kind, state = given("kind"), given("state")
        return cls(
            path=request.path,
            is_history=is_history,
            search=given("q"),
            kind=kind if kind in DeletionKind else "",
            state=state if is_history and state in LOOKS else "",
            who=given("who"),
            page=given("page"),
        )

    @property
    def is_set(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.search or self.kind or self.state or self.who)

    @property
    def cleared(self) -> str:
        """The same tab with everything in it."""
        return self._url({})

    @property
    def query(self) -> str:
        """What narrows the list, as a query that begins with `?`; empty where nothing does."""
        return self._url(self._narrowing).removeprefix(self.path)

    @property
    def url(self) -> str:
        """This list, and nothing in the query that is not needed."""
        page = {} if self.page in ("", "1") else {"page": self.page}
        return self._url(self._narrowing | page)

    @property
    def _narrowing(self) -> dict[str, str]:
        return {"q": self.search, "kind": self.kind, "state": self.state, "who": self.who}

    def _url(self, parts: Mapping[str, str]) -> str:
        tab = {"tab": HISTORY} if self.is_history else {}
        given = tab | {name: value for name, value in parts.items() if value}
        return f"{self.path}?{urlencode(given)}" if given else self.path


def matching(wanted: Wanted) -> PendingDeletionQuerySet:
    """All that the filter matches, on whatever page: the soonest, or the latest end, first."""
    rows = PendingDeletion.objects.all()
    if wanted.is_history:
        ended = rows.filter(state=wanted.state) if wanted.state else rows.ended()
        rows = ended.order_by("-ended_at", "-pk")
    else:
        rows = rows.pending()
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.who:
        rows = rows.filter(requested_by_name=wanted.who)
    return rows.search(wanted.search)


def chosen(request: HttpRequest) -> PendingDeletionQuerySet:
    """What is ticked in the list, or all that the filter in the query matches."""
    if request.POST.get("everything"):
        return matching(Wanted.of(request)).pending()
    ticked = request.POST.getlist("selected")
    pks = [int(pk) for pk in ticked if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    return PendingDeletion.objects.filter(pk__in=pks)


@dataclass(frozen=True)
class Line:
    """One deletion as the list shows it."""

    deletion: PendingDeletion
    now: datetime
    url: str = ""
    """The page of the resource, while it is there."""

    @property
    def facts(self) -> dict[str, object]:
        """What a row is stamped with: words, and what is true or false of it."""
        deletion = self.deletion
        return {
            "label": shown(deletion.label),
            "page": self.url,
            "has_page": bool(self.url),
            "is_mailbox": deletion.kind == DeletionKind.MAILBOX,
            "is_domain": deletion.kind == DeletionKind.DOMAIN,
            "is_executed": deletion.state == DeletionState.EXECUTED,
            "is_cancelled": self.is_cancelled,
            "who": deletion.requested_by_name,
            "by": self.ended_by,
            "has_by": bool(self.ended_by),
            "note": deletion.note,
            "has_note": bool(deletion.note),
        }

    @property
    def is_cancelled(self) -> bool:
        return self.deletion.state == DeletionState.CANCELLED

    @property
    def ended_by(self) -> str:
        """Who cancelled it; what ends by itself is nobody's act."""
        return self.deletion.ended_by_name if self.is_cancelled else ""

    @property
    def look(self) -> Look:
        """How it stands, or how it ended."""
        if not self.deletion.is_pending:
            return LOOKS[DeletionState(self.deletion.state)]
        if self.is_working:
            return WORKING
        if self.deletion.tries:
            return FAILING
        return WAITING if self.deletion.due_at > self.now else DUE

    @property
    def is_working(self) -> bool:
        """Whether a worker holds it just now."""
        lease = self.deletion.lease_until
        return self.deletion.is_pending and lease is not None and lease > self.now

    @property
    def is_failing(self) -> bool:
        """Whether it was tried and goes on being tried."""
        return self.deletion.is_pending and bool(self.deletion.tries) and not self.is_working

    @property
    def left(self) -> str:
        """`23 h 12 min`, `under a minute`; empty once it is due."""
        seconds = (self.deletion.due_at - self.now).total_seconds()
        if seconds <= 0:
            return ""
        return duration(seconds // 60 * 60) if seconds >= 60 else _("under a minute")

    @property
    def may_be_gone(self) -> bool:
        """Whether PurelyMail was told to delete it, though nobody knows what came of it."""
        return self.deletion.called_at is not None

    @property
    def is_lost(self) -> bool:
        """Whether there may be something to make again."""
        if self.deletion.is_pending:
            return False
        return not self.is_cancelled or self.may_be_gone


class Asker(NamedTuple):
    """A person, by the name they had then, and how many deletions they asked for."""

    person_id: int | None
    name: str
    number: int


@dataclass(frozen=True)
class Listing:
    """One page of what the filter matches."""

    page: Page[Any]
    lines: list[Line]
    counts: Mapping[str, int]
    """How many there are in each state."""
    people: list[Asker]
    """Who asked for the deletions of this tab, those with most first."""
    is_history: bool

    @property
    def pending(self) -> int:
        return self.counts.get(DeletionState.PENDING, 0)

    @property
    def ended(self) -> int:
        return sum(self.counts.values()) - self.pending

    @property
    def total(self) -> int:
        """How many the tab has without a filter."""
        return self.ended if self.is_history else self.pending

    @property
    def token(self) -> str:
        """What the rows depend on but the time: while it is the same, only that moves on."""
        rows = [(line.deletion.pk, line.look.icon, line.deletion.tries) for line in self.lines]
        return f"{zlib.crc32(repr((rows, self.page.paginator.count)).encode()):x}"


def listing(wanted: Wanted) -> Listing:
    """A handful of queries, however many deletions there are."""
    counts = PendingDeletion.objects.order_by().values_list("state").annotate(Count("pk"))
    page = page_of(matching(wanted).defer("dossier"), wanted.page)
    whole_tab = matching(Wanted(wanted.path, is_history=wanted.is_history)).order_by()
    people = whole_tab.values_list("requested_by_id", "requested_by_name")
    return Listing(
        page=page,
        lines=lines_of(page),
        counts=dict(counts),
        people=[Asker(*row) for row in people.annotate(n=Count("pk")).order_by("-n")[:PEOPLE]],
        is_history=wanted.is_history,
    )


def lines_of(deletions: Iterable[PendingDeletion]) -> list[Line]:
    """With the pages of those resources that are there: one query for each kind."""
    rows, now = list(deletions), timezone.now()
    keys: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.state != DeletionState.EXECUTED:
            keys[row.kind].append(row.key)
    urls = {kind: urls_of(DeletionKind(kind), of_kind) for kind, of_kind in keys.items()}
    return [Line(row, now, urls.get(row.kind, {}).get(row.key, "")) for row in rows]
