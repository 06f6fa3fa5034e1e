"""A mail: two templates filled in, and handed to the mail server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Words:
    """A mail before it is filled in: `emails/<template>.txt` and `.html`."""

    subject: str
    template: str

    def text(self, context: Mapping[str, Any]) -> str:
        """What it says in plain text, filled in."""
        return self._filled_in("txt", context)

    def html(self, context: Mapping[str, Any]) -> str:
        """The same as a page."""
        return self._filled_in("html", context)

    def _filled_in(self, kind: str, context: Mapping[str, Any]) -> str:
        return render_to_string(f"emails/{self.template}.{kind}", dict(context))


def compose(words: Words, context: Mapping[str, Any], address: str) -> EmailMultiAlternatives:
    """The mail to `address`, filled in and not sent yet."""
    return mail(words.subject, words.text(context), words.html(context), address)


def mail(subject: str, text: str, html: str, address: str) -> EmailMultiAlternatives:
    """The mail to `address`, not sent yet."""
    return EmailMultiAlternatives(subject, text, to=[address], alternatives=[(html, "text/html")])


def send(mail: EmailMultiAlternatives) -> bool:
    """Over a connection of its own: one that broke off is of no use to the next.

    False where the server did not take it, and where it is no mail, by its subject or address.
    """
    try:
        mail.send()
    except (OSError, ValueError) as error:
        logger.warning("Could not send “%s” to somebody: %s", mail.subject, type(error).__name__)
        return False
    return True
