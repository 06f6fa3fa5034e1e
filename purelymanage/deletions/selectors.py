"""What other pages need to know about pending deletions."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import ngettext

from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.ui.navigation import Count


def pending_deletions(kind: DeletionKind, keys: Collection[str]) -> dict[str, PendingDeletion]:
    """The pending deletions among these resources, by key. One query."""
    rows = PendingDeletion.objects.pending().filter(kind=kind, key__in=keys).defer("dossier")
    return {row.key: row for row in rows}


def pending_deletion(kind: DeletionKind, key: str) -> PendingDeletion | None:
    """The pending deletion of one resource."""
    return pending_deletions(kind, [key]).get(key)


def pending_count() -> Count | None:
    """How many wait, beside the link to the page that shows them."""
    number = PendingDeletion.objects.pending().count()
    if not number:
        return None
    return number, "", ngettext("pending deletion", "pending deletions", number)
