"""News for the people who administer the panel, and for where else they want it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from purelymanage.core.roles import Role
from purelymanage.notifications.mail import Words, compose, send
from purelymanage.notifications.outbox import (
    hasten,
    post,
    push,
    target_of_address,
    target_of_person,
)


def notify_admins(
    *,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    instead: Mapping[int, Words] | None = None,
) -> bool:
    """Send `emails/<template>.txt` and `.html` to every owner and admin, each on its own.

    The text goes to the addresses of `NOTIFY_URLS` as well, once the mail is on its way.

    `instead`: other words for some of them, by their key. Call it from a task. False where the mail
    server took none of them: the caller keeps its news and tells them again later. Where there are
    `NOTIFY_URLS`, these hear of it all the same, and the mail waits for its server. An address that
    is refused keeps nobody else from the news.
    """
    people = get_user_model().objects.filter(is_active=True, role__in=[Role.OWNER, Role.ADMIN])
    full = _with_address(context)
    usual = Words(subject, template)
    words = {person: (instead or {}).get(person.pk, usual) for person in people}
    taken = [send(compose(what, full, person.email)) for person, what in words.items()]
    is_told = any(taken) or not words
    if not is_told and settings.NOTIFY_URLS:
        for person, what in words.items():
            post(people=[person.pk], title=what.subject, text=what.text(full), html=what.html(full))
        is_told = True
    if is_told:
        push(title=subject, text=usual.text(full))
    return is_told


def notify_person(person: int | None, *, words: Words, context: Mapping[str, Any]) -> None:
    """Have a worker mail this to one person, by their key; to all admins where they have left.

    Call it in the transaction of what it is about.
    """
    working = get_user_model().objects.filter(is_active=True)
    people = working.filter(pk=person) if person else working.none()
    if not people.exists():
        people = working.filter(role__in=[Role.OWNER, Role.ADMIN])
    full = _with_address(context)
    keys = list(people.values_list("pk", flat=True))
    post(people=keys, title=words.subject, text=words.text(full), html=words.html(full))


def send_test(*, person: int) -> None:
    """Have a worker send a test to one person and to every address of `NOTIFY_URLS`.

    What waits for these is tried at once as well.
    """
    words = Words(_("Test of the notifications"), "notification_test")
    targets = [target_of_person(person), *map(target_of_address, settings.NOTIFY_URLS)]
    facts = {"targets": len(targets)}
    with audited(Action.NOTIFICATIONS_TESTED, after=facts), transaction.atomic():
        hasten(targets)
        notify_person(person, words=words, context={})
        notify_elsewhere(words=words, context={})


def notify_elsewhere(*, words: Words, context: Mapping[str, Any]) -> None:
    """Have a worker send the text to the addresses of `NOTIFY_URLS`."""
    push(title=words.subject, text=words.text(_with_address(context)))


def _with_address(context: Mapping[str, Any]) -> dict[str, Any]:
    return {"base_url": settings.BASE_URL, **context}
