"""Run a small PurelyMail of our own, until Ctrl-C."""

from __future__ import annotations

import errno
import signal
import threading
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from purelymanage.core.hosts import is_loopback
from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.demo import demo_account
from purelymanage.purelymail.simulator.dns_server import DnsServer
from purelymanage.purelymail.simulator.server import SimulatorServer
from purelymanage.purelymail.simulator.service import Service

Server = TypeVar("Server", SimulatorServer, DnsServer)


class Command(BaseCommand):
    """For demo mode, development, and tests that need a process of its own."""

    help = (
        "Run a simulated PurelyMail: all 19 operations with state, and faults that can be "
        "switched on under /_simulator/ (see purelymanage/purelymail/simulator/server.py). "
        "With --dns-port also a DNS server that says what its domains have published."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and what the account holds."""
        parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
        parser.add_argument("--port", type=int, default=8010, help="default: 8010; 0 for any")
        parser.add_argument(
            "--dns-port", type=int, metavar="PORT", help="also serve DNS there; 0 for any"
        )
        parser.add_argument("--token", default="", help="default: the PURELYMAIL_API_TOKEN setting")
        parser.add_argument("--demo", action="store_true", help="begin with the demo account")
        parser.add_argument(
            "--state", type=Path, metavar="FILE", help="keep the account in this file"
        )
        parser.add_argument("--force", action="store_true", help="allow a host other than loopback")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        if not (options["force"] or is_loopback(options["host"])):
            raise CommandError(
                f"{options['host']} is not a loopback address. The simulator protects nothing: "
                "use --host 127.0.0.1, or --force if you are sure."
            )
        service = _service(options)
        with ExitStack() as running:
            server = _started(SimulatorServer, service, running, option="port", **options)
            said = f"The PurelyMail simulator answers at {server.url}."
            if options["dns_port"] is not None:
                names = _started(DnsServer, service, running, option="dns_port", **options)
                said += f" Its DNS answers at {names.address}."
            stop = threading.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            self.stdout.write(f"{said} Ctrl-C stops it.")
            self.stdout.flush()
            stop.wait()


def _service(options: dict[str, Any]) -> Service:
    token = options["token"] or settings.PURELYMAIL_API_TOKEN
    if not token:
        raise CommandError("Name the token to accept with --token, or set PURELYMAIL_API_TOKEN.")
    try:
        return Service(
            token=token,
            new_account=demo_account if options["demo"] else Account,
            state_file=options["state"],
        )
    except (OSError, ValueError) as error:
        raise CommandError(f"The state file cannot be used: {error}") from error


def _started(
    kind: type[Server], service: Service, running: ExitStack, *, option: str, **options: Any
) -> Server:
    """A server that serves until `running` ends."""
    host, port = options["host"], options[option]
    try:
        server = kind(service, host=host, port=port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} on {host} is taken. Stop what uses it, or choose another"
                f" --{option.replace('_', '-')}."
            ) from error
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
    running.callback(server.stop)
    server.start()
    return server
