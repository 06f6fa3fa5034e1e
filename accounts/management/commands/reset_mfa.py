"""Lets the server operator take a lost second factor off somebody, also off the last owner."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services.lost_factors import reset_factors
from purelymanage.core.errors import PurelyManageError


class Command(BaseCommand):
    help = (
        "Remove every second factor of a person who lost theirs: authenticator app, passkeys and "
        "recovery codes. Their sessions end, and a mail tells them. The password stays. "
        "Exit codes: 0 reset, 1 refused (nothing was changed), 2 wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the sign-in name")
        parser.add_argument("--json", action="store_true", help="print what was removed as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email=options["email"].strip().lower()).first()
        if person is None:
            raise CommandError(f"There is nobody with the e-mail {options['email']}.")
        try:
            done = reset_factors(person=person)
        except PurelyManageError as error:
            raise CommandError(error.message) from None
        if options["json"]:
            facts = {"id": person.pk, "email": person.email, **asdict(done)}
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(f"{person.email} signs in with the password alone now.")
