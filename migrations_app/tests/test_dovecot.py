"""The servers the other tests stand on do what those tests think they do."""

from __future__ import annotations

import pytest

from migrations_app.tests.dovecot import Mail, Pair

pytestmark = [pytest.mark.imap, pytest.mark.once]


def test_what_is_filled_in_is_read_back(imap_pair: Pair) -> None:
    server = imap_pair.source
    user = server.add_user("round-trip@old.example", 'ö "quote" \\ %$# ')
    body = b"Subject: one\r\n\r\nbody\r\n"
    server.fill(
        user,
        [
            Mail(("INBOX",), body, ("\\Seen", "Rechnung")),
            Mail(("Projekte", "Brücke Süd"), body),
        ],
    )

    boxes = server.snapshot(user)

    assert boxes.keys() >= {"INBOX", "Projekte/Brücke Süd"}
    ((_digest, flags, date, size),) = boxes["INBOX"]
    assert flags == {"\\Seen", "Rechnung"}
    assert date.isoformat() == "2020-02-29T12:00:00+00:00"
    assert size == len(body)


def test_a_server_keeps_its_mail_over_a_crash(own_pair: Pair) -> None:
    server = own_pair.destination
    user = server.add_user("kept@new.example", "secret")
    server.fill(user, [Mail(("INBOX",), b"Subject: kept\r\n\r\n")])
    server.kill()
    server.start()
    assert server.count(user) == 1
