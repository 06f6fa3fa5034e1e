"""The doors by which workers come in."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.registry import deletable


def complete_dossier(pk: int) -> None:
    """Add what only PurelyMail knows, once."""
    rows = PendingDeletion.objects.pending().filter(pk=pk, dossier_read_at=None)
    deletion = rows.first()
    if deletion is None:
        return
    there = deletable(DeletionKind(deletion.kind)).facts_there
    facts = there(deletion.key) if there else {}
    rows.update(dossier=deletion.dossier | facts, dossier_read_at=timezone.now())
