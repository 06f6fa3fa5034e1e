"""`manage.py workers`: the background work of one host."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from purelymanage.jobs.supervisor import Supervisor, clusters


class Command(BaseCommand):
    help = (
        "Runs the workers of this host, short tasks and migrations, until SIGTERM or Ctrl-C."
        " Stopping gives running migrations back to the queue."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor(clusters(), capacity=settings.SYNC_WORKERS).run()
