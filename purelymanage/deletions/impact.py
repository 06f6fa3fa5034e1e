"""What hangs on a resource, for the question before its deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from purelymanage.deletions.models import DeletionKind

SHOWN = 10


@dataclass(frozen=True)
class Group:
    """Dependants of one sort: `Group.of(_("2 rules deliver here"), names, icon="split")`."""

    heading: str
    items: Sequence[str]
    """The first ten at most."""
    total: int
    icon: str = ""

    @classmethod
    def of(
        cls, heading: str, names: Sequence[str], *, total: int | None = None, icon: str = ""
    ) -> Group:
        """From all names, or from the first few and their `total`."""
        return cls(heading, names[:SHOWN], len(names) if total is None else total, icon)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.items)


@dataclass(frozen=True)
class Impact:
    """All that hangs on a resource; groups without a dependant are left out."""

    groups: Sequence[Group] = ()
    warnings: Sequence[str] = ()

    @property
    def shown(self) -> list[Group]:
        return [group for group in self.groups if group.total]


QUESTIONS: dict[DeletionKind, Promise] = {
    DeletionKind.MAILBOX: _("Delete the mailbox %(label)s?"),
    DeletionKind.DOMAIN: _("Delete the domain %(label)s?"),
    DeletionKind.RULE: _("Delete the routing rule %(label)s?"),
}
CONSEQUENCES: dict[DeletionKind, Promise] = {
    DeletionKind.MAILBOX: _("PurelyMail removes it with all its mail. Nobody can bring that back."),
    DeletionKind.DOMAIN: _(
        "PurelyMail removes it with all its mailboxes and their mail. Nobody can bring that back."
    ),
    DeletionKind.RULE: _("Mail for it is no longer passed on to its targets."),
}
