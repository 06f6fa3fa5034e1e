"""The alarm: somebody schedules more deletions within an hour than is usual."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.actions import Action
from audit.services import record
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.deletions.impact import SHOWN, Group
from purelymanage.deletions.models import Alarm, Freeze, PendingDeletion, PendingDeletionQuerySet
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue
from purelymanage.notifications.mail import Words
from purelymanage.notifications.services import notify_admins

USUAL = 10
"""So many deletions by one person within an hour alarm nobody."""
HOUR = timedelta(hours=1)
TELL = "purelymanage.deletions.tasks.tell_alarms"
LOCK, LOCK_SECONDS = "deletions.alarm", 600


def raise_alarm(*, person_id: int | None) -> Alarm | None:
    """Raise it if this person has just scheduled one too many.

    One for each person and hour. A freeze answers it: whoever goes on after that is told of again.
    Call it in the transaction that has entered the queue, so that two at once raise one.
    """
    if person_id is None:
        return None
    since = timezone.now() - HOUR
    freeze = Freeze.objects.filter(person_id=person_id, frozen_at__gt=since).first()
    told_since = freeze.frozen_at if freeze else since
    if Alarm.objects.filter(person_id=person_id, raised_at__gt=told_since).exists():
        return None
    recent = PendingDeletion.objects.filter(
        requested_by_id=person_id, requested_at__gt=since, freeze=None
    )
    if recent[: USUAL + 1].count() <= USUAL:
        return None
    person = User.objects.get(pk=person_id)
    enqueue(TELL)
    return Alarm.objects.create(person=person, person_name=person.name)


def record_alarm(alarm: Alarm) -> None:
    """Put it on record, once its transaction has committed."""
    with acting_as(SYSTEM):
        record(Action.DELETION_ALARM, target=alarm.person.email, after={"more_than": USUAL})


def tell_alarms() -> int:
    """Mail everyone who administers the panel; how many alarms they were told of.

    Whoever scheduled the deletions is told what they can do themselves: nobody freezes themselves.
    An alarm counts as told once the mail server has taken the mail, and is tried again until then.
    """
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        untold = Alarm.objects.filter(told_at=None).select_related("person").order_by("pk")
        return sum(_tell(alarm) for alarm in untold) if alone else 0


def lasting_alarms() -> list[Alarm]:
    """The latest of each person whose deletions are still to come and whom nobody froze since."""
    frozen = Freeze.objects.filter(person=OuterRef("person"), frozen_at__gte=OuterRef("raised_at"))
    pending = PendingDeletion.objects.pending().filter(
        requested_by=OuterRef("person"),
        requested_at__gt=_at(-HOUR),
        requested_at__lte=_at(HOUR),
    )
    alarms = Alarm.objects.filter(Exists(pending), ~Exists(frozen)).order_by("raised_at")
    return list({alarm.person_id: alarm for alarm in alarms}.values())


def _at(offset: timedelta) -> ExpressionWrapper[Any]:
    """So long after the alarm of the outer query was raised."""
    return ExpressionWrapper(OuterRef("raised_at") + Value(offset), output_field=DateTimeField())


def _tell(alarm: Alarm) -> bool:
    context = _news(alarm)
    subject = _("Many deletions: %(name)s has scheduled %(count)d") % {
        "name": " ".join(alarm.person_name.split()),
        "count": context["number"],
    }
    own = _("Many deletions: you have scheduled %(count)d") % {"count": context["number"]}
    is_told = notify_admins(
        subject=subject,
        template="deletion_alarm",
        context=context,
        instead={alarm.person_id: Words(own, "deletion_alarm_own")},
    )
    if not is_told:
        return False
    return bool(Alarm.objects.filter(pk=alarm.pk).update(told_at=timezone.now()))


def _news(alarm: Alarm) -> dict[str, Any]:
    """As things are when the mail is sent, which may be long after the alarm."""
    scheduled = _deletions(alarm)
    pending = scheduled.pending()
    first = pending.first()
    labels = list(pending.values_list("label", flat=True)[:SHOWN])
    return {
        "name": alarm.person_name,
        "email": alarm.person.email,
        "number": scheduled.count(),
        "since": scheduled.order_by("requested_at").values_list("requested_at", flat=True).first(),
        "pending": Group.of(_("Still to come:"), labels, total=pending.count()),
        "due_at": first.due_at if first else None,
        "list_url": settings.BASE_URL + reverse("deletions:list"),
        "password_url": settings.BASE_URL + reverse("account_change_password"),
        "freeze_url": settings.BASE_URL + reverse("deletions:freeze", args=[alarm.person_id]),
    }


def _deletions(alarm: Alarm) -> PendingDeletionQuerySet:
    """What they scheduled in the hour before it and since."""
    rows: PendingDeletionQuerySet = PendingDeletion.objects.filter(
        requested_by=alarm.person, requested_at__gt=alarm.raised_at - HOUR
    )
    return rows.defer("dossier")
