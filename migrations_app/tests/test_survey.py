"""A look into a mailbox at a real server: what is counted, and that nothing changes."""

from __future__ import annotations

import imaplib
import re
import socket
import time
from contextlib import suppress

import pytest
from django.db import connections
from imapclient.exceptions import IMAPClientError

from migrations_app.checks import checkup
from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import SOURCE, TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options
from migrations_app.imap import survey as imap_survey
from migrations_app.models import (
    Check,
    MigrationJob,
)
from migrations_app.services import checks as services
from migrations_app.tests.checkups import queued
from migrations_app.tests.dovecot import Mail, talking_server
from migrations_app.tests.runs import endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(imap_pair):
    user = imap_pair.source.add_user("survey@old.example", "source pass")
    if not imap_pair.source.count(user):
        body = b"Message-ID: <%d@s>\r\n\r\n" + b"x" * 100
        mails = [Mail(("INBOX",), body % number) for number in range(5)]
        mails += [Mail(("Archive", "Übersicht"), body % number) for number in range(5, 8)]
        imap_pair.source.fill(user, mails)
    return user


def test_a_survey_counts_folders_messages_and_bytes(imap_pair, filled):
    end = endpoint(imap_pair.source, filled)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    sizes = sum(
        size * count
        for folder in imap_pair.source.snapshot(filled).values()
        for (_hash, _flags, _date, size), count in folder.items()
    )
    assert (found.messages, found.bytes) == (8, sizes)
    one = imap_survey.survey(end, "source pass", side=SOURCE, options=Options(include=("Archive",)))
    assert one.messages == 3


def test_without_status_size_the_messages_are_added_up(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    whole = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    has = imap_survey.Connection.has_capability
    monkeypatch.setattr(
        imap_survey.Connection,
        "has_capability",
        lambda self, name: name != "STATUS=SIZE" and has(self, name),
    )
    monkeypatch.setattr(imap_survey, "SIZES_AT_ONCE", 2)
    assert imap_survey.survey(end, "source pass", side=SOURCE, options=Options()) == whole
    late = imap_survey.survey(end, "source pass", side=SOURCE, options=Options(), seconds=0.5)
    assert late.messages == whole.messages


def test_a_message_that_goes_meanwhile_costs_neither_count_nor_size(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    whole = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    status = imap_survey.Connection.folder_status

    def one_more(self, name, what):
        return {b"MESSAGES": status(self, name, what)[b"MESSAGES"] + 1}

    monkeypatch.setattr(imap_survey.Connection, "folder_status", one_more)
    monkeypatch.setattr(imap_survey.Connection, "has_capability", lambda *_name: False)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert found.bytes == whole.bytes


def test_a_server_that_falls_silent_over_sizes_is_asked_without_them(
    imap_pair, filled, monkeypatch
):
    """Dovecot reads every message for its size where none is known yet."""
    end = endpoint(imap_pair.source, filled)
    status = imap_survey.Connection.folder_status

    def silent(self, name, what):
        if "SIZE" in what:
            raise TimeoutError("timed out")
        return status(self, name, what)

    monkeypatch.setattr(imap_survey.Connection, "folder_status", silent)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert (found.messages, found.bytes) == (8, None)


def test_a_folder_that_does_not_open_is_told(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    status = imap_survey.Connection.folder_status

    def refused(self, name, what):
        if name == "INBOX":
            raise IMAPClientError("NO [NOPERM] Permission denied")
        return status(self, name, what)

    monkeypatch.setattr(imap_survey.Connection, "folder_status", refused)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert (found.messages, found.closed) == (3, 1)


@pytest.mark.parametrize(
    ("odd", "messages", "closed"),
    [
        ({b"STATUS": b""}, 0, 1),
        ({b"STATUS": b"* STATUS INBOX (MESSAGES abc)\r\n"}, 0, 1),
        ({b"LIST": b'* LIST () "/" "&\xff-"\r\n'}, 0, 1),
        ({b"EXAMINE": b""}, 5, 0),
        ({b"FETCH": b"* 1 FETCH (RFC822.SIZE x)\r\n"}, 5, 0),
    ],
)
def test_an_answer_that_makes_no_sense_is_that_folders_alone(
    settings, odd: dict[bytes, bytes], messages: int, closed: int
) -> None:
    settings.IMAP_CA_FILE = ""
    says = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
        b"LIST": b'* LIST () "/" INBOX\r\n',
        b"STATUS": b"* STATUS INBOX (MESSAGES 5)\r\n",
        b"EXAMINE": b"* 5 EXISTS\r\n",
        **odd,
    }

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, command = line.split()[:2]
                connection.sendall(says.get(command, b"") + tag + b" OK done\r\n")

    with talking_server(talk) as port:
        end = Endpoint("127.0.0.1", port, "none", "lea")
        found = imap_survey.survey(end, "p", side=SOURCE, options=Options())
    assert (found.folders, found.messages, found.closed) == (1, messages, closed)
    assert not found.bytes


@pytest.mark.parametrize("what", [b"* LIST () NIL {4000000000}\r\n", b"* OK still here\r\n" * 99])
def test_a_server_that_talks_without_end_fills_no_memory(settings, monkeypatch, what):
    settings.IMAP_CA_FILE = ""
    monkeypatch.setattr(imap_survey, "MOST_BYTES", 100_000)

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
        connection.recv(1000)
        for _number in range(10_000):
            connection.sendall(what)

    with talking_server(talk) as port:
        end = Endpoint("127.0.0.1", port, "none", "lea")
        with pytest.raises(TroubleError, match="more than it should"):
            imap_survey.survey(end, "p", side=SOURCE, options=Options(), measures=False)


def test_no_command_changes_anything(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    said = set()
    send = imaplib.IMAP4.send

    def sent(self, data):
        said.update(re.findall(rb"^\w+ (\w+)", data))
        send(self, data)

    has = imap_survey.Connection.has_capability
    monkeypatch.setattr(imaplib.IMAP4, "send", sent)
    monkeypatch.setattr(
        imap_survey.Connection,
        "has_capability",
        lambda self, name: name != "STATUS=SIZE" and has(self, name),
    )
    imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    harmless = {"CAPABILITY", "AUTHENTICATE", "LIST", "NAMESPACE", "STATUS", "EXAMINE", "FETCH"}
    assert {word.decode() for word in said} == {*harmless, "LOGOUT"}


def test_a_silent_server_is_given_up_after_the_limit(silent_server, settings):
    settings.IMAP_CA_FILE = ""
    end = Endpoint("127.0.0.1", silent_server.port, "none", "lea")
    begin = time.monotonic()
    with pytest.raises(TroubleError):
        imap_survey.survey(end, "p", side=SOURCE, options=Options(), seconds=1)
    assert time.monotonic() - begin < 5


def test_a_dripping_server_is_given_up_after_the_limit(settings):
    """Each byte comes in time, the answer never."""
    settings.IMAP_CA_FILE = ""

    def drip(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ")
            for _number in range(200):
                connection.sendall(b"x")
                time.sleep(0.1)

    with talking_server(drip) as port:
        end = Endpoint("127.0.0.1", port, "none", "lea")
        begin = time.monotonic()
        with pytest.raises(TroubleError):
            imap_survey.survey(end, "p", side=SOURCE, options=Options(), seconds=1)
        assert time.monotonic() - begin < 5


def test_a_session_that_was_cut_before_it_had_a_line_ends_too(silent_server):
    end = Endpoint("127.0.0.1", silent_server.port, "none", "lea")
    session = Session(SOURCE, end, "s0urce-never-shown", "", 60.0, allows_local=True)
    assert "never-shown" not in repr(session)
    session.cut()
    begin = time.monotonic()
    with pytest.raises(TroubleError):
        session.open()
    assert time.monotonic() - begin < 10


@pytest.mark.django_db(transaction=True)
def test_whole_checks_at_real_servers(imap_pair, filled):
    target = imap_pair.destination.add_user("survey@new.example", "dest pass")
    ends = {
        f"{side}_{name}": value
        for side, server in (("source", imap_pair.source), ("destination", imap_pair.destination))
        for name, value in (("host", "localhost"), ("port", server.port_tls))
    }
    good = queued(
        source_address=filled,
        source_password="source pass",
        destination_address=target,
        destination_password="dest pass",
        **ends,
    )
    wrong = queued(
        source_address=filled,
        source_password="wrong",
        destination_address=f"other-{target}",
        destination_password="wrong",
        **ends,
    )
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    ready = Check.objects.get(job=good)
    assert (ready.state, ready.messages, ready.destination_messages) == ("ready", 8, 0)
    assert imap_pair.destination.count(target) == 0
    refused = Check.objects.get(job=wrong)
    assert refused.cause == Cause.SOURCE_PASSWORD
    assert "source server" in refused.problem
    assert "destination server" in refused.problem
    connections.close_all()
