"""Mail to the people who administer the panel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from purelymanage.core.roles import Role
from purelymanage.notifications.pushes import push

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Words:
    """A mail before it is filled in: `emails/<template>.txt` and `.html`."""

    subject: str
    template: str


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
    server took none of them: the caller keeps its news and tells them again later. An address that
    is refused keeps nobody else from the news.
    """
    people = get_user_model().objects.filter(is_active=True, role__in=[Role.OWNER, Role.ADMIN])
    full = {"base_url": settings.BASE_URL, **context}
    usual = Words(subject, template)
    mails = [
        compose((instead or {}).get(person.pk, usual), full, person.email) for person in people
    ]
    taken = [send(mail) for mail in mails]
    is_told = any(taken) or not mails
    if is_told:
        push(title=subject, text=text_of(usual, full))
    return is_told


def compose(words: Words, context: Mapping[str, Any], address: str) -> EmailMultiAlternatives:
    """The mail to `address`, filled in and not sent yet."""
    html = render_to_string(f"emails/{words.template}.html", dict(context))
    return EmailMultiAlternatives(
        words.subject, text_of(words, context), to=[address], alternatives=[(html, "text/html")]
    )


def text_of(words: Words, context: Mapping[str, Any]) -> str:
    """What a mail says in plain text, filled in."""
    return render_to_string(f"emails/{words.template}.txt", dict(context))


def send(mail: EmailMultiAlternatives) -> bool:
    """Over a connection of its own: one that broke off is of no use to the next."""
    try:
        mail.send()
    except OSError as error:
        logger.warning("Could not send “%s” to somebody: %s", mail.subject, type(error).__name__)
        return False
    return True
