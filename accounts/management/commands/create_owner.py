"""Lets the server operator make an owner, also when nobody can sign in any more."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.forms import PersonForm
from accounts.management.passwords import read_password
from accounts.services import people as services
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.roles import Role


class Command(BaseCommand):
    help = (
        "Create an account with the role owner. The password is asked for, or read from standard "
        "input with --password-stdin; it is never an argument, where other users could see it. "
        "Exit codes: 0 created, 1 refused (nothing was changed), 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the sign-in name")
        parser.add_argument("--name", required=True, help="what the person is called")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        parser.add_argument("--json", action="store_true", help="print the account as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        form = PersonForm(
            {
                "email": options["email"],
                "name": options["name"],
                "password": read_password(from_stdin=options["password_stdin"]),
            }
        )
        if not form.is_valid():
            errors = [f"{name}: {' '.join(map(str, words))}" for name, words in form.errors.items()]
            raise CommandError("\n".join(errors))
        try:
            person = services.add_person(**form.cleaned_data, role=Role.OWNER)
        except PurelyManageError as error:
            raise CommandError(error.message) from None
        if options["json"]:
            facts = {"id": person.pk, "email": person.email, "name": person.name, "role": "owner"}
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(f"{person.email} can sign in as owner.")
