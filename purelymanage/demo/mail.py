"""Believable mail for the demo: five people of a small company, two years of their folders.

The same seed gives the same mail, so that a second start finds nothing new.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from purelymanage.purelymail.simulator.demo import HOTEL

END = datetime(2026, 11, 1, 17, 0, tzinfo=UTC)

PEOPLE = {
    "lea.fontaine": "Léa Fontaine",
    "t.brandt": "Tobias Brandt",
    "hana.kobayashi": "Hana Kobayashi",
    "s.bergstrom": "Sölve Bergström",
    "m.rossi": "Matteo Rossi",
}
DOMAIN = HOTEL

FOLDERS = {
    "INBOX": 90,
    "Sent Items": 45,
    "Drafts": 3,
    "Archive/2024": 40,
    "Archive/2025": 55,
    "Projekte/Brücke Süd": 25,
    "Rechnungen": 18,
    "Überstunden & Urlaub": 7,
}

OUTSIDERS = (
    ("Marek Horák", "marek.horak@horak-stahl.example"),
    ("Buchhaltung", "rechnung@papier-vogel.example"),
    ("Sofia Lindqvist", "sofia@nordlicht-reisen.example"),
    ("IT Newsletter", "news@serverpost.example"),
    ("Grace Okafor", "grace.okafor@okafor-legal.example"),
    ("Hausverwaltung Kästner", "info@kaestner-hv.example"),
)
SUBJECTS = (
    "Angebot für die Terrasse",
    "Notes from this morning",
    "Rückfrage zur Rechnung {number}",
    "Invoice {number}",
    "Termin am {weekday}?",
    "Train tickets to Göteborg",
    "Übergabe der Schlüssel",
    "Draft of the contract, version {number}",
    "Fotos von der Baustelle",
    "Who can cover the front desk on {weekday}?",
    "Crème brûlée for forty people",
    "Lieferung verspätet sich",
)
WEEKDAYS = ("Montag", "Tuesday", "Mittwoch", "Thursday", "Freitag")
SENTENCES = (
    "Thanks for the quick answer, that helps a lot.",
    "Die Unterlagen hängen an, bitte bis Freitag prüfen.",
    "I have added the two points we spoke about.",
    "Können wir das am Telefon klären? Ich bin ab 14 Uhr erreichbar.",
    "The delivery now arrives a day later, everything else stays as planned.",
    "Für die Größe der Fläche brauchen wir noch ein Maß.",
    "Léa has the keys, and Sölve knows where the spare set is.",
    "Let me know if the numbers look odd to you.",
)


@dataclass(frozen=True)
class DemoMail:
    """One mail: where it lies, when it came, how it is flagged, and its bytes."""

    folder: str
    at: datetime
    flags: tuple[str, ...]
    content: bytes


def addresses() -> list[str]:
    """The five addresses that have mail at the old provider."""
    return [f"{local_part}@{DOMAIN}" for local_part in PEOPLE]


def mailbox(address: str) -> Iterator[DemoMail]:
    """All mail of one person, folder by folder, oldest first."""
    dice = random.Random(f"purelymanage {address}")  # noqa: S311  believable, not secret
    number = 0
    for folder, count in FOLDERS.items():
        days = sorted((dice.uniform(0, 700) for _ in range(count)), reverse=True)
        for age in days:
            number += 1
            at = (END - timedelta(days=age)).replace(microsecond=0)
            yield DemoMail(
                folder, at, _flags(dice, folder), _content(dice, address, folder, at, number)
            )


def _flags(dice: random.Random, folder: str) -> tuple[str, ...]:
    if folder == "Drafts":
        return ("\\Draft",)
    flags = [] if dice.random() < 0.15 else ["\\Seen"]
    if dice.random() < 0.2:
        flags.append("\\Answered")
    if dice.random() < 0.08:
        flags.append("\\Flagged")
    return tuple(flags)


def _content(dice: random.Random, address: str, folder: str, at: datetime, number: int) -> bytes:
    local_part = address.partition("@")[0]
    own = (PEOPLE[local_part], address)
    other = dice.choice([*OUTSIDERS, *_colleagues(address)])
    sender, recipient = (own, other) if folder in ("Sent Items", "Drafts") else (other, own)
    message = EmailMessage(policy=SMTP)
    message["From"] = "{} <{}>".format(*sender)
    message["To"] = "{} <{}>".format(*recipient)
    message["Subject"] = dice.choice(SUBJECTS).format(
        number=dice.randint(1000, 9999), weekday=dice.choice(WEEKDAYS)
    )
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{local_part}.{number}.{dice.getrandbits(48):x}@{DOMAIN}>"
    if folder != "Drafts":
        message["Received"] = (
            f"from mx.{other[1].partition('@')[2]} by imap.old-provider.example; "
            f"{format_datetime(at)}"
        )
    greeting = dice.choice(("Hallo", "Hi", "Dear", "Bonjour"))
    words = " ".join(dice.sample(SENTENCES, dice.randint(2, 5)))
    message.set_content(f"{greeting} {recipient[0].split()[0]},\n\n{words}\n\n{sender[0]}\n")
    if dice.random() < 0.12:
        _attach(dice, message, number)
    if message.is_multipart():
        message.set_boundary(f"=_{number:06}_{local_part}")
    return message.as_bytes()


def _colleagues(address: str) -> list[tuple[str, str]]:
    people = [(name, f"{local_part}@{DOMAIN}") for local_part, name in PEOPLE.items()]
    return [person for person in people if person[1] != address]


def _attach(dice: random.Random, message: EmailMessage, number: int) -> None:
    if dice.random() < 0.5:
        message.add_attachment(
            _picture(dice), maintype="image", subtype="png", filename=f"Baustelle {number}.png"
        )
    else:
        rows = "\r\n".join(f"Position {i};{dice.randint(5, 900)},00 €" for i in range(1, 200))
        message.add_attachment(rows, subtype="csv", filename=f"Aufmaß-{number}.csv")


def _picture(dice: random.Random) -> bytes:
    """A small PNG of coloured noise: an attachment with some weight, 100 to 400 kB."""
    width, height = 256, dice.randint(130, 500)
    rows = b"".join(b"\x00" + dice.randbytes(width * 3) for _ in range(height))
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\x00\x00\x00"

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
