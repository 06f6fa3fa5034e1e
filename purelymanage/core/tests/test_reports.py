"""A crash in a view that was given a password: no log, mail or debug page repeats it."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from domains.tests.factories import DomainFactory

PASSWORD = "h7@Kd2mQv%9sTzX4pLw#"
ADDRESS = "https://apprise.example/kept-to-oneself"
FORM = {"local_part": "lea", "domain": "lindenhof.example", "password": PASSWORD}


class BrokenError(Exception):
    """Nobody expects it."""


@pytest.fixture
def crashing(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of a panel whose door to PurelyMail is broken."""

    def broken(**held: object) -> None:
        raise BrokenError("in the middle of it")

    DomainFactory(name="lindenhof.example")
    monkeypatch.setattr("mailboxes.services.presence.get_client", broken)
    admin_client.raise_request_exception = False
    return admin_client


def test_the_mail_about_a_crash_shows_where_and_no_password(crashing, settings, caplog):
    settings.ADMINS = [("Olga", "olga@panel.example")]
    settings.NOTIFY_URLS = [ADDRESS]
    response = crashing.post("/mailboxes/new/", FORM)
    assert response.status_code == 500
    [report] = mail.outbox
    told = f"{report.body}{report.alternatives}{caplog.text}{response.content.decode()}"
    assert "in create_mailbox" in told
    assert PASSWORD not in told
    assert ADDRESS not in told


def test_the_debug_page_shows_where_and_no_password(crashing, settings):
    settings.DEBUG = True
    settings.NOTIFY_URLS = [ADDRESS]
    response = crashing.post("/mailboxes/new/", FORM)
    page = response.content.decode()
    assert response.status_code == 500
    assert "create_mailbox" in page
    assert "local_part" in page
    assert "h7@Kd2mQv" not in page
    assert ADDRESS not in page
