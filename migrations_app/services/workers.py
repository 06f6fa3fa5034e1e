"""Worker hosts: which of them take work."""

from __future__ import annotations

from django.db.models.functions import Now

from audit.actions import Action
from audit.services import audited
from migrations_app.queueing import dispatch
from purelymanage.core.context import current_actor
from purelymanage.jobs.models import WorkerHost


def drain(*, host: WorkerHost) -> None:
    """Let a host take no more jobs; it gives back what it runs, and others go on with it.

    It lasts until somebody resumes the host, or until it is started again.
    """
    with audited(Action.WORKER_DRAINED, target=host):
        drains = WorkerHost.objects.filter(pk=host.pk, drained_at=None)
        drains.update(drained_at=Now(), drained_by=current_actor().name[:254])


def resume(*, host: WorkerHost) -> None:
    """Let a drained host take jobs again."""
    with audited(Action.WORKER_RESUMED, target=host):
        WorkerHost.objects.filter(pk=host.pk).update(drained_at=None, drained_by="")
        dispatch.kick()
