"""What the About page tells of the local copy."""

from __future__ import annotations

from django.db.models import Min
from django.utils.translation import gettext as _

from accounts.about import Fact
from domains.models import Kind, SyncState


def last_sync() -> Fact:
    """When the part of the copy that is oldest was read, and what goes wrong since.

    The ownership code does not count: it does not change, and is read once a night.
    """
    changing = SyncState.objects.exclude(pk=Kind.OWNERSHIP)
    oldest = changing.aggregate(at=Min("synced_at"))["at"]
    failing = SyncState.objects.exclude(error="").order_by("pk").first()
    note = f"{failing}: {failing.error}" if failing else ""
    if oldest is None:
        return Fact(_("Never"), tone="bad" if failing else "", note=note)
    return Fact(at=oldest, note=note)
