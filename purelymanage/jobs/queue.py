"""Put work into the queue of a cluster, once the surrounding transaction has committed."""

from __future__ import annotations

from functools import partial
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

Cluster = Literal["app", "sync"]


def enqueue(task: str, *args: object, cluster: Cluster = "app") -> None:
    """Have `task` (a dotted name) called by a worker of `cluster`.

    The message may arrive twice, or be lost with a database restore: pass ids, and let the task
    claim its row.
    """
    transaction.on_commit(partial(_send, task, *args, cluster=cluster))


def waiting(cluster: Cluster) -> int:
    """How many messages no cluster has taken yet."""
    count: int = OrmQ.objects.filter(key=cluster, lock__lte=timezone.now()).count()
    return count


def _send(task: str, *args: object, cluster: Cluster) -> None:
    async_task(task, *args, q_options={"cluster": cluster})
