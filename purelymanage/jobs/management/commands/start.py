"""`manage.py start`: the whole panel on one machine, under one supervisor."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError

from purelymanage.jobs.preparation import prepare
from purelymanage.jobs.supervisor import Service, Supervisor, clusters, manage

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
MEMORY = Path("/dev/shm")  # noqa: S108  not for files of ours
LOOK_SECONDS = 0.1
ANSWER_SECONDS = 120.0


class Command(BaseCommand):
    help = (
        "Serves the panel with its workers until Ctrl-C; in demo mode also the simulator of"
        " PurelyMail, its DNS and two IMAP servers. Database and static files are brought up to"
        " date first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        port, bind = options["port"], options["bind"]
        if port != settings.PORT:
            self._start_again_with(port)
        try:
            self._refuse_taken_ports(bind, port)
            self._prepare()
        except KeyboardInterrupt:
            sys.exit(130)
        services = [web(bind, port), *(demo() if settings.DEMO else [])]
        services += [replace(one, start_after=1) for one in (*clusters(), first_sync())]
        threading.Thread(target=self._announce, args=(bind, port), daemon=True).start()
        Supervisor(services, capacity=settings.SYNC_WORKERS).run()

    def _prepare(self) -> None:
        """What is amiss before anything is served is said in one sentence."""
        try:
            prepare()
            if settings.DEMO:
                call_command("seed_demo", stdout=self.stdout)
            call_command("setup_code", stdout=self.stdout)
        except DatabaseError as error:
            raise ImproperlyConfigured(
                f"The database cannot be used: {str(error).strip()}. Start it, or correct"
                " DATABASE_URL."
            ) from None
        except OSError as error:
            raise ImproperlyConfigured(
                f"{error.filename or settings.DATA_DIR} cannot be written: {error.strerror}."
                " Make room or correct its rights, or choose another place with DATA_DIR."
            ) from None

    def _start_again_with(self, port: int) -> None:
        """Several settings follow from the port, and only the environment sets it."""
        os.environ["PORT"] = str(port)
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606  ourselves

    def _refuse_taken_ports(self, bind: str, port: int) -> None:
        ports = [(bind, port, "PORT", TCP)]
        if settings.DEMO:
            first, last = settings.DEMO_PORT, settings.DEMO_DNS_PORT
            ports += [("127.0.0.1", one, "DEMO_PORT", TCP) for one in range(first, last + 1)]
            ports += [("127.0.0.1", last, "DEMO_PORT", UDP)]
        for address, number, setting, transport in ports:
            if problem := problem_with(address, number, transport):
                raise ImproperlyConfigured(
                    f"Port {number} on {address} cannot be used: {problem}. Stop the program that"
                    f" has it, or choose another with {setting}, such as:"
                    f" {setting}={number + 100} bin/run"
                )

    def _announce(self, bind: str, port: int) -> None:
        """Say where to look, as soon as there is something to see."""
        host = "127.0.0.1" if bind in ("0.0.0.0", "::") else bind  # noqa: S104  compared, not bound
        request = urllib.request.Request(
            f"http://{host}:{port}/healthz", headers={"Host": urlsplit(settings.BASE_URL).netloc}
        )
        give_up = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < give_up:
            try:
                with suppress(urllib.error.HTTPError):  # any answer will do
                    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310  as above
            except OSError:
                time.sleep(LOOK_SECONDS)
            else:
                self.stdout.write(f"PurelyManage is ready: {settings.BASE_URL}/")
                self.stdout.write("Ctrl-C stops it.")
                self.stdout.flush()
                return


def web(bind: str, port: int) -> Service:
    """The web server: threads, because pages wait for the database and not for the processor."""
    address = f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"
    argv = [
        sys.executable,
        "-m",
        "gunicorn",
        "purelymanage.wsgi",
        "--chdir",
        str(settings.BASE_DIR),
    ]
    argv += ["--bind", address, "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    argv += ["--preload", "--no-control-socket", "--keep-alive", "10"]
    if MEMORY.is_dir():  # heartbeats on a disk that hangs would look like workers that hang
        argv += ["--worker-tmp-dir", str(MEMORY)]
    argv += ["--log-level", "warning", "--graceful-timeout", "5"]
    return Service(name="web", argv=tuple(argv))


def demo() -> list[Service]:
    """What stands in for PurelyMail and the old provider."""
    simulator = ["simulate_purelymail", "--demo", "--port", str(settings.DEMO_PORT)]
    simulator += ["--dns-port", str(settings.DEMO_DNS_PORT)]
    simulator += ["--state", str(settings.DATA_DIR / "simulator.json")]
    return [
        manage("simulator", *simulator, is_needed_by_others=True),
        manage("demo IMAP", "demo_imap", is_needed_by_others=True),
    ]


def first_sync() -> Service:
    """Fills the local copy, so that a new panel is not empty until the next schedule."""
    sync = ("sync_purelymail", "--wait", "60", "--skip-checks")  # this command has made them
    return manage("first sync", *sync, is_once=True)


def problem_with(address: str, port: int, transport: socket.SocketKind = TCP) -> str:
    """Why nobody can listen there, or nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, transport) as probe:
            if transport == TCP:  # with UDP it would share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""
