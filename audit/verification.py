"""Walks the whole chain and says whether it is as it was written; if not, what is wrong first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import chain
from audit.actions import Action
from audit.chain import Seal
from audit.findings import Finding, Kind, diagnose
from audit.models import HEAD, LAST, Chain, Cut, Entry, Outcome, Verification
from audit.rows import Row, stored_rows

Verdict = Verification.Verdict


@dataclass(frozen=True)
class LastGood:
    """The newest row up to which everything is as it was written."""

    position: int
    at: datetime
    sentence: str


@dataclass(frozen=True)
class Report:
    """How a verification ended. `head` is that of the last good row, as `position:mac`."""

    entries: int
    head: str
    link: str
    last_good: LastGood | None
    finding: Finding | None

    @property
    def verdict(self) -> Verdict:
        if self.finding is None:
            return Verdict.GOOD
        return Verdict.UNKNOWN if self.finding.kind == Kind.NO_KEY else Verdict.TAMPERED

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"verdict": self.verdict.value, **asdict(self)}


@dataclass(frozen=True)
class Anchor:
    """A head as it was once, kept somewhere else: a position with its `mac` (or its `link`)."""

    position: int
    digest: str


def verify(anchors: list[Anchor] | None = None) -> Report:
    """Check the whole log, and that it still holds what stood at each of `anchors`.

    A cut may take rows away while we read; what then looks wrong is looked at again.
    """
    while True:
        cut = Cut.objects.order_by("-position").first()
        report = _Walk(cut, anchors or []).report()
        if report.finding is None or cut == Cut.objects.order_by("-position").first():
            return report


class _Walk:
    """One pass over the log."""

    def __init__(self, cut: Cut | None, anchors: list[Anchor]) -> None:
        self.cut = cut
        self.anchors: dict[int, set[str]] = {}
        for anchor in anchors:
            self.anchors.setdefault(anchor.position, set()).add(anchor.digest)
        self.entries = 0
        self.previous = cut.last_removed if cut else chain.START
        self.rows = 0
        self.good: Row | None = None
        self.unsure: Seal | None = None
        """The first row that neither its own key nor a later row vouches for, so far."""
        self.abandoned: Seal | None = None
        """The same, where a later row has refused to."""
        self.is_cut_sealed = cut is None or _is_sealed(cut)

    def report(self) -> Report:
        finding = self._walk()
        seal = self.good.seal if self.good else chain.START
        return Report(
            entries=self.entries,
            head=f"{seal.position}:{seal.mac}",
            link=seal.link,
            last_good=_last_good(self.good) if self.good else None,
            finding=finding,
        )

    def _walk(self) -> Finding | None:
        """The order of the first three lines is what makes it right beside writers: what they add
        meanwhile is above the head we read, and their head never is below the rows we found."""
        newest = Chain.objects.newest()
        head = Chain.objects.filter(pk=HEAD).first()
        upto = max(newest.position, head.position if head else 0)
        if self.cut and not self.is_cut_sealed and self.cut.key_id in chain.known_keys():
            return _forged_cut(self.cut)
        for row in stored_rows(upto=upto):
            finding = self._wrong_with(row) or self._wrong_with_anchor(row)
            if finding:
                return finding
        return (
            self._in_taken_places(upto)
            or self._wrong_with_head(head.seal if head else None)
            or self._missing_anchor()
            or self._without_key()
        )

    def _wrong_with(self, row: Row) -> Finding | None:
        seal = row.seal
        key = chain.known_keys().get(seal.key_id)
        vouches = key and seal.mac == chain.mac_of(key, seal.position, seal.link, vouches=True)
        if (
            seal.position != self.previous.position + 1
            or not row.follows(self.previous)
            or (key and not vouches and not chain.is_ours(seal))
        ):
            return diagnose(row, previous=self.previous)
        if key is None:
            self.unsure = self.unsure or seal
        else:
            if not vouches:
                self.abandoned = self.abandoned or self.unsure
            self.unsure = None
        self._count(row)
        return None

    def _count(self, row: Row) -> None:
        self.previous = row.seal
        self.rows += 1
        self.entries += row.table == "entry"
        if self.unsure is None and self.abandoned is None:
            self.good = row
        if self.cut and not self.is_cut_sealed and row.values.get("action") == Action.AUDIT_CUT:
            noted = row.values["after"]
            self.is_cut_sealed = isinstance(noted, dict) and noted.get("link") == self.cut.link

    def _wrong_with_anchor(self, row: Row) -> Finding | None:
        if self.anchors.pop(row.position, set()) <= {row.seal.mac, row.seal.link}:
            return None
        return Finding(
            Kind.CUT_OFF,
            row.position,
            _(
                "The row at position %(position)d is not the one that stood there before: "
                "the end of the log was cut off and written anew."
            )
            % {"position": row.position},
        )

    def _in_taken_places(self, upto: int) -> Finding | None:
        """Reading by position passes over rows without one, or with one that is taken."""
        rows = _rows_without(Entry, beyond=upto) + _rows_without(Outcome, beyond=upto)
        if rows == self.rows:
            return None
        return Finding(
            Kind.INSERTED,
            self.previous.position,
            ngettext(
                "%(rows)d row stands in the log without a place of its own: it was inserted.",
                "%(rows)d rows stand in the log without a place of their own: they were inserted.",
                rows - self.rows,
            )
            % {"rows": rows - self.rows},
        )

    def _missing_anchor(self) -> Finding | None:
        for position in sorted(self.anchors):
            if position > self.previous.position:
                return _cut_off(self.previous.position, position)
        return None

    def _wrong_with_head(self, head: Seal | None) -> Finding | None:
        last = self.previous
        if head == last:
            return None
        may_be_ours = head and (chain.is_ours(head) or head.key_id not in chain.known_keys())
        if head and may_be_ours and head.position > last.position and head.link != last.link:
            return _cut_off(last.position, head.position)
        return Finding(
            Kind.HEAD,
            last.position,
            _(
                "The head of the log is not that of its newest row, at position %(position)d: "
                "the head was changed."
            )
            % {"position": last.position}
            if head
            else _("The head of the log is missing; its newest row is at position %(position)d.")
            % {"position": last.position},
        )

    def _without_key(self) -> Finding | None:
        seal = self.abandoned or self.unsure
        if seal:
            return Finding(
                Kind.NO_KEY,
                seal.position,
                _(
                    "From position %(position)d on rows are sealed with the key %(key)s, which is "
                    "not among AUDIT_KEYS and ENCRYPTION_KEYS, and no later row vouches for them."
                )
                % {"position": seal.position, "key": seal.key_id},
            )
        if self.cut and not self.is_cut_sealed:
            return Finding(
                Kind.NO_KEY,
                self.cut.position,
                _(
                    "Rows up to position %(position)d were cut off under the key %(key)s, which "
                    "is not among AUDIT_KEYS and ENCRYPTION_KEYS."
                )
                % {"position": self.cut.position, "key": self.cut.key_id},
            )
        return None


def _rows_without(model: type[Model], *, beyond: int) -> int:
    """How many there are, those beyond a position left out. On SQLite a position may be a text,
    which is beyond all numbers and never read."""
    numbers = QuerySet(model).aggregate(
        all=Count("*"), later=Count("pk", filter=Q(position__gt=beyond, position__lte=LAST))
    )
    return int(numbers["all"]) - int(numbers["later"])


def _is_sealed(cut: Cut) -> bool:
    return cut.mac == chain.code_of_note(cut.key_id, cut.facts)


def _forged_cut(cut: Cut) -> Finding:
    return Finding(
        Kind.CHANGED,
        cut.position,
        _("The note of a cut of old entries, up to position %(position)d, was changed or forged.")
        % {"position": cut.position},
    )


def _cut_off(last: int, once: int) -> Finding:
    return Finding(
        Kind.CUT_OFF,
        once,
        _(
            "The end of the log was cut off: the last row is at position %(last)d, "
            "and there was one at position %(once)d."
        )
        % {"last": last, "once": once},
    )


def _last_good(row: Row) -> LastGood:
    pk = row.values["id"] if row.table == "entry" else row.values["entry_id"]
    entry = Entry.objects.get(pk=pk)
    sentence = str(entry)
    if row.table == "outcome":
        sentence = f"{sentence}: {Outcome.Result(row.values['result']).label}"
    return LastGood(row.position, row.values["at"], sentence)
