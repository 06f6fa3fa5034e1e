"""Where people can aim the panel at, by any door: the form, the login test, either engine."""

from __future__ import annotations

import socket

import pytest
from django.test import Client
from django.urls import reverse

from migrations_app.engines.builtin.session import Session
from migrations_app.engines.network_words import without_wrapping
from migrations_app.models import Server
from migrations_app.tests.factories import ServerFactory
from migrations_app.tests.places import (
    HIDDEN,
    PASSWORD,
    attempt,
    connections_of,
    listening,
    open_session,
    resolve,
)

# The form

LOCAL_HOSTS = [
    "localhost",
    "LOCALHOST.",
    "imap.localhost",
    "127.0.0.1",
    "127.8.8.8",
    "[::1]",
    "0.0.0.0",
    "169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
]
SPELLINGS = [
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "127.1",
    "0177.0.0.1",
    "127.0.0.0x1",
    "\uff11\uff12\uff17.\uff11",
]


def add(client: Client, host: str, port: int = 993) -> str:
    data = {"name": "Old", "host": host, "port": port, "security": "tls"}
    response = client.post(reverse("migrations:server_add"), data)
    return "" if response.status_code == 302 else response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_server_on_this_machine_or_its_link_is_not_saved(admin_client: Client, host: str) -> None:
    assert "IMAP_ALLOW_LOCAL" in add(admin_client, host)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("host", SPELLINGS)
def test_addresses_in_odd_spellings_are_no_hosts(admin_client: Client, host: str) -> None:
    assert "not a host name or IP address" in add(admin_client, host)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", ["imap.old.example", "10.1.2.3", "192.168.1.4", "fd00::25"])
def test_public_names_and_private_networks_are_saved(admin_client: Client, host: str) -> None:
    assert add(admin_client, host) == ""
    assert Server.objects.get().host == host


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("port", [22, 25, 80, 6379, 65535])
def test_other_ports_are_not_saved(admin_client: Client, port: int) -> None:
    assert "Use port 143 or 993" in add(admin_client, "imap.old.example", port)
    assert not Server.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("strict")
def test_a_server_cannot_be_changed_to_one_of_this_machine(admin_client: Client) -> None:
    server = ServerFactory(host="imap.old.example")
    data = {"name": "Old", "host": "127.0.0.1", "port": 25, "security": "tls"}
    page = admin_client.post(reverse("migrations:server_edit", args=[server.pk]), data)
    assert page.status_code == 422
    assert Server.objects.get().host == "imap.old.example"


@pytest.mark.django_db
def test_the_operator_can_allow_both(admin_client: Client) -> None:
    assert add(admin_client, "127.0.0.1", 11143) == ""


# The login test


@pytest.mark.usefixtures("strict", "no_connection")
@pytest.mark.parametrize("address", HIDDEN)
def test_a_name_that_leads_here_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [address])
    report = attempt("rebound.example")
    assert report.failed is not None
    assert "leads to this machine or its own link" in report.failed.sentence
    assert address not in repr(report.failed)


@pytest.mark.usefixtures("strict", "no_connection")
def test_one_address_that_leads_here_spoils_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, ["9.9.9.9", "127.0.0.1"])
    report = attempt("rebound.example")
    assert report.failed is not None
    assert "leads to this machine" in report.failed.sentence


@pytest.mark.usefixtures("strict", "no_connection")
def test_a_port_that_is_not_for_imap_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve(monkeypatch, ["9.9.9.9"])
    report = attempt("imap.old.example", 22)
    assert report.failed is not None
    assert "Use port 143 or 993" in report.failed.sentence
    assert asked == []


@pytest.mark.usefixtures("strict")
def test_the_login_test_connects_to_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve(monkeypatch, ["9.9.9.9"], ["127.0.0.1"])
    places = connections_of(monkeypatch)
    attempt("rebound.example")
    assert (asked, places) == (["rebound.example"], [("9.9.9.9", 993)])


BANNERS = [
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    b"220 internal.example ESMTP Postfix Debian-2\r\n",
    b"HTTP/1.1 400 Bad Request\r\nServer: Debian-2\r\n\r\n",
    b"-ERR unknown command, Debian-2\r\n",
    b"+OK Dovecot (Debian-2) ready.\r\n",
    b"* NO this is Debian-2\r\n",
    b"* this is Debian-2\r\n",
]


@pytest.mark.once
@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("is_tls", [True, False])
def test_what_other_services_say_is_shown_to_nobody(
    banner: bytes, is_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoTls:
        """Stands in for a handshake that went well."""

        minimum_version = None

        def wrap_socket(self, sock: socket.socket, **_options: object) -> socket.socket:
            return sock

    for name in ("migrations_app.imap.probe.tls_context", f"{Session.__module__}.Session._context"):
        monkeypatch.setattr(name, lambda *_args: NoTls())
    monkeypatch.setattr("migrations_app.imap.probe._Attempt._trusted", lambda *_args: None)
    security = "tls" if is_tls else "none"
    with listening(banner) as (port, heard):
        report = attempt("127.0.0.1", port, security)
        words = open_session("127.0.0.1", port, security, allows_local=True)
    assert report.failed is not None
    assert "Debian" not in repr(report) + words + without_wrapping(words)
    assert PASSWORD.encode() not in b"".join(heard)


@pytest.mark.once
def test_a_greeting_without_end_is_left_after_a_million_bytes() -> None:
    with listening(b"* OK {2000000000}\r\n" + b"x" * 5_000_000) as (port, _heard):
        report = attempt("127.0.0.1", port, "none")
    assert report.failed is not None
    assert "not as an IMAP server does" in report.failed.sentence
