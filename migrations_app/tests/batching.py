"""What tests of batches from a file share: servers, a table, its preview and its import."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from domains.tests.factories import DomainFactory
from mailboxes.tests.factories import MailboxFactory
from migrations_app.models import Batch, BatchLine, Server
from migrations_app.services import batches
from migrations_app.tests.factories import ServerFactory
from purelymanage.core.context import acting_as, person

DOMAIN = "lindenhof.example"
HEADER = "source_email,source_password,dest_email,dest_password\n"
SECRET = "never-shown-7"
GOOD = f"lea@old.example,old-{SECRET},lea@{DOMAIN},new-{SECRET}\n"
NEW = "/migrations/batches/new/"
SOFT_HYPHEN = "\u00ad"


def table(count: int) -> str:
    """A file of so many good lines."""
    return HEADER + "".join(
        f"p{number:05}@old.example,old-{SECRET},p{number:05}@{DOMAIN},new-{SECRET}\n"
        for number in range(1, count + 1)
    )


def old_server() -> Server:
    found = Server.objects.filter(name="Old provider").first()
    return found or ServerFactory(name="Old provider", host="imap.old.example")


def purelymail_server() -> Server:
    """PurelyMail itself, with one domain of ours."""
    found = Server.objects.filter(name="PurelyMail").first()
    if found:
        return found
    domain = DomainFactory(name=DOMAIN)
    MailboxFactory(address=f"lea@{DOMAIN}", domain=domain)
    return ServerFactory(name="PurelyMail", host="imap.purelymail.com")


def preview(user: Any, content: str | bytes, **changes: Any) -> Batch:
    """The batch of a file, as that person uploads it."""
    values = {
        "content": content.encode() if isinstance(content, str) else content,
        "name": "staff",
        "source_server": old_server(),
        "destination_server": purelymail_server(),
    } | changes
    with acting_as(person(user)):
        return batches.preview_batch(**values)[0]


def start(
    user: Any, content: str | bytes, *, all_or_nothing: bool = False, **changes: Any
) -> Batch:
    """The same, and the person says that it is to be imported."""
    batch = preview(user, content, **changes)
    with acting_as(person(user)):
        batches.start_import(batch=batch, all_or_nothing=all_or_nothing)
    batch.refresh_from_db()
    return batch


def lines(batch: Batch) -> list[BatchLine]:
    return list(batch.lines.all())


def states(batch: Batch) -> list[str]:
    return [line.state for line in lines(batch)]


def only_line(user: Any, line: str, **changes: Any) -> BatchLine:
    """What one line after the header comes to."""
    return lines(preview(user, HEADER + line, **changes))[0]


def form(content: str, **changes: Any) -> dict[str, object]:
    """What the page of a new batch sends."""
    file = SimpleUploadedFile("Staff 2026.csv", content.encode())
    ends = {"source_server": old_server().pk, "destination_server": purelymail_server().pk}
    return {"file": file, "dry_run": "on", "subscribe": "on", **ends} | changes
