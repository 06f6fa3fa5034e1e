"""The `dns` fixture: a real DNS server on loopback, UDP and TCP, that says what a test wants."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Literal, get_args

import pytest
from dnslib import CNAME, MX, NS, QTYPE, RCODE, RR, TXT, DNSRecord
from pytest_django import Settings

from domains import dns as door
from domains.expected import expected_records, full_name

Fault = Literal["servfail", "refused", "notimp", "timeout", "nxdomain", "truncated", "rubbish"]
CODE = "purelymail_ownership_proof=" + "0123456789abcdef" * 8
Value = str | bytes | list[str]
UDP_SIZE = 1232
SHORT_PATIENCE = 1.0
MAX_HOPS = 12


class DnsZones:
    """What the server answers. Names are kept in lower case; anything unknown is NXDOMAIN."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.queries: Counter[tuple[str, str]] = Counter()
        """How often each (name, type) was asked for."""
        self.port = 0
        self.tcp_queries: Counter[tuple[str, str]] = Counter()
        self._domains: set[str] = set()
        self._records: dict[tuple[str, str], list[Any]] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        self._is_down = False
        self._lock = threading.Lock()
        self._monkeypatch = monkeypatch

    def register(self, domain: str) -> None:
        """A domain that exists and has no record that matters."""
        self._domains.add(domain.lower())

    def publish(self, domain: str, ownership: str = CODE) -> None:
        """All seven records as they should be."""
        self.register(domain)
        values = defaultdict(list)
        for record in expected_records(ownership):
            values[full_name(domain, record.name), record.type].append(record.value)
        for (name, kind), found in values.items():
            self.set(name, kind, *found)

    def set(self, name: str, kind: str, *values: Value) -> None:
        """The values of one type at one name; a list is a TXT in several strings."""
        self._records[name.lower(), kind] = list(values)

    def add(self, name: str, kind: str, *values: Value) -> None:
        """More values beside those that are there."""
        self._records.setdefault((name.lower(), kind), []).extend(values)

    def remove(self, name: str, kind: str) -> None:
        """No value of this type at this name; the domain stays."""
        self._records.pop((name.lower(), kind), None)

    def nxdomain(self, domain: str) -> None:
        """The domain is gone, and all below it."""
        domain = domain.lower()
        self._domains.discard(domain)
        self._records = {
            key: values
            for key, values in self._records.items()
            if key[0] != domain and not key[0].endswith(f".{domain}")
        }

    def fail(self, name: str, kind: str, fault: Fault) -> None:
        """Answer this question so from now on; `*` for kind is every type."""
        if fault not in get_args(Fault):
            raise ValueError(f"No such fault: {fault}. There are {', '.join(get_args(Fault))}.")
        self._faults[name.lower(), kind] = fault
        if fault in ("timeout", "rubbish"):
            self.give_up_after(SHORT_PATIENCE)

    def heal(self) -> None:
        """No fault any more, and the server is up."""
        self._faults.clear()
        self._is_down = False

    def down(self) -> None:
        """Answer nothing until `up`."""
        self._is_down = True
        self.give_up_after(SHORT_PATIENCE)

    def up(self) -> None:
        """Answer again."""
        self._is_down = False

    def give_up_after(self, seconds: float) -> None:
        """Shorten our patience for the rest of this test."""
        if self._monkeypatch is not None:
            self._monkeypatch.setattr(door, "QUESTION_SECONDS", seconds)

    def answer(self, data: bytes, *, is_tcp: bool) -> bytes:
        """The packet to send back; empty for silence."""
        query = DNSRecord.parse(data)
        name, kind = str(query.q.qname).rstrip(".").lower(), str(QTYPE[query.q.qtype])
        with self._lock:
            self.queries[name, kind] += 1
            if is_tcp:
                self.tcp_queries[name, kind] += 1
        fault = self._faults.get((name, kind)) or self._faults.get((name, "*"))
        if self._is_down or fault == "timeout":
            return b""
        reply = query.reply()
        if fault == "truncated" and not is_tcp:
            reply.header.tc = 1
        elif fault == "rubbish":
            return bytes(data[:2]) + b"\x84\x00\x00\x01\x00\x05\x00\x00\x00\x00\xff"
        elif fault in ("servfail", "refused", "notimp", "nxdomain"):
            reply.header.rcode = getattr(RCODE, fault.upper())
        else:
            self._resolve(reply, query, name, kind)
        packet = bytes(reply.pack())
        if is_tcp or len(packet) <= UDP_SIZE:
            return packet
        reply.rr.clear()
        reply.header.tc = 1
        return bytes(reply.pack())

    def _resolve(self, reply: DNSRecord, query: DNSRecord, name: str, kind: str) -> None:
        """As a recursive resolver: aliases are followed, a loop among them is SERVFAIL."""
        owner = query.q.qname
        for _hop in range(MAX_HOPS):
            alias = self._records.get((name, "CNAME"))
            if alias is None or kind == "CNAME":
                break
            reply.add_answer(RR(owner, QTYPE.CNAME, rdata=CNAME(alias[0]), ttl=60))
            owner, name = alias[0], alias[0].rstrip(".").lower()
        else:
            reply.rr.clear()
            reply.header.rcode = RCODE.SERVFAIL
            return
        for value in self._records.get((name, kind), []):
            reply.add_answer(RR(owner, getattr(QTYPE, kind), rdata=_rdata(kind, value), ttl=60))
        if not self._exists(name):
            reply.header.rcode = RCODE.NXDOMAIN

    def _exists(self, name: str) -> bool:
        names = self._domains | {known for known, _kind in self._records}
        return any(known == name or known.endswith(f".{name}") for known in names)


def _rdata(kind: str, value: Value) -> Any:
    if kind == "TXT":
        return TXT(value if isinstance(value, list) else [value])
    if kind == "MX":
        preference, host = str(value).split()
        return MX(host, int(preference))
    return {"CNAME": CNAME, "NS": NS}[kind](value)


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        data, socket = self.request
        if packet := self.server.zones.answer(data, is_tcp=False):
            socket.sendto(packet, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        length = int.from_bytes(self.rfile.read(2), "big")
        if packet := self.server.zones.answer(self.rfile.read(length), is_tcp=True):
            self.wfile.write(len(packet).to_bytes(2, "big") + packet)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    zones: DnsZones


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    zones: DnsZones


@pytest.fixture(scope="session")
def dns_servers() -> Iterator[tuple[_UdpServer, _TcpServer]]:
    """The same port for UDP and TCP, for the whole run."""
    while True:
        udp = _UdpServer(("127.0.0.1", 0), _UdpHandler)
        try:
            tcp = _TcpServer(udp.server_address, _TcpHandler)
            break
        except OSError:
            udp.server_close()
    threads = [
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        for one in (udp, tcp)
    ]
    for thread in threads:
        thread.start()
    yield udp, tcp
    for one, thread in zip((udp, tcp), threads, strict=True):
        one.shutdown()
        thread.join()
        one.server_close()


@pytest.fixture
def dns(
    dns_servers: tuple[_UdpServer, _TcpServer],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> DnsZones:
    """An empty DNS that `domains.dns` asks; see `DnsZones`."""
    zones = DnsZones(monkeypatch)
    for server in dns_servers:
        server.zones = zones
    zones.port = dns_servers[0].server_address[1]
    settings.DNS_RESOLVERS = [f"127.0.0.1:{zones.port}"]
    return zones
