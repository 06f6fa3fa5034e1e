"""News for the addresses of `NOTIFY_URLS`: kept until a worker has handed them over.

Nobody waits for a service that is away. A row names its address by a keyed hash, so that no secret
is stored; what was meant for an address that is not configured any more is dropped.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue
from purelymanage.notifications.models import Push

logger = logging.getLogger(__name__)

SEND = "purelymanage.notifications.tasks.send_pushes"
PAUSES_MINUTES = (1, 5, 15, 60)
"""After how long an address that took nothing is tried again; the last one counts on."""
GIVEN_UP_AFTER = timedelta(hours=24)
AT_ONCE = 20
"""So many are handed to one address by one task."""
LOCK_SECONDS = 900
"""Longer than a task may take."""


def push(*, title: str, text: str) -> None:
    """Have a worker send this to every address of `NOTIFY_URLS`."""
    rows = [Push(target=_target(url), title=title[:250], text=text) for url in settings.NOTIFY_URLS]
    if rows:
        Push.objects.bulk_create(rows)
        enqueue(SEND)


def send_waiting() -> None:
    """Hand over what is due, to each address in its order. A second worker finds it taken."""
    urls = {_target(url): (number, url) for number, url in enumerate(settings.NOTIFY_URLS, 1)}
    Push.objects.exclude(target__in=urls).delete()
    due = Push.objects.filter(try_after__lte=timezone.now())
    for target in due.order_by("target").values_list("target", flat=True).distinct():
        number, url = urls[target]
        with only_one(f"notifications.{target}", seconds=LOCK_SECONDS) as is_alone:
            if is_alone:
                _send_to(target, url, number)


def _send_to(target: str, url: str, number: int) -> None:
    from purelymanage.notifications.elsewhere import deliver  # loads Apprise

    waiting = Push.objects.filter(target=target)
    _give_up(waiting.filter(created_at__lt=timezone.now() - GIVEN_UP_AFTER), number)
    for row in waiting.filter(try_after__lte=timezone.now())[:AT_ONCE]:
        if not deliver(url, title=row.title, text=row.text):
            minutes = PAUSES_MINUTES[min(row.tries, len(PAUSES_MINUTES) - 1)]
            logger.warning(
                "Number %d of NOTIFY_URLS did not take a notification; again in %d minutes",
                number,
                minutes,
            )
            # all of them: the address is away, not this one piece of news
            waiting.update(
                tries=row.tries + 1, try_after=timezone.now() + timedelta(minutes=minutes)
            )
            return
        row.delete()


def _give_up(old: QuerySet[Push], number: int) -> None:
    for row in old:
        logger.error("“%s” was given up: number %d of NOTIFY_URLS took it for no day", row, number)
    old.delete()


def _target(url: str) -> str:
    return salted_hmac("purelymanage.notifications", url, algorithm="sha256").hexdigest()
