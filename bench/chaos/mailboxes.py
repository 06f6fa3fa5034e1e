"""Two mail servers, full mailboxes on one, and what of them must be on the other in the end."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

FOLDERS = (("INBOX",), ("Archiv",), ("Archiv", "Brücke Süd"))
SHARED = 10
"""One job in so many writes into the mailbox of the one before it."""
PASSWORD = "chaos"

Contents = Counter[tuple[str, str]]
"""How often which message lies in which folder: its path and Message-ID."""


class Mailboxes:
    """`jobs` says who is copied to whom, by address."""

    def __init__(self, directory: Path, *, count: int, messages: int, seconds: float) -> None:
        from migrations_app.tests.dovecot import make_pair

        self.domain = f"chaos-{uuid.uuid4().hex[:8]}.example"
        self.pair = make_pair(directory)
        self.jobs = {
            f"from-{number:03}@{self.domain}": f"to-{_partner(number):03}@{self.domain}"
            for number in range(count)
        }
        self._messages = messages
        self._seconds = seconds
        self._expected: dict[str, Contents] = {who: Counter() for who in self.jobs.values()}

    def fill(self) -> None:
        """Make all mailboxes; those at the destination are empty."""
        chance = random.Random(7)
        for who in self._expected:
            self.pair.destination.add_user(who, PASSWORD)
        for number, (source, destination) in enumerate(self.jobs.items()):
            self.pair.source.add_user(source, PASSWORD)
            first = number * self._messages
            mails = [_mail(chance, first + at) for at in range(self._messages)]
            self.pair.source.fill(source, mails)
            self._expected[destination].update(
                ("/".join(mail.folder), message_id(mail.body)) for mail in mails
            )

    def submit(self) -> None:
        """Queue a job for each, slow enough to be hit in the middle."""
        from migrations_app.engines.plan import Options
        from migrations_app.models import MigrationJob
        from migrations_app.queueing import queue

        speed = round(self._messages * BYTES_EACH / self._seconds)
        source, destination = self.pair.source, self.pair.destination
        queue.submit_new(
            [
                MigrationJob(
                    name=old,
                    source_host=source.host,
                    source_port=source.port_tls,
                    source_security="tls",
                    source_address=old,
                    source_password=PASSWORD,
                    destination_host=destination.host,
                    destination_port=destination.port_tls,
                    destination_security="tls",
                    destination_address=new,
                    destination_password=PASSWORD,
                    dry_run=False,
                    options=Options(bytes_per_second=speed).as_json(),
                )
                for old, new in self.jobs.items()
            ]
        )

    def compare(self) -> tuple[Counter[str], Counter[str]]:
        """By destination mailbox, how many messages are missing, and how many there too often."""
        missing, doubled = Counter[str](), Counter[str]()
        for who, expected in self._expected.items():
            found = self._contents(who)
            missing[who] = (expected - found).total()
            doubled[who] = (found - expected).total()
        return +missing, +doubled

    def _contents(self, who: str) -> Contents:
        server, found = self.pair.destination, Counter[tuple[str, str]]()
        with server.client(who) as client:
            for _flags, _separator, name in client.list_folders():
                client.select_folder(name, readonly=True)
                headers = client.fetch(client.search(), ["BODY.PEEK[HEADER]"])
                found.update(
                    (server.path(name), message_id(facts[b"BODY[HEADER]"]))
                    for facts in headers.values()
                )
        return found


BYTES_EACH = 2000
"""Of a message, roughly."""


def _partner(number: int) -> int:
    return number - (number % SHARED == 1)


def _mail(chance: random.Random, number: int) -> Any:
    from migrations_app.tests.dovecot import Mail
    from migrations_app.tests.mailgen import message

    return Mail(FOLDERS[number % len(FOLDERS)], message(chance, number))


def message_id(message: bytes) -> str:
    return str(message_from_bytes(message)["Message-ID"])
