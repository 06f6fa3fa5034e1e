"""Worker hosts: which of them take work."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from audit.actions import Action
from audit.services import audited, record
from migrations_app.queueing import dispatch
from purelymanage.core.context import SYSTEM, acting_as, current_actor
from purelymanage.core.locks import lock_transaction
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.health import LATE_SECONDS
from purelymanage.jobs.models import WorkerHost

MAX_REASON = 500


def drain(*, host: WorkerHost) -> None:
    """Let a host take no more jobs; it gives back what it runs, and others go on with it.

    It lasts until somebody resumes the host, or until it is started again.
    """
    with audited(Action.WORKER_DRAINED, target=host):
        drains = WorkerHost.objects.filter(pk=host.pk, drained_at=None)
        drains.update(drained_at=Now(), drained_by=current_actor().name[:254])


def withdraw(name: str, *, why: str) -> bool:
    """Let a host that cannot run any job take no more, and say `why`, a whole sentence.

    False where it is the last that takes work, so that nobody would do it in its place.
    """
    late = seconds_from_now(-LATE_SECONDS)
    with transaction.atomic():
        lock_transaction("workers.withdraw")
        host = WorkerHost.objects.filter(name=name).first()
        others = WorkerHost.objects.filter(seen_at__gt=late).exclude(dispatch.DRAINS)
        if host is None or not others.exclude(pk=host.pk).exists():
            return False
        drains = WorkerHost.objects.filter(pk=host.pk, drained_at=None)
        if drains.update(drained_at=Now(), drained_because=why[:MAX_REASON]):
            with acting_as(SYSTEM):
                record(Action.WORKER_DRAINED, target=host, after={"because": why})
    return True


def resume(*, host: WorkerHost) -> None:
    """Let a drained host take jobs again."""
    with audited(Action.WORKER_RESUMED, target=host):
        WorkerHost.objects.filter(pk=host.pk).update(
            drained_at=None, drained_by="", drained_because=""
        )
        dispatch.kick()
