"""What a long CSV of migrations costs: `python -m bench.csv_import --json`.

Uploads a table of 10,000 lines as a browser does, has it imported by a real worker, and looks at
the lists afterwards. `preview_s` is the answer to the upload, `import_s` the time from the click to
the last job, `web_grew_mb` the most that the memory of this process, which answers the requests,
grew meanwhile. The batch is paused, so that no job takes the machine's time. On a fresh SQLite
database, or on an empty PostgreSQL one (`--postgres URL`; it is emptied again). Exit status 1 where
something takes more than it may; `too_much` names it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.panel import ROOT, child, panel, wait_until

MANAGE = [sys.executable, str(ROOT / "manage.py")]
MOST = {
    "preview_s": 10.0,
    "import_s": 20.0,
    "web_grew_mb": 100.0,
    "list_queries": 12,
}
HEADER = "source_email,source_password,dest_email,dest_password"
DOMAIN = "company.example"
END_SECONDS = 120


def table(count: int) -> bytes:
    """So many good lines."""
    people = (f"person-{number:05}" for number in range(count))
    lines = (f"{who}@old.example,old of {who},{who}@{DOMAIN},new of {who}" for who in people)
    return "\n".join([HEADER, *lines]).encode()


def furnish() -> dict[str, Any]:
    """An admin's browser and both servers: what the form sends beside the file."""
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User
    from domains.models import Domain
    from migrations_app.models import Server
    from purelymanage.core.roles import Role

    call_command("collectstatic", interactive=False, verbosity=0)
    admin = User.objects.create_user(
        email="admin@panel.example", name="Adam", password="bench", role=Role.ADMIN
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(admin)
    Domain.objects.create(name=DOMAIN)
    old = Server.objects.create(name="Old provider", host="imap.old.example")
    new = Server.objects.create(name="PurelyMail", host="imap.purelymail.com")
    return {"client": client, "source_server": old.pk, "destination_server": new.pk}


def upload(world: dict[str, Any], count: int) -> Any:
    """The batch in preview."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from migrations_app.models import Batch

    servers = {name: pk for name, pk in world.items() if name != "client"}
    form = {
        "file": SimpleUploadedFile("staff.csv", table(count)),
        "dry_run": "on",
        "is_paused": "on",
        **servers,
    }
    answer = world["client"].post("/migrations/batches/new/", form)
    if answer.status_code != 302:
        raise SystemExit(f"The upload was answered with {answer.status_code}.")
    world["client"].get(answer["Location"])
    return Batch.objects.latest("pk")


def import_by_a_worker(world: dict[str, Any], batch: Any) -> float:
    """Seconds from the click to the last job, polled as the page does it."""
    from migrations_app.models import Batch, BatchState

    began = time.monotonic()
    world["client"].post(f"/migrations/batches/{batch.pk}/import/")
    active = Batch.objects.filter(pk=batch.pk, state=BatchState.ACTIVE)
    wait_until(active.exists, END_SECONDS, what="The import did not end.")
    return time.monotonic() - began


def look(world: dict[str, Any], address: str) -> tuple[int, float]:
    """Queries of a page, and its milliseconds at the second look."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    world["client"].get(address)
    began = time.monotonic()
    with CaptureQueriesContext(connection) as queries:
        world["client"].get(address)
    return len(queries), (time.monotonic() - began) * 1000


def memory(name: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith(name))
    return int(kilobytes) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def measure(count: int) -> dict[str, Any]:
    from migrations_app.models import BatchLine
    from purelymanage.jobs.models import WorkerHost

    world = furnish()
    upload(world, 10)  # what every process loads once
    before = memory("VmRSS")
    forget_peak()
    began = time.monotonic()
    batch = upload(world, count)
    preview = time.monotonic() - began
    with child([*MANAGE, "workers"]):
        wait_until(WorkerHost.objects.exists, END_SECONDS, what="No worker came.")
        seconds = import_by_a_worker(world, batch)
    queries, milliseconds = look(world, "/migrations/")
    batch_queries, batch_milliseconds = look(world, f"/migrations/batches/{batch.pk}/")
    kept = BatchLine.objects.filter(batch=batch).exclude(source_password="")
    return {
        "lines": count,
        "jobs": batch.jobs.count(),
        "passwords_left": kept.count(),
        "preview_s": round(preview, 2),
        "import_s": round(seconds, 2),
        "web_grew_mb": round(memory("VmHWM") - before, 1),
        "list_queries": queries,
        "batch_queries": batch_queries,
        "list_ms": round(milliseconds, 1),
        "batch_ms": round(batch_milliseconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--postgres", default="", metavar="URL")
    options = parser.parse_args()
    with panel(options.postgres):
        figures = measure(options.lines)
    too_much = [name for name, most in MOST.items() if figures[name] > most]
    if figures["jobs"] != figures["lines"] or figures["passwords_left"]:
        too_much.append("jobs")
    figures["too_much"] = too_much
    print(
        json.dumps(figures) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )
    if too_much:
        sys.exit(1)


if __name__ == "__main__":
    main()
