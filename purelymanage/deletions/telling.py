"""A dossier in human words, as the app that took it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from purelymanage.core.roles import Role, has_role

SHOWN = 20


@dataclass(frozen=True)
class Section:
    """One part of a dossier: facts with their values, names under each other, or that there are
    none."""

    heading: str
    pairs: Sequence[tuple[str, str]] = ()
    items: Sequence[str] = ()
    icon: str = ""
    none: str = ""
    """Said where there is neither a pair nor an item."""
    is_private: bool = False
    """Whether it is about somebody's own life, and so for admins alone."""

    @property
    def is_filled(self) -> bool:
        return bool(self.pairs or self.items)

    @property
    def first(self) -> Sequence[str]:
        """What is shown at once."""
        return self.items[:SHOWN]

    @property
    def rest(self) -> Sequence[str]:
        """What is unfolded."""
        return self.items[SHOWN:]

    def seen_by(self, user: Any) -> Section:
        """As this person may read it."""
        if not self.is_private or has_role(user, Role.ADMIN):
            return self
        return Section(self.heading, none=_("Only admins see this part."))


def yes_or_no(value: object) -> str:
    """`yes`, `no`; `not known` for anything that is neither true nor false."""
    if value is True:
        return _("yes")
    return _("no") if value is False else _("not known")
