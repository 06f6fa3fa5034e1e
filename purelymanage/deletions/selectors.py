"""What other pages need to know about pending deletions."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.errors import MissingError
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.ui.navigation import PER_GROUP
from purelymanage.ui.tags.atoms import shown

LONGEST_PK = 19
"""Digits from which on a number is none of the database's."""


def pending_deletions(kind: DeletionKind, keys: Collection[str]) -> dict[str, PendingDeletion]:
    """The pending deletions among these resources, by key. One query."""
    rows = PendingDeletion.objects.pending().filter(kind=kind, key__in=keys).defer("dossier")
    return {row.key: row for row in rows}


def pending_deletion(kind: DeletionKind, key: str) -> PendingDeletion | None:
    """The pending deletion of one resource."""
    return pending_deletions(kind, [key]).get(key)


def pending_words(number: int) -> str:
    """What is counted beside the link to the page that shows them."""
    return ngettext("pending deletion", "pending deletions", number)


def find_deletions(text: str) -> list[tuple[str, str, str]]:
    """The first few that are pending and whose label contains `text`, for the command palette."""
    found = PendingDeletion.objects.pending().search(text).defer("dossier")[:PER_GROUP]
    return [
        (shown(row.label), reverse("deletions:detail", args=[row.pk]), row.get_kind_display())
        for row in found
    ]


def ended_deletion(kind: DeletionKind, pk: str) -> PendingDeletion:
    """The one whose dossier fills in a form, by the number in the form's address."""
    is_number = pk.isascii() and pk.isdecimal() and len(pk) < LONGEST_PK
    rows = PendingDeletion.objects.ended().filter(kind=kind)
    if is_number and (found := rows.filter(pk=int(pk)).first()):
        return found
    raise MissingError(_("There is no such dossier. Look for it in the history of deletions."))
