"""The simulator's DNS says what the account's flags say, over UDP and TCP, to anybody who asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from purelymanage.purelymail.simulator.dns_server import DnsServer
from purelymanage.purelymail.simulator.service import Service

pytestmark = pytest.mark.once


@pytest.fixture
def server() -> Iterator[DnsServer]:
    server = DnsServer(Service(token="token"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def account(server):
    return server.service.account


def ask(server: DnsServer, name: str, kind: str, *, by=dns.query.udp, **options):
    host, _colon, port = server.address.rpartition(":")
    return by(dns.message.make_query(name, kind, **options), host, port=int(port), timeout=5)


def values(reply) -> list[str]:
    return [record.to_text().strip('"') for rrset in reply.answer for record in rrset]


def test_a_domain_with_everything_published(server, account):
    account.add_domain("example.com")
    assert values(ask(server, "example.com", "MX")) == ["50 mailserver.purelymail.com."]
    assert "v=spf1 include:_spf.purelymail.com ~all" in values(ask(server, "example.com", "TXT"))
    assert account.ownership_code in values(ask(server, "example.com", "TXT"))
    for number in "123":
        key = ask(server, f"purelymail{number}._domainkey.example.com", "CNAME")
        assert values(key) == [f"key{number}.dkimroot.purelymail.com."]
    policy = ask(server, "_dmarc.Example.COM", "TXT")
    assert policy.answer[0].rdtype == dns.rdatatype.CNAME
    assert [value.lower() for value in values(policy)] == ["dmarcroot.purelymail.com."]


def test_a_failing_check_has_a_reason_one_can_find(server, account):
    account.add_domain("example.com", mx=False, spf=False, dkim=False, dmarc=False)
    assert "10 mx1.oldhost.example." in values(ask(server, "example.com", "MX"))
    assert "v=spf1 include:spf.oldhost.example -all" in values(ask(server, "example.com", "TXT"))
    keys = [ask(server, f"purelymail{n}._domainkey.example.com", "CNAME") for n in "123"]
    assert [len(values(key)) for key in keys] == [1, 0, 1]
    assert ask(server, "_dmarc.example.com", "CNAME").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("name", ["anything.example", "purelymail1.example", "xn--bcher-kva.de"])
def test_a_domain_nobody_has_touched_exists_and_stands_at_the_old_provider(server, account, name):
    assert "10 mx1.oldhost.example." in values(ask(server, name, "MX"))
    assert account.ownership_code not in values(ask(server, name, "TXT"))
    key = ask(server, f"purelymail1._domainkey.{name}", "CNAME")
    assert (key.rcode(), values(key)) == (dns.rcode.NXDOMAIN, [])
    account.publish_ownership(name)
    assert account.ownership_code in values(ask(server, name, "TXT"))


def test_a_name_below_invalid_does_not_exist(server):
    assert ask(server, "example.invalid", "MX").rcode() == dns.rcode.NXDOMAIN


def test_other_types_are_answered_with_nothing(server, account):
    account.add_domain("example.com")
    reply = ask(server, "example.com", "AAAA")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_what_is_too_long_for_udp_comes_by_tcp(server, account):
    account.ownership_code = "purelymail_ownership_proof=" + "ab" * 900
    account.add_domain("example.com")
    assert ask(server, "example.com", "TXT").flags & dns.flags.TC
    reply, used_tcp = dns.query.udp_with_fallback(
        dns.message.make_query("example.com", "TXT"),
        "127.0.0.1",
        port=int(server.address.rpartition(":")[2]),
        timeout=5,
    )
    assert used_tcp
    texts = [b"".join(record.strings).decode() for record in reply.answer[0]]
    assert account.ownership_code in texts


def test_rubbish_is_not_answered_and_harms_nobody(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        host, _colon, port = server.address.rpartition(":")
        client.sendto(b"\x00" * 7, (host, int(port)))
        client.sendto(dns.message.make_query(".", "MX").to_wire()[:-1], (host, int(port)))
    assert ask(server, "anything.example", "MX").answer


def test_what_was_published_outlives_a_restart(tmp_path: Path):
    kept = {"token": "token", "state_file": tmp_path / "state.json"}
    first = Service(**kept)
    first.account.publish_ownership("new.example")
    first.save()
    server = DnsServer(Service(**kept))
    server.start()
    try:
        assert first.account.ownership_code in values(ask(server, "new.example", "TXT"))
    finally:
        server.stop()
