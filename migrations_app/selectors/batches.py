"""What the pages about batches need to know; how far they are is counted from their jobs."""

from __future__ import annotations

from django.core.paginator import Page
from django.shortcuts import get_object_or_404

from migrations_app.models import Batch, BatchState
from purelymanage.core.paging import page_of


def list_batches(number: str | None) -> Page[Batch]:
    """The asked page of the batches, the newest first; discarded ones are left out."""
    return page_of(Batch.objects.exclude(state=BatchState.DISCARDED), number)


def batch_of(pk: int) -> Batch:
    """The batch of an address, with its servers, or 404; a discarded one is gone."""
    batches = Batch.objects.select_related("source_server", "destination_server")
    return get_object_or_404(batches.exclude(state=BatchState.DISCARDED), pk=pk)
