"""What other pages need to know about pending deletions."""

from __future__ import annotations

from collections.abc import Collection

from purelymanage.deletions.models import DeletionKind, PendingDeletion


def pending_deletions(kind: DeletionKind, keys: Collection[str]) -> dict[str, PendingDeletion]:
    """The pending deletions among these resources, by key. One query."""
    rows = PendingDeletion.objects.pending().filter(kind=kind, key__in=keys).defer("dossier")
    return {row.key: row for row in rows}


def pending_deletion(kind: DeletionKind, key: str) -> PendingDeletion | None:
    """The pending deletion of one resource."""
    return pending_deletions(kind, [key]).get(key)
