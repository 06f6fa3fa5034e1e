"""Does mail leave this machine?"""

from __future__ import annotations

from django.conf import settings


def is_mail_set_up() -> bool:
    """Whether EMAIL_URL names a mail server; without it mails are printed to the log."""
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")
