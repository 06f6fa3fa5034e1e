"""The simulator's DNS: a small server over UDP and TCP that says what the account's flags say."""

from __future__ import annotations

import socketserver
import threading
from contextlib import suppress
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

from purelymanage.purelymail.simulator import zones
from purelymanage.purelymail.simulator.service import Service

TTL = 1  # a demo has no patience for caches
LEAST_UDP = 512
MOST_UDP = 1232
MAX_STRING = 255
IN, TXT, CNAME = dns.rdataclass.IN, dns.rdatatype.TXT, dns.rdatatype.CNAME


class DnsServer:
    """Listens on the same port by UDP and TCP, until it is stopped."""

    def __init__(self, service: Service, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.service = service
        self._tcp = _Tcp(service, (host, port), _TcpHandler)
        try:
            self._udp = _Udp(service, self._tcp.server_address, _UdpHandler)
        except OSError:
            self._tcp.server_close()
            raise
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        """Where it answers, as DNS_RESOLVERS takes it."""
        host, port = self._udp.server_address[:2]
        return f"{host!s}:{port}"

    def start(self) -> None:
        """Serve in threads of its own."""
        for server in (self._udp, self._tcp):
            thread = threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop serving and free the port."""
        for server in (self._udp, self._tcp):
            if self._threads:
                server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


class _Serving:
    """What both servers carry along for their handlers."""

    service: Service
    daemon_threads = True
    block_on_close = False

    def __init__(self, service: Service, *args: Any) -> None:
        self.service = service
        super().__init__(*args)


class _Udp(_Serving, socketserver.ThreadingUDPServer):
    pass


class _Tcp(_Serving, socketserver.ThreadingTCPServer):
    allow_reuse_address = True


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        content, socket = self.request
        if packet := reply(self.server.service, content, is_tcp=False):
            socket.sendto(packet, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _Tcp
    timeout = 5

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            while length := int.from_bytes(self.rfile.read(2), "big"):
                packet = reply(self.server.service, self.rfile.read(length), is_tcp=True)
                if not packet:
                    return
                self.wfile.write(len(packet).to_bytes(2, "big") + packet)


def reply(service: Service, content: bytes, *, is_tcp: bool) -> bytes:
    """The answer to one packet; empty for what is no question."""
    try:
        query = dns.message.from_wire(content)
        answer = dns.message.make_response(query, recursion_available=True, our_payload=MOST_UDP)
    except dns.exception.DNSException:
        return b""
    if len(query.question) != 1 or query.question[0].rdclass != IN:
        answer.set_rcode(dns.rcode.NOTIMP)
    else:
        _answer(service, query.question[0], answer)
    if is_tcp:
        return answer.to_wire()
    size = min(max(query.payload, LEAST_UDP), MOST_UDP)
    try:
        return answer.to_wire(max_size=size)
    except dns.exception.TooBig:
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()


def _answer(service: Service, question: dns.rrset.RRset, answer: dns.message.Message) -> None:
    with service.lock:
        records = zones.records_at(service.account, question.name.to_text(omit_final_dot=True))
    if records is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return
    for kind, values in records.items():
        rdtype = dns.rdatatype.from_text(kind)
        if rdtype in (question.rdtype, CNAME):  # an alias answers whatever is asked
            answer.answer.append(
                dns.rrset.from_rdata_list(
                    question.name, TTL, [_rdata(rdtype, value) for value in values]
                )
            )


def _rdata(rdtype: dns.rdatatype.RdataType, value: str) -> dns.rdata.Rdata:
    if rdtype != TXT:
        return dns.rdata.from_text(IN, rdtype, value)
    content = value.encode()
    strings = [content[at : at + MAX_STRING] for at in range(0, len(content), MAX_STRING)]
    return dns.rdtypes.ANY.TXT.TXT(IN, TXT, strings)
