"""How commands get a password: never as an argument, where other users could see it."""

from __future__ import annotations

import getpass
import sys

from django.core.management.base import CommandError


def read_password(*, from_stdin: bool) -> str:
    """One line of standard input, or typed twice. Raises CommandError where neither works."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password. Use --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != password:
        raise CommandError("The passwords differ. Nothing was changed.")
    return password
