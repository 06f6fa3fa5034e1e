"""Makes mailboxes as people have them: old, nested, in many languages, and not quite tidy."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from migrations_app.tests.dovecot import Mail

FOLDERS: tuple[tuple[str, ...], ...] = (
    ("INBOX",),
    ("Archiv",),
    ("Archiv", "2019"),
    ("Archiv", "2019", "Q1"),
    ("Entwürfe",),
    ("Projekte", "Brücke Süd"),
    ("日本語", "メモ"),
    ("Ünïcode 🎉 [x]",),
    ("Sent Items",),
    ("Spam",),
    ("Kunden & Partner",),
    ('He said "hi"',),
    ("a -> b",),
    ("-rf",),
    ("50% off *",),
    ("semi;colon $HOME `id`",),
)
_WORDS = ["invoice", "report", "meeting", "travel", "budget", "draft", "Rechnung", "été"]
_ZONES = [timezone(timedelta(minutes=shift)) for shift in (0, 60, 330, -480, 765, -210)]
_FLAGS = ((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Draft", "\\Seen"))
_KEYWORDS = ("$Forwarded", "NonJunk", "Rechnung2020", "$label1")


def _date(chance: random.Random) -> datetime:
    zone = chance.choice(_ZONES)
    return datetime(1999, 1, 1, tzinfo=zone) + timedelta(seconds=chance.randrange(800_000_000))


def _body(chance: random.Random, length: int) -> bytes:
    lines = []
    while length > 0:
        line = " ".join(chance.choice(_WORDS) for _ in range(8))
        lines.append(line)
        length -= len(line)
    return "\r\n".join(lines).encode() + b"\r\n"


def message(
    chance: random.Random, number: int, *, message_id: bool = True, received: bool = True
) -> bytes:
    """One message of a few kilobytes."""
    lines = []
    if received:
        lines.append(
            f"Received: from mx{number}.example.org (mx [192.0.2.{number % 250}])\r\n"
            f"\tby mail.example.net with ESMTPS\r\n   id {chance.randrange(1 << 40):x}"
        )
    if message_id:
        lines.append(f"Message-ID: <{number}.{chance.randrange(1 << 40):x}@example.org>")
    lines += [
        f"Date: {_date(chance):%d %b %Y %H:%M:%S %z}",
        f"From: sender{number}@example.org",
        f"Subject: {chance.choice(_WORDS)} {number}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    head = "\r\n".join(lines).encode()
    return head + b"\r\n\r\n" + _body(chance, chance.randrange(300, 3000))


def _odd(chance: random.Random) -> Iterator[bytes]:
    """Messages that are strange but real."""
    yield b"Message-ID: <no-body@example.org>\r\nSubject: no body\r\n\r\n"
    yield b"Message-ID: <no-blank-line@example.org>\r\nSubject: no end of header\r\n"
    yield b"Subject: 8-bit f\xfcr alle\r\nMessage-ID: <gr\xfc\xdfe@ex\xe4mple.org>\r\n\r\nx\r\n"
    yield b"Message-Id:\r\n <folded-id@example.org>\r\nSubject: folded\r\n\r\nx\r\n"
    yield b"MESSAGE-ID: <Shouting@Example.ORG>  \r\nReceived:\tby   a ;\r\n\t\t b\r\n\r\nx\r\n"
    yield b"Message-ID: \r\nSubject: empty id\r\n\r\nx\r\n"
    yield b"message-id: <two@x>\r\nMessage-ID: <ids@x>\r\nSubject: two ids\r\n\r\nx\r\n"
    yield b"Received : from blank-before-colon\r\nMessage-ID: <bc@x>\r\n\r\nx\r\n"
    yield b"Subject: 1\r\nSubject: 2\r\nReceived: only received, id 7\r\n\r\nbody\r\n.\r\n..\r\n"
    long_line = b"x" * 20_000
    yield b"Message-ID: <long@example.org>\r\nX-Long: " + long_line + b"\r\n\r\n" + long_line
    yield b"Message-ID: <ws@example.org>\r\n\r\n \t \r\n\r\n\r\n"


def attachment(chance: random.Random, size: int, number: int) -> bytes:
    """A message of this many bytes, in lines as base64 makes them."""
    head = f"Message-ID: <big{number}@example.org>\r\nSubject: attachment {number}\r\n\r\n"
    line = bytes(chance.choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789+/", k=76)) + b"\r\n"
    return head.encode() + line * (size // len(line))


def mailbox(count: int = 2000, *, seed: int = 7, large: int = 16_000_000) -> list[Mail]:
    """A whole mailbox of `count` mails and some thirty odd ones. Without `large` no attachment."""
    chance = random.Random(seed)
    mails = []
    for number in range(count):
        folder = FOLDERS[0] if number % 3 else chance.choice(FOLDERS[1:])
        flags = chance.choice(_FLAGS)
        if number % 17 == 0:
            flags = (*flags, chance.choice(_KEYWORDS))
        mails.append(Mail(folder, message(chance, number), flags, _date(chance)))
    without_id = [message(chance, 90_000 + n, message_id=False) for n in range(5)]
    without_any = [message(chance, 91_000 + n, message_id=False, received=False) for n in range(6)]
    twins = [message(chance, 92_000 + n) for n in range(5)]
    extra = [*_odd(chance), *without_id, *without_any, *twins, *twins]
    if large:
        extra += [attachment(chance, large, 1), attachment(chance, 100_000, 2)]
    mails += [Mail(("Projekte", "Brücke Süd"), body, ("\\Seen",), _date(chance)) for body in extra]
    mails += [Mail(folder, message(chance, 93_000 + n)) for n, folder in enumerate(FOLDERS)]
    return mails
