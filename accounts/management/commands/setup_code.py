"""Says how to set up the panel, as long as nobody has."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.entrance.setup_code import announcement


class Command(BaseCommand):
    help = "Print the address and the one-time code of the set-up page while no account exists."

    def handle(self, *args: Any, **options: Any) -> None:
        if line := announcement():
            self.stdout.write(line)
