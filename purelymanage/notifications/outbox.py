"""Messages that wait for a worker: mail to a person, news for the addresses of `NOTIFY_URLS`.

A message is written in the transaction of what it is about, so it is neither lost nor doubled, and
nobody waits for a server that is away. Addresses of `NOTIFY_URLS` are secrets: a row names one by a
keyed hash. What is meant for somebody who has left is dropped; what is meant for an address that
this host does not know waits for a day for one that does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue
from purelymanage.notifications.mail import deliver, mail
from purelymanage.notifications.models import Delivery, Message

logger = logging.getLogger(__name__)

SEND = "purelymanage.notifications.tasks.send_waiting"
PERSON = "person:"
PAUSES_MINUTES = (1, 5, 15, 60)
"""After how long a target that took nothing is tried again; the last one counts on."""
GIVEN_UP_AFTER = timedelta(hours=24)
AT_ONCE = 20
"""So many are handed to one target by one task."""
AWAY_AFTER = 3
"""So many refusals in a row mean that the target is away; one may be about the message."""
WORK_SECONDS = 120.0
LOCK_SECONDS = 900
"""Longer than one target may take."""


@dataclass(frozen=True)
class Way:
    """How a target is reached."""

    name: str
    """For the log; no secret."""
    deliver: Callable[[Message], str]
    """Why it was not taken, in a sentence; empty if it was."""


def push(*, title: str, text: str) -> None:
    """Have a worker send this to every address of `NOTIFY_URLS`."""
    _post([_message(target_of_address(url), title, text) for url in settings.NOTIFY_URLS])


def post(*, people: list[int], title: str, text: str, html: str) -> None:
    """Have a worker mail this to people, named by their keys, each on its own."""
    _post([_message(target_of_person(person), title, text, html) for person in people])


def hasten(targets: list[str]) -> None:
    """Try what waits for these once more without waiting for its time."""
    Message.objects.filter(target__in=targets).update(try_after=timezone.now())


def _message(target: str, title: str, text: str, html: str = "") -> Message:
    return Message(target=target, title=title[:250], text=text, html=html)


def _post(messages: list[Message]) -> None:
    if messages:
        Message.objects.bulk_create(messages)
        enqueue(SEND)


def send_waiting() -> None:
    """Hand over what is due, to each target in its order. A second worker finds it taken."""
    give_back_at = time.monotonic() + WORK_SECONDS
    due = Message.objects.filter(try_after__lte=timezone.now()).order_by("target")
    for target in list(due.values_list("target", flat=True).distinct()):
        if time.monotonic() >= give_back_at:
            return
        with only_one(f"notifications.{target}", seconds=LOCK_SECONDS) as is_alone:
            if is_alone:
                _send_to(target)


def _send_to(target: str) -> None:
    """In their order. Who refuses one may take the next; who refuses several in a row is away."""
    waiting = Message.objects.filter(target=target)
    way = _way_to(target)
    if way is None:
        _give_up(waiting, "an address that NOTIFY_URLS does not name")
        return
    refused: list[Message] = []
    in_a_row = 0
    for message in waiting.filter(try_after__lte=timezone.now())[:AT_ONCE]:
        if why := way.deliver(message):
            refused.append(message)
            in_a_row += 1
        else:
            message.delete()  # first of all: what breaks now sends it no second time
            in_a_row = 0
        _note(target, why)
        if in_a_row == AWAY_AFTER:
            break
    if refused:
        is_away = in_a_row == AWAY_AFTER
        held = waiting if is_away else waiting.filter(pk__in=[one.pk for one in refused])
        _give_up(held, way.name)
        _wait(held, max(one.tries for one in refused), way)


def _note(target: str, why: str) -> None:
    """For the page of settings."""
    now = timezone.now()
    facts = {"refused_at": now, "why": why[:300]} if why else {"taken_at": now, "why": ""}
    Delivery.objects.update_or_create(target=target, defaults=facts)


def _wait(waiting: QuerySet[Message], tries: int, way: Way) -> None:
    minutes = PAUSES_MINUTES[min(tries, len(PAUSES_MINUTES) - 1)]
    logger.warning("%s did not take a message; again in %d minutes", way.name, minutes)
    waiting.update(tries=tries + 1, try_after=timezone.now() + timedelta(minutes=minutes))


def _give_up(waiting: QuerySet[Message], name: str) -> None:
    """The old ones, after a last try: the workers themselves may have been away for a day."""
    old = waiting.filter(created_at__lt=timezone.now() - GIVEN_UP_AFTER)
    for message in old:
        logger.error("“%s” was given up: %s did not take it for a day", message, name)
    old.delete()


def _way_to(target: str) -> Way | None:
    if target.startswith(PERSON):
        return _way_to_person(int(target.removeprefix(PERSON)))
    for number, url in enumerate(settings.NOTIFY_URLS, start=1):
        if target_of_address(url) == target:
            return _way_elsewhere(url, number)
    return None


def _way_to_person(pk: int) -> Way:
    person = get_user_model().objects.filter(pk=pk, is_active=True).first()

    def hand_over(message: Message) -> str:
        if person is None:
            return ""
        return deliver(mail(message.title, message.text, message.html, person.email))

    return Way(f"The mail server for person {pk}", hand_over)


def _way_elsewhere(url: str, number: int) -> Way:
    from purelymanage.notifications import elsewhere  # loads Apprise

    def hand_over(message: Message) -> str:
        return elsewhere.deliver(url, title=message.title, text=message.text)

    return Way(f"Number {number} of NOTIFY_URLS", hand_over)


def target_of_person(pk: int) -> str:
    """How a row names somebody who gets mail."""
    return f"{PERSON}{pk}"


def target_of_address(url: str) -> str:
    """How a row names an address of `NOTIFY_URLS`."""
    return salted_hmac("purelymanage.notifications", url, algorithm="sha256").hexdigest()
