"""Lets the server operator give somebody a new password, also the last owner without mail."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.passwords import read_password
from accounts.models import User
from accounts.services import people as services


class Command(BaseCommand):
    help = (
        "Set a new password for a person, for when no mail can reach them. Their sessions end. The "
        "password is asked for, or read from standard input with --password-stdin. "
        "Exit codes: 0 set, 1 refused (nothing was changed), 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the sign-in name")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email=options["email"].strip().lower()).first()
        if person is None:
            raise CommandError(f"There is nobody with the e-mail {options['email']}.")
        password = read_password(from_stdin=options["password_stdin"])
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from None
        services.set_password(person=person, password=password)
        self.stdout.write(f"{person.email} has a new password.")
