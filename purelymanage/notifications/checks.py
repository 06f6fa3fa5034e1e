"""What `manage.py check`, and with it each start, says about `NOTIFY_URLS`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_addresses(**_kwargs: Any) -> list[CheckMessage]:
    """Name each address that nothing can be sent to by its number: it is a secret."""
    if not settings.NOTIFY_URLS:
        return []
    from purelymanage.notifications.elsewhere import is_known  # loads Apprise

    return [
        Error(
            f"NOTIFY_URLS, number {number}: Apprise can make nothing of it.",
            hint="Look up how it has to look: https://appriseit.com/. A comma in it is %2C.",
            id="purelymanage.E001",
        )
        for number, url in enumerate(settings.NOTIFY_URLS, start=1)
        if not is_known(url)
    ]
