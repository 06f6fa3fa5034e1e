"""`manage.py seed_demo`: what the demo has defined on first start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from purelymanage.demo.services import define_servers, write_credit_history


class Command(BaseCommand):
    help = "Defines the demo's servers and a past of its credit in an empty panel."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not a demo: PURELYMAIL_API_TOKEN is set.")
        for server in define_servers():
            self.stdout.write(f"Added the server {server.name} ({server.host}:{server.port}).")
        write_credit_history()
