"""What is wrong at the first place where the chain does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db import models
from django.utils.translation import gettext as _

from audit import chain
from audit.chain import Seal
from audit.models import HEAD, Chain, Entry
from audit.rows import Row, stored_rows


class Kind(models.TextChoices):
    """What can be wrong with a log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "end cut off"
    HEAD = "head changed"
    NO_KEY = "key missing"
    """Not wrong, but nobody can tell."""


@dataclass(frozen=True)
class Finding:
    """The first thing wrong, where, and in a sentence."""

    kind: Kind
    position: int
    sentence: str


def diagnose(row: Row, *, previous: Seal) -> Finding:
    """What is wrong at the place behind `previous`, where `row` is what was found next.

    It reads the whole log once more, which is worth it for a word that fits.
    """
    return _Diagnosis(row, previous).finding()


class _Diagnosis:
    """One look around the place where the chain broke."""

    def __init__(self, row: Row, previous: Seal) -> None:
        self.row = row
        self.previous = previous
        self.place = previous.position + 1
        self.owner: Row | None = None
        """The row that was written for this place, where it stands at another."""
        self.next: Row | None = None
        self.is_copy = False
        self.positions: set[int] = set()
        for other in stored_rows():
            self._look_at(other)

    def _look_at(self, other: Row) -> None:
        self.positions.add(other.position)
        if self.owner is None and self._belongs_here(other):
            self.owner = other
        if self.row == other:
            return
        if other.position > self.row.position and self.next is None:
            self.next = other
        self.is_copy = self.is_copy or other.seal.link == self.row.seal.link

    def _belongs_here(self, other: Row) -> bool:
        if other == self.row and other.position == self.place:
            return False
        moved = other.at_place(self.place)
        kept = Row(other.table, {**other.values, "position": self.place})
        return any(
            candidate.follows(self.previous) or self._would_be_sealed(candidate)
            for candidate in (moved, kept)
        )

    def _would_be_sealed(self, row: Row) -> bool:
        """Whether its code, if not its link, is the one for this place."""
        link = chain.link_after(self.previous, row.content)
        return chain.is_ours(Seal(self.place, link, row.seal.mac, row.seal.key_id))

    def finding(self) -> Finding:
        kind = self._kind()
        return Finding(kind, self.place, self._sentence(kind))

    def _kind(self) -> Kind:
        found = self.row.position
        if self.is_copy:
            return Kind.INSERTED
        if self.owner or found < self.place:
            return Kind.REORDERED if self._is_genuine else Kind.INSERTED
        if found > self.place:
            return Kind.REMOVED
        if self.row.seal.key_id not in chain.known_keys() or self._is_built_upon:
            return Kind.CHANGED
        if self._is_genuine:
            return Kind.REORDERED
        return Kind.CHANGED if self.next else Kind.INSERTED

    def _sentence(self, kind: Kind) -> str:
        words = {"what": self._name(), "place": self.place, "found": self.row.position}
        if kind == Kind.REMOVED:
            return self._removed()
        if kind == Kind.INSERTED:
            return _("%(what)s was inserted at position %(found)d.") % words
        if kind == Kind.CHANGED:
            return _("%(what)s was changed, at position %(place)d.") % words
        if self.owner and self.owner.position != self.place:
            words["elsewhere"] = self.owner.position
            return _("What belongs at position %(place)d stands at %(elsewhere)d.") % words
        return _("%(what)s stands at position %(found)d, not at its own.") % words

    def _removed(self) -> str:
        numbers = {"first": self.place, "last": self.row.position - 1}
        if numbers["first"] == numbers["last"]:
            return _("What stood at position %(first)d was removed.") % numbers
        return _("What stood at positions %(first)d to %(last)d was removed.") % numbers

    def _name(self) -> str:
        """What the row tells, which may be a forger's words."""
        values = self.row.values
        if self.row.table == "outcome":
            return _("The outcome of entry %(entry)s") % {"entry": values["entry_id"]}
        entry = Entry(**{name: values[name] for name in ("actor_name", "action", "target")})
        return _("The entry “%(sentence)s”") % {"sentence": entry}

    @cached_property
    def _is_genuine(self) -> bool:
        """Whether we wrote it with this link, for whatever position. Without its key: perhaps."""
        seal = self.row.seal
        if seal.key_id not in chain.known_keys():
            return True
        nearby = {near for place in self.positions for near in (place - 1, place, place + 1)}
        return any(chain.is_ours(Seal(place, seal.link, seal.mac, seal.key_id)) for place in nearby)

    @property
    def _is_built_upon(self) -> bool:
        """Whether its seal is of this place, or what follows is tied to it as it was or is."""
        stored = self.row.seal
        if chain.is_ours(stored):
            return True
        true = self._true_seals()
        if self.next:
            return any(self.next.follows(seal) for seal in (stored, *true))
        head = Chain.objects.filter(pk=HEAD).first()
        return head is not None and head.seal in true

    def _true_seals(self) -> list[Seal]:
        """The seals this row would have if we had written it here as it is."""
        link = chain.link_after(self.previous, self.row.content)
        key_id = self.row.seal.key_id
        key = chain.known_keys()[key_id]
        return [
            Seal(self.place, link, chain.mac_of(key, self.place, link, vouches=vouches), key_id)
            for vouches in (True, False)
        ]
