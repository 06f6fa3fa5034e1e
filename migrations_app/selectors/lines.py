"""What the page of a preview needs to know: the lines of a batch's file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.paginator import Page
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from migrations_app.models import Batch, BatchLine, LineState
from purelymanage.core.paging import page_of
from purelymanage.ui.states import Look

LOOKS = {
    LineState.GOOD: Look("ok", "circle-check", _("Good")),
    LineState.BAD: Look("bad", "circle-x", _("Not usable")),
    LineState.IMPORTED: Look("ok", "circle-check", _("Imported")),
}
PASSWORDS = ("source_password", "destination_password")


@dataclass(frozen=True)
class LineNumbers:
    """How many lines of a file stand where."""

    good: int
    bad: int
    imported: int

    @property
    def total(self) -> int:
        return self.good + self.bad + self.imported

    @property
    def to_import(self) -> int:
        """What an import has to do, from its start."""
        return self.good + self.imported


def line_numbers(batch: Batch) -> LineNumbers:
    """One query."""
    rows = batch.lines.order_by().values_list("state").annotate(number=Count("pk"))
    numbers = dict(rows)
    return LineNumbers(**{state.value: numbers.get(state, 0) for state in LineState})


def lines_page(batch: Batch, *, state: str, page: str | None) -> Page[BatchLine]:
    """One page of the lines, in the order of the file; all of them for an unknown `state`."""
    lines = batch.lines.defer(*PASSWORDS)
    if state in LineState.values:
        lines = lines.filter(state=state)
    found = page_of(lines, page)
    for line in found:
        line.look = LOOKS[LineState(line.state)]
    return found


def line_report(batch: Batch, *, state: str) -> Iterator[tuple[object, ...]]:
    """Every line, or those of one state, and what there is to say about it; no password."""
    lines = batch.lines.defer(*PASSWORDS)
    if state in LineState.values:
        lines = lines.filter(state=state)
    for line in lines.iterator(chunk_size=500):
        word = LOOKS[LineState(line.state)].word
        words = " ".join(filter(None, (line.problem, line.note)))
        yield line.line, line.source_address, line.destination_address, word, words
