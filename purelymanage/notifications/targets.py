"""Where news goes and how the last of it got there, as the page of settings shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from purelymanage.notifications.models import Delivery, Message
from purelymanage.notifications.outbox import target_of_address, target_of_person
from purelymanage.ui.states import Look

SERVICE = re.compile(r"([a-z][a-z0-9]{0,19})://", re.IGNORECASE)
"""What an address begins with, which is no secret; anything after it may be."""


@dataclass(frozen=True)
class Target:
    """One place that news goes to."""

    label: str
    service: str
    """What kind of place it is, as `slack`; empty for mail."""
    delivery: Delivery
    waiting: int
    next_try: datetime | None
    now: datetime

    @property
    def is_due(self) -> bool:
        """Whether a worker is to hand something over now."""
        return self.next_try is not None and self.next_try <= self.now

    @property
    def is_refused(self) -> bool:
        return bool(self.delivery.why)

    @property
    def look(self) -> Look:
        """How the last of it went."""
        if self.is_due:
            return Look("info", "loader", _("On its way"))
        if self.is_refused:
            return Look("bad", "circle-x", _("Not taken"))
        if self.delivery.taken_at:
            return Look("ok", "circle-check", _("Delivered"))
        return Look("idle", "minus", _("Nothing sent yet"))

    @property
    def since(self) -> datetime | None:
        """When that was."""
        if self.is_due:
            return None
        return self.delivery.refused_at if self.is_refused else self.delivery.taken_at


def targets_of(person: int, address: str) -> list[Target]:
    """The mail to one person, and each address of `NOTIFY_URLS`, by its number. Two queries."""
    places = {target_of_person(person): (_("Mail to %(address)s") % {"address": address}, "")}
    for number, url in enumerate(settings.NOTIFY_URLS, start=1):
        service = SERVICE.match(url)
        label = _("Number %(number)d of NOTIFY_URLS") % {"number": number}
        places[target_of_address(url)] = label, service[1].lower() if service else ""
    known = {row.target: row for row in Delivery.objects.filter(target__in=places)}
    waits = Message.objects.filter(target__in=places).values_list("target")
    waiting = {
        target: (count, first)
        for target, count, first in waits.order_by().annotate(Count("pk"), Min("try_after"))
    }
    now = timezone.now()
    return [
        Target(
            label, service, known.get(target, Delivery()), *waiting.get(target, (0, None)), now=now
        )
        for target, (label, service) in places.items()
    ]
