"""What tests of the deletions' pages share: their addresses, and rows without anything behind."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.deletions.models import DeletionKind, PendingDeletion

LIST, HISTORY = "/deletions/", "/deletions/?tab=history"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/deletions/"}
DAY = timedelta(hours=24)


def page(response):
    return " ".join(response.content.decode().split())


def pending(label, *, kind=DeletionKind.MAILBOX, due_in=DAY, **facts):
    return PendingDeletion.objects.create(
        kind=kind,
        key=facts.pop("key", label),
        label=label,
        requested_by_name=facts.pop("who", "Adam"),
        due_at=timezone.now() + due_in,
        **facts,
    )


def ended(label, state, *, ago=timedelta(hours=1), **facts):
    return pending(label, state=state, ended_at=timezone.now() - ago, **facts)


def detail(deletion):
    return f"/deletions/{deletion.pk}/"
