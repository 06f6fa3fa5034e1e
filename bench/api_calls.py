"""What the panel asks of PurelyMail in a day: `python -m bench.api_calls --json`.

Everything is real but the time: the schedules and their tasks, the client over HTTP, our lookups
over UDP, and the dashboards of three people, refreshed every minute by Django's test client. The
clock is moved on a minute at a time, from the first start of an empty panel. The simulator counts.
SQLite in a temporary directory, or the empty PostgreSQL database that DATABASE_URL names; it is
emptied again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import time_machine

from bench.panel import ROOT, panel

if TYPE_CHECKING:
    from django.test import Client

    from purelymanage.purelymail.simulator.service import Service

DOMAINS = 50
FAILING = 10
MAILBOXES = 1000
RULES = 100
PEOPLE = 3
HOURS = 24
START = datetime(2027, 1, 11, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AS_HTMX = {"HX-Request": "true", "HX-Target": "live"}


@dataclass
class Day:
    """What was counted."""

    by_operation: Counter[str] = field(default_factory=Counter)
    page_view_calls: int = 0
    page_views: int = 0
    busiest_hour: int = 0

    def figures(self) -> dict[str, Any]:
        calls = self.by_operation.total()
        return {
            "calls_24h": calls,
            "calls_per_hour": round(calls / HOURS, 2),
            "page_view_calls": self.page_view_calls,
            "by_operation": dict(sorted(self.by_operation.items())),
        }


@contextmanager
def purelymail(*, failing: int) -> Iterator[Service]:
    """The simulator with its DNS server; the real client and our own lookups ask these two."""
    from django.conf import settings

    from purelymanage.purelymail.simulator.account import Account
    from purelymanage.purelymail.simulator.dns_server import DnsServer
    from purelymanage.purelymail.simulator.server import SimulatorServer
    from purelymanage.purelymail.simulator.service import Service

    account = Account()
    for number in range(DOMAINS):
        account.add_domain(f"domain{number}.example", spf=number >= failing)
    for number in range(MAILBOXES):
        account.add_user(f"person{number}@domain{number % DOMAINS}.example")
    for number in range(RULES):
        domain = f"domain{number % DOMAINS}.example"
        account.add_rule(domain, f"alias{number}", f"person{number}@{domain}")
    service = Service(token=settings.PURELYMAIL_API_TOKEN, new_account=lambda: account)
    server, dns = SimulatorServer(service), DnsServer(service)
    server.start()
    dns.start()
    settings.PURELYMAIL_API_URL = server.url
    settings.DNS_RESOLVERS = [dns.address]
    try:
        yield service
    finally:
        dns.stop()
        server.stop()


class Clock:
    """Runs the tasks of `SCHEDULES` when they are due, as django-q does."""

    def __init__(self) -> None:
        from purelymanage.jobs.schedules import SCHEDULES

        self.next_runs = {item: item.first_run for item in SCHEDULES}

    def tick(self, now: datetime) -> None:
        from django.utils.module_loading import import_string

        for item, due in self.next_runs.items():
            if due <= now:
                import_string(item.task)()
                self.next_runs[item] = due + timedelta(minutes=item.minutes)


def people() -> list[Client]:
    """Three who are signed in and leave the dashboard open."""
    from django.test import Client

    from accounts.models import User
    from purelymanage.core.roles import Role

    clients = []
    for number, role in enumerate((Role.OWNER, Role.ADMIN, Role.VIEWER)):
        user = User.objects.create_user(
            email=f"person{number}@panel.example", name=f"Person {number}", role=role
        )
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        get(client)
        clients.append(client)
    return clients


def get(client: Client, **headers: Any) -> None:
    response = client.get("/", **headers)
    if response.status_code != 200:
        raise SystemExit(f"The dashboard answered {response.status_code}.")


def live_through(service: Service) -> Day:
    """A day, minute by minute: what is due is done, then everybody's dashboard refreshes."""
    day = Day()
    with time_machine.travel(START) as traveller:
        clients, clock = people(), Clock()
        before_hour = service.calls.total()
        for minute in range(HOURS * 60):
            now = START + minute * MINUTE
            traveller.move_to(now)
            clock.tick(now)
            before = service.calls.total()
            for client in clients:
                get(client, headers=AS_HTMX)
                day.page_views += 1
            calls = service.calls.total()
            day.page_view_calls += calls - before
            if minute % 60 == 59:
                day.busiest_hour = max(day.busiest_hour, calls - before_hour)
                before_hour = calls
    day.by_operation = service.calls
    return day


def refuse_nonsense(day: Day) -> None:
    """A panel that did not work would be cheap, too."""
    from django.db.models import Q

    from domains.models import DnsRecord, Domain, SyncState
    from mailboxes.models import Mailbox

    rows = Domain.objects.count(), Mailbox.objects.count(), DnsRecord.objects.count()
    if rows != (DOMAINS, MAILBOXES, DOMAINS * 7):
        raise SystemExit(f"The copy does not hold what PurelyMail does: {rows}")
    if Domain.objects.filter(Q(checked_at=None) | Q(looked_at=None)).exists():
        raise SystemExit("Not every domain was checked and looked up.")
    if SyncState.objects.exclude(error="").exists():
        raise SystemExit("A refresh failed.")
    if day.page_views != PEOPLE * HOURS * 60:
        raise SystemExit(f"{day.page_views} dashboards were shown.")


def naive_refresh(service: Service) -> int:
    """The calls of one dashboard refresh of the naive way, really made."""
    from domains.models import Domain
    from purelymanage.purelymail.client import get_client

    before = service.calls.total()
    client = get_client()
    for name in Domain.objects.values_list("name", flat=True):
        client.update_domain_settings(name=name, recheck_dns=True)
    client.list_domains()
    client.list_users()
    return service.calls.total() - before


def measure(*, failing: int) -> dict[str, Any]:
    """A day of a panel that starts empty, and one refresh of the naive way."""
    with panel(os.environ.get("DATABASE_URL", "")):
        from django.core.management import call_command
        from django_q.conf import Conf

        Conf.SYNC = True  # what a task enqueues runs at once
        call_command("collectstatic", interactive=False, verbosity=0)
        with purelymail(failing=failing) as service:
            day = live_through(service)
            refuse_nonsense(day)
            naive = naive_refresh(service)
    return {"figures": day.figures(), "busiest_hour": day.busiest_hour, "naive": naive}


def measure_apart(*numbers: int) -> list[dict[str, Any]]:
    """The same for each number of failing domains, in a process and a database of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    argv = [sys.executable, "-m", "bench.api_calls", "--failing"]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number in numbers:
            day = subprocess.Popen([*argv, str(number)], cwd=ROOT, stdout=subprocess.PIPE)
            running.append(day)
            if os.environ.get("DATABASE_URL"):  # there is but one: one after the other
                day.wait()
        return [json.loads(day.communicate()[0] or "{}") for day in running]
    finally:
        for day in running:
            day.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--failing", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["EMAIL_URL"] = "dummymail://"
    if options.failing is not None:
        print(json.dumps(measure(failing=options.failing)))
        return
    healthy, failing = measure_apart(0, FAILING)
    if not (healthy and failing):
        raise SystemExit("A measurement failed; it said why above.")
    calls = healthy["naive"]
    result = healthy["figures"] | {
        "with_10_failing": failing["figures"],
        "naive": {
            "calls_24h": calls * HOURS * 60,
            "calls_per_hour": calls * 60,
            "how": f"each refresh of one dashboard rechecks {DOMAINS} domains, lists the domains "
            f"and lists the mailboxes: {calls} calls a minute for one viewer",
        },
    }
    print(json.dumps(result, indent=None if options.json else 2))
    if not options.json:
        hours = healthy["busiest_hour"], failing["busiest_hour"]
        print(f"Calls in the first and busiest hour: {hours[0]}, with failing domains {hours[1]}")


if __name__ == "__main__":
    main()
