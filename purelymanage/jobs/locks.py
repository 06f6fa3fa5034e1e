"""Locks that only one task on all hosts holds, and that a dead holder loses by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models.functions import Now

from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import TaskLock

_held: dict[str, uuid.UUID] = {}
"""What this process holds, or held last."""


@contextmanager
def only_one(name: str, *, seconds: float) -> Iterator[bool]:
    """Whether this block is the only one under `name`; for `seconds` at the most.

    Use it as `with only_one("mailboxes.refresh", seconds=300) as alone: if not alone: return`.
    """
    holder = uuid.uuid4()
    alone = _take(name, holder=holder, seconds=seconds)
    if alone:
        _held[name] = holder
    try:
        yield alone
    finally:
        if alone:
            TaskLock.objects.filter(name=name, holder=holder).delete()


def prolong(name: str, *, seconds: float) -> bool:
    """Hold for longer what the block around this holds; call it well before it runs out.

    False: it is not ours, or ran out and somebody else has it by now.
    """
    holder = _held.get(name)
    if holder is None:
        return False
    mine = TaskLock.objects.filter(name=name, holder=holder)
    return bool(mine.update(held_until=seconds_from_now(seconds)))


def _take(name: str, *, holder: uuid.UUID, seconds: float) -> bool:
    """A free name is inserted, a lapsed one taken over; each is one statement, so one wins."""
    lapsed = TaskLock.objects.filter(name=name, held_until__lte=Now())
    if lapsed.update(holder=holder, held_until=seconds_from_now(seconds)):
        return True
    TaskLock.objects.bulk_create(
        [TaskLock(name=name, holder=holder, held_until=seconds_from_now(seconds))],
        ignore_conflicts=True,
    )
    return TaskLock.objects.filter(name=name, holder=holder).exists()
