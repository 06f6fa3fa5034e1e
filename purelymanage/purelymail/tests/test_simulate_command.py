"""`manage.py simulate_purelymail` as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import dns.message
import dns.query
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from purelymanage.purelymail.client import PurelyMailClient

pytestmark = pytest.mark.once


@contextmanager
def running(*arguments: str):
    """The command in a process, and the address that it prints."""
    command = [sys.executable, "manage.py", "simulate_purelymail", "--port", "0", *arguments]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            process.said = process.stdout.readline()
            yield process, re.search(r"http://[\d.:]+\d", process.said)[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_demo_stops_on_signals_and_keeps_its_state(tmp_path, number):
    state = str(tmp_path / "state.json")
    with running("--demo", "--state", state, "--token", "demo-token") as (process, url):
        client = PurelyMailClient(url=url, token="demo-token")
        assert len(client.list_users().addresses) == 40
        client.delete_user(address="press@lindenhof.example")
        client.close()
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""
    with running("--demo", "--state", state) as (_process, url):
        client = PurelyMailClient(url=url, token=settings.PURELYMAIL_API_TOKEN)
        assert len(client.list_users().addresses) == 39
        client.close()


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} on 127\.0\.0\.1 is taken"):
            call_command("simulate_purelymail", port=port)


def test_dns_is_served_where_asked_for_and_only_there():
    with running("--demo", "--dns-port", "0") as (process, _url):
        address, port = re.search(r"Its DNS answers at ([\d.]+):(\d+)", process.said).groups()
        query = dns.message.make_query("lindenhof.example", "MX")
        reply = dns.query.udp(query, address, port=int(port), timeout=5)
        assert reply.answer[0][0].to_text() == "50 mailserver.purelymail.com."
    with running() as (process, _url):
        assert "DNS" not in process.said


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_a_dns_port_that_is_taken_is_named(kind):
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} on .* is taken.* another --dns-port"):
            call_command("simulate_purelymail", port=0, dns_port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_other_hosts_than_loopback_are_refused(host):
    with pytest.raises(CommandError, match="not a loopback address"):
        call_command("simulate_purelymail", host=host, port=0)


def test_a_state_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "state.json").write_text("not ours")
    with pytest.raises(CommandError, match=r"state\.json does not hold a simulated account"):
        call_command("simulate_purelymail", port=0, state=tmp_path / "state.json")
