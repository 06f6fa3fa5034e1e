"""A mail: two templates filled in, and handed to the mail server."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

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
    """False where the server did not take it, or where it is no mail."""
    return not deliver(mail)


def deliver(mail: EmailMultiAlternatives) -> str:
    """Why the mail was not taken, in a sentence without secrets; empty if it was.

    It goes over a connection of its own: one that broke off is of no use to the next.
    """
    try:
        mail.send()
    except (OSError, ValueError) as error:
        logger.warning("Could not send “%s” to somebody: %s", mail.subject, type(error).__name__)
        return _why(error)
    return ""


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return _("It is no mail that can be sent. Check DEFAULT_FROM_EMAIL and the address.")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("The mail server refused the sign-in. Check user and password in EMAIL_URL.")
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _("The mail server refused the sender. Check DEFAULT_FROM_EMAIL.")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _("The mail server refused the address of the recipient.")
    if isinstance(error, smtplib.SMTPResponseException):
        words = _("The mail server answered with status %(status)d.")
        return words % {"status": error.smtp_code}
    if isinstance(error, ssl.SSLError):
        return _("The mail server does not speak TLS as it was set. Check EMAIL_URL.")
    if isinstance(error, TimeoutError):
        return _("The mail server did not answer in time.")
    return _("No connection to the mail server. Check host and port in EMAIL_URL.")
