"""What tests of a freeze do: schedule, freeze, undo, and hold as a worker does."""

from __future__ import annotations

import uuid

from django.utils import timezone

from purelymanage.core.context import acting_as, person
from purelymanage.deletions import freezing
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.jobs.clock import seconds_from_now


def schedule(user, *keys, may_act=lambda: True):
    with acting_as(person(user, may_act=may_act)):
        return [schedule_deletion(kind=DeletionKind.RULE, key=str(key)) for key in keys]


def freeze(owner, admin, **options):
    with acting_as(person(owner)):
        return freezing.freeze_person(person=admin, **options)


def undo(owner, done):
    with acting_as(person(owner)):
        return freezing.undo_freeze(freeze=done)


def hold(deletion):
    """A worker is at it."""
    PendingDeletion.objects.filter(pk=deletion.pk).update(
        token=uuid.uuid4(), lease_until=seconds_from_now(60), called_at=timezone.now(), tries=1
    )


def url(user):
    return f"/deletions/freeze/{user.pk}/"


def page(response):
    return response.content.decode()


def states():
    return dict(PendingDeletion.objects.order_by("key").values_list("key", "state"))
