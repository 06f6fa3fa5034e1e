"""What tests of batches share: a table, its batch, and a worker that goes on to the end."""

from __future__ import annotations

from django.db.models.functions import Now

from mailboxes.batches import runner, services
from mailboxes.batches.models import MailboxBatch, RowState
from purelymanage.core.context import acting_as, person

DOMAIN = "lindenhof.example"
HEADER = "local_part,domain,password\n"


def table(count: int, *, password: str = "") -> str:
    """A file of so many good lines."""
    lines = "".join(f"p{number:05},{DOMAIN},{password}\n" for number in range(1, count + 1))
    return HEADER + lines


def preview(admin, content: str | bytes, *, name: str = "new.csv") -> MailboxBatch:
    content = content.encode() if isinstance(content, str) else content
    with acting_as(person(admin)):
        return services.preview_table(content=content, name=name)[0]


def start(admin, content: str | bytes, **options) -> MailboxBatch:
    batch = preview(admin, content)
    with acting_as(person(admin)):
        services.start(batch=batch, **options)
    return batch


def end_pauses() -> None:
    """The time that PurelyMail was given is over."""
    MailboxBatch.objects.filter(holder=None).exclude(resume_at=None).update(resume_at=Now())


def drain(*, rounds: int = 200) -> None:
    """Work until nothing is left to do; pauses pass at once."""
    for _round in range(rounds):
        end_pauses()
        if not MailboxBatch.objects.due().exists():
            return
        runner.work()
    raise AssertionError("the batches never came to an end")


def states(batch: MailboxBatch) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in batch.rows.all():
        found[row.state] = found.get(row.state, 0) + 1
    return found


def passwords_work(purelymail, batch) -> bool:
    rows = batch.rows.filter(state=RowState.DONE, is_generated=True)
    return all(purelymail.state.verify_password(row.address, row.password.reveal()) for row in rows)
