"""What a page costs: `python -m bench.pages --json`.

Queries and server milliseconds of every list and page with 5,000 mailboxes on 200 domains, beside
a bare view (`bench/bare.py`) behind the same middleware: from the request's arrival at Django to
the last byte of its answer, in this process; beside it the CPU time of this process alone, which
a busy machine changes less. The pages take turns, so that what else the machine does meets all of
them alike. Queries are also counted with a small company, to show that size does not matter. Exit
status 1 where a list needs more than it may.

It runs on PostgreSQL: in a database of its own on the server that `--postgres` or DATABASE_URL
names, else on a server that it starts and removes again.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.panel import p95, panel
from bench.postgres import database

VIEWS = 40
WARM_UP = 5
MAX_QUERIES = 12
MAX_TIMES_BARE = 3.0
MAX_TIMES_COUNTING = 10.0
"""Of lists that count all jobs of a batch, 10,000 of them."""
HTMX = {"HTTP_HX_REQUEST": "true"}


@dataclass
class Page:
    """One address; lists have limits to hold."""

    name: str
    address: str
    is_list: bool = False
    counts_a_batch: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    size: int = 0


def pages() -> list[Page]:
    """Every list as a whole and as htmx asks for it, searched and at its end; then the pages."""
    from domains.models import Domain
    from mailboxes.models import Mailbox
    from migrations_app.models import Batch, CutOver, MigrationJob

    domain, mailbox = Domain.objects.earliest("name"), Mailbox.objects.earliest("address")
    job, batch = MigrationJob.objects.earliest("pk"), Batch.objects.earliest("pk")
    cut_over = CutOver.objects.earliest("pk")
    of_batch = f"/migrations/batches/{batch.pk}/"
    lists = {
        "mailboxes": ("/mailboxes/", "person-00"),
        "domains": ("/domains/", "company-0"),
        "routing": ("/routing/", "alias-0"),
        "migrations": ("/migrations/", "person-000"),
        "batch": (of_batch, "person-000"),
        "deletions": ("/deletions/", "person-000"),
        "audit": ("/settings/audit/", ""),
    }
    found = []
    for name, (address, text) in lists.items():
        kind = {"is_list": True, "counts_a_batch": name in ("migrations", "batch")}
        found += [
            Page(name, address, **kind),
            Page(f"{name}, fragment", address, headers=HTMX, **kind),
            Page(f"{name}, last page", f"{address}?page=9999", **kind),
        ]
        if text:
            searched = f"{address}?q={text}"
            found.append(Page(f"{name}, search", searched, **kind))
            found.append(Page(f"{name}, search, fragment", searched, headers=HTMX, **kind))
    counting = {"is_list": True, "counts_a_batch": True}
    return [
        *found,
        Page("audit, filtered", "/settings/audit/?action=rule.created", is_list=True),
        Page("deletions, history", "/deletions/?tab=history", is_list=True),
        Page("migrations, news", "/migrations/live/", headers=HTMX, **counting),
        Page("batch, news", f"{of_batch}live/", headers=HTMX, **counting),
        Page("batches", "/migrations/batches/", **counting),
        Page("batches, news", "/migrations/batches/live/", headers=HTMX, **counting),
        Page("checks", f"/migrations/checks/?batch={batch.pk}", **counting),
        Page("cut-overs", "/migrations/cutovers/", is_list=True),
        Page("cut-over", f"/migrations/cutovers/{cut_over.pk}/"),
        Page("report of a job", f"/migrations/{job.pk}/report/"),
        Page("report of a batch", f"{of_batch}report/"),
        Page("hosts", "/settings/migrations/"),
        Page("dashboard", "/"),
        Page("dashboard, fragment", "/", headers=HTMX),
        Page("domain", f"/domains/{domain.pk}/"),
        Page("mailbox", f"/mailboxes/{mailbox.pk}/"),
        Page("job", f"/migrations/{job.pk}/"),
        Page("palette, search", "/palette/?q=person", headers=HTMX),
        Page("tracer", f"/routing/trace/?address={mailbox.address}", headers=HTMX),
    ]


class Visitor:
    """Somebody who is signed in, asking Django as the web server does."""

    def __init__(self, cookie: str) -> None:
        from django.conf import settings
        from django.core.wsgi import get_wsgi_application

        self.application = get_wsgi_application()
        site = urlsplit(settings.BASE_URL)
        self.environ = {
            "REQUEST_METHOD": "GET",
            "SERVER_NAME": site.hostname,
            "SERVER_PORT": str(site.port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": site.netloc,
            "HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={cookie}",
            "wsgi.url_scheme": site.scheme,
            "wsgi.errors": sys.stderr,
        }

    def get(self, page: Page) -> tuple[float, float]:
        """How long the whole answer took, in seconds, and how much of it we reckoned ourselves."""
        path, _mark, query = page.address.partition("?")
        environ = self.environ | {"PATH_INFO": path, "QUERY_STRING": query} | page.headers
        environ["wsgi.input"] = io.BytesIO()
        statuses: list[str] = []
        began, reckoned = time.perf_counter(), time.process_time()
        answer = self.application(environ, lambda status, _headers: statuses.append(status))
        size = sum(len(part) for part in answer)
        answer.close()
        took = time.perf_counter() - began, time.process_time() - reckoned
        if not statuses[0].startswith("200"):
            raise SystemExit(f"{page.name} ({page.address}) answered {statuses[0]}.")
        page.size = size
        return took

    def queries(self, page: Page) -> int:
        """How many a further view needs; what is only noted once in a while is left out."""
        self.get(page)
        return min(self._counted(page) for _ in range(2))

    def _counted(self, page: Page) -> int:
        from django.db import connection

        count = 0

        def counted(execute: Any, *args: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*args)

        with connection.execute_wrapper(counted):
            self.get(page)
        return count


def signed_in() -> tuple[Any, str]:
    """An admin, and the key of their session."""
    from accounts.models import User
    from bench.panel import session_of
    from purelymanage.core.roles import Role

    user = User.objects.create_user(email="ada@panel.example", name="Ada", role=Role.ADMIN)
    return user, session_of(user)


def run(views: int) -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from bench.company import Size, grow

    nothing = Size(0, 0, 0, 0, 0, 0)
    small = Size(domains=60, mailboxes=250, rules=120, jobs=200, entries=400, deletions=4)
    full = Size(
        domains=200, mailboxes=5_000, rules=2_000, jobs=10_000, entries=20_000, deletions=200
    )
    settings.ROOT_URLCONF = "bench.bare"
    call_command("collectstatic", interactive=False, verbosity=0)
    person, cookie = signed_in()
    visitor = Visitor(cookie)
    grow(nothing, small, person=person)
    bare, measured = Page("bare", "/bare/"), pages()
    for page in measured:
        page.queries["small"] = visitor.queries(page)
    grow(small, full, person=person)
    for page in [bare, *measured]:
        page.queries["full"] = visitor.queries(page)
    for turn in range(WARM_UP + views):
        for page in [bare, *measured]:
            seconds, cpu = visitor.get(page)
            if turn >= WARM_UP:
                page.seconds.append(seconds)
                page.cpu.append(cpu)
    return {
        "postgresql": connection.pg_version,
        "rows": vars(full),
        "views": views,
        "bare": figures(bare),
        "pages": {page.name: figures(page, bare) for page in measured},
        "limits": {
            "queries": MAX_QUERIES,
            "times_bare": MAX_TIMES_BARE,
            "times_bare_counting": MAX_TIMES_COUNTING,
        },
        "too_much": [page.name for page in measured if page.is_list and costs_too_much(page, bare)],
    }


def figures(page: Page, bare: Page | None = None) -> dict[str, Any]:
    median = statistics.median(page.seconds)
    facts: dict[str, Any] = {
        "queries": page.queries["full"],
        "median_ms": round(1000 * median, 1),
        "p95_ms": round(1000 * p95(page.seconds), 1),
        "cpu_ms": round(1000 * statistics.median(page.cpu), 1),
        "kB": round(page.size / 1000),
    }
    if bare:
        facts["queries_small"] = page.queries["small"]
        facts["times_bare"] = times_bare(page, bare)
    return facts


def times_bare(page: Page, bare: Page) -> float:
    return round(statistics.median(page.seconds) / statistics.median(bare.seconds), 2)


def costs_too_much(page: Page, bare: Page) -> bool:
    queries = page.queries["full"]
    is_same = queries == page.queries["small"]
    most_times = MAX_TIMES_COUNTING if page.counts_a_batch else MAX_TIMES_BARE
    return queries > MAX_QUERIES or not is_same or times_bare(page, bare) > most_times


def show(result: dict[str, Any]) -> None:
    heads = ("queries", "small", "median", "p95", "cpu", "x bare", "kB")
    names = ("queries", "queries_small", "median_ms", "p95_ms", "cpu_ms", "times_bare", "kB")
    print(f"{'':32}", *(f"{head:>8}" for head in heads))
    for page, facts in {"bare": result["bare"], **result["pages"]}.items():
        print(f"{page:32}", *(f"{facts.get(name, ''):>8}" for name in names))
    print("too much:", ", ".join(result["too_much"]) or "nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--views", type=int, default=VIEWS, help="of each page, after warm-up")
    parser.add_argument("--postgres", default="", metavar="URL")
    options = parser.parse_args()
    with database(options.postgres) as url, panel(url):
        result = run(options.views)
    if options.json:
        print(json.dumps(result))
    else:
        show(result)
    if result["too_much"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
