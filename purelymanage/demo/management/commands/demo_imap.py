"""`manage.py demo_imap`: the demo's two IMAP servers."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from purelymanage.demo import imap


class Command(BaseCommand):
    help = "Serves the demo's two IMAP servers on loopback until it is stopped."
    requires_system_checks: list[str] = []  # `start` has made them

    def handle(self, *args: Any, **options: Any) -> None:
        directory = settings.DATA_DIR / "demo-mail"
        boxes = [
            imap.Box(settings.DEMO_OLD_PORT, directory / "old", imap.old_password),
            imap.Box(
                settings.DEMO_NEW_PORT,
                directory / "new",
                imap.simulator_password(settings.PURELYMAIL_API_URL),
            ),
        ]
        try:
            asyncio.run(imap.serve(boxes))
        except OSError as error:
            raise CommandError(
                f"The demo's IMAP servers cannot listen on ports {settings.DEMO_OLD_PORT} and"
                f" {settings.DEMO_NEW_PORT} ({error.strerror}). Stop what uses them, or choose"
                " others with DEMO_PORT."
            ) from None
        except KeyboardInterrupt:
            pass
