"""A batch from a file: looked at line by line, then imported by a worker, or thrown away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Action
from audit.services import Happened, audited, record_all
from migrations_app.batches.preview import (
    COLUMNS,
    lines_of,
    required_columns,
    taken_words,
    unfinished_pairs,
)
from migrations_app.engines.plan import Options
from migrations_app.imap.presets import is_purelymail
from migrations_app.models import Batch, BatchLine, BatchState, LineState, MigrationJob, Server
from migrations_app.queueing import queue
from migrations_app.selectors import lines as selectors
from migrations_app.selectors.twins import pair_of
from migrations_app.services.jobs import MAX_NAME, End, facts_of, fill, queue_lock
from purelymanage.core.context import SYSTEM, Actor, acting_as, current_actor, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.planning import plan_anew
from purelymanage.core.roles import Role, has_role
from purelymanage.core.tables import read_table
from purelymanage.crypto import DecryptionError, Secret
from purelymanage.jobs.queue import enqueue

IMPORT = "migrations_app.tasks.import_batches"
MAX_LINES = 10_000
SLICE = 500
"""Jobs made in one transaction: few enough that nobody waits long for the queue's lock."""
WORK_SECONDS = 20.0
NO_PASSWORDS = {"source_password": "", "destination_password": ""}
NEEDED = ("source_server", "destination_server", "created_by")
KEPT = timedelta(days=7)
"""How long a preview waits to be imported, with the passwords in it."""


def preview_batch(
    *,
    content: bytes,
    name: str,
    source_server: Server,
    destination_server: Server,
    dry_run: bool = True,
    options: Options | None = None,
    engine_wanted: str = "",
    uses_app_password: bool = False,
    start_at: datetime | None = None,
    is_paused: bool = False,
) -> tuple[Batch, bool]:
    """Make a batch in preview of a CSV file; also whether its letters had to be guessed.

    Passwords are encrypted from the moment they are stored. Raises InvalidError where the file is
    no such table.
    """
    ours = is_purelymail(destination_server.host, destination_server.port)
    if uses_app_password and not ours:
        raise RefusedError(
            _("Only PurelyMail makes temporary passwords, and %(server)s is another server.")
            % {"server": destination_server},
            field="uses_app_password",
        )
    batch = Batch(
        state=BatchState.PREVIEW,
        name=name[:MAX_NAME],
        source_server=source_server,
        destination_server=destination_server,
        dry_run=dry_run,
        options=(options or Options()).as_json(),
        engine_wanted=engine_wanted,
        uses_app_password=uses_app_password,
        start_at=start_at,
        **_answerable(),
    )
    if is_paused:
        batch.paused_at, batch.paused_by = timezone.now(), batch.created_by_name
    table = read_table(
        content, columns=COLUMNS, required=required_columns(batch), max_rows=MAX_LINES
    )
    lines = lines_of(batch, table, source=source_server, destination=destination_server)
    facts = {"lines": len(lines), **_facts(batch)}
    with audited(Action.MIGRATIONS_PREPARED, target=batch, after=facts), transaction.atomic():
        batch.save(force_insert=True)
        BatchLine.objects.bulk_create(lines, batch_size=SLICE)
    return batch, table.is_guessed


def start_import(*, batch: Batch, all_or_nothing: bool = False) -> None:
    """Have a worker make the jobs. With `all_or_nothing` only if every line can be one."""
    numbers = selectors.line_numbers(batch)
    facts = {"lines": numbers.good, **_facts(batch)}
    with audited(Action.MIGRATIONS_IMPORTED, target=batch, after=facts):
        _refuse_without_servers(batch)
        if not numbers.good:
            raise RefusedError(_("No line of this file can be imported. Nothing was changed."))
        if all_or_nothing:
            _refuse_bad(numbers.bad + _mark_taken(batch))
        with transaction.atomic():
            started = _in(BatchState.PREVIEW, batch).update(
                state=BatchState.IMPORTING, all_or_nothing=all_or_nothing, **_answerable()
            )
            if not started:
                raise RefusedError(_("This batch is being imported already, or is gone."))
            enqueue(IMPORT)


def stop_import(*, batch: Batch) -> int:
    """Let a worker end after the slice it has in hand; how many jobs are made, which stay.

    The other lines wait as in any preview: an import begun again makes each of them once.
    """
    with audited(Action.MIGRATIONS_IMPORT_STOPPED, target=batch) as change, queue_lock():
        if not _in(BatchState.IMPORTING, batch).update(state=BatchState.PREVIEW):
            raise RefusedError(_("This batch is not being imported any more."))
        made = batch.lines.filter(state=LineState.IMPORTED).count()
        change.after["jobs"] = made
    return made


def discard(*, batch: Batch) -> None:
    """Throw a preview away, with the passwords in it. What was imported of it stays."""
    with audited(Action.MIGRATIONS_DISCARDED, target=batch), transaction.atomic():
        has_jobs = batch.lines.filter(state=LineState.IMPORTED).exists()
        state = BatchState.ACTIVE if has_jobs else BatchState.DISCARDED
        if not _in(BatchState.PREVIEW, batch).update(state=state):
            raise RefusedError(_("This batch is being imported already, or is gone."))
        batch.lines.exclude(state=LineState.IMPORTED).delete()


def discard_old_previews() -> None:
    """Those that nobody imported within a week."""
    old = Batch.objects.filter(state=BatchState.PREVIEW, created_at__lt=timezone.now() - KEPT)
    for batch in old:
        discard(batch=batch)


def import_waiting() -> None:
    """Work for a while on the batches to be imported, the oldest first; then pass on.

    Any number of workers may do so at once, and any of them may die: what a slice did is all there
    or not at all.
    """
    give_back_at = time.monotonic() + WORK_SECONDS
    importing = Batch.objects.filter(state=BatchState.IMPORTING).order_by("created_at", "pk")
    while batch := importing.select_related(*NEEDED).first():
        import_all(batch=batch, until=give_back_at)
        if time.monotonic() >= give_back_at:
            enqueue(IMPORT)
            return


def import_all(*, batch: Batch, until: float | None = None) -> None:
    """Make jobs of the good lines, slice by slice, to their end or until that monotonic moment.

    A batch whose person may not import any more, or that lost a server, is a preview again.
    """
    importer = _importer(batch)
    if importer is None or not (batch.source_server and batch.destination_server):
        _in(BatchState.IMPORTING, batch).update(state=BatchState.PREVIEW)
        return
    with acting_as(importer):
        goes_on = _import_slice(batch)
        plan_anew(MigrationJob)
        while goes_on and (until is None or time.monotonic() < until):
            goes_on = _import_slice(batch)
    if not goes_on:
        plan_anew(MigrationJob)


def _import_slice(batch: Batch) -> bool:
    """Make jobs of the next lines, of all or of none; whether there may be more."""
    with queue_lock():
        importing = _in(BatchState.IMPORTING, batch)
        if not importing.exists():
            return False
        if _is_hindered(batch):
            importing.update(state=BatchState.PREVIEW)
            return False
        lines = list(batch.lines.filter(state=LineState.GOOD)[:SLICE])
        if not lines:
            importing.update(state=BatchState.ACTIVE)
            return False
        made = _leave_out_taken(batch, lines)
        jobs = [job for job in (_job_of(batch, line) for line in made) if job]
        queue.submit_new(jobs)
        _settle(batch, made)
        record_all(Happened(Action.JOB_CREATED, job, after=facts_of(job)) for job in jobs)
        return True


def _is_hindered(batch: Batch) -> bool:
    """Whether all or nothing means nothing by now: a worker may have been long in coming."""
    if not batch.all_or_nothing or batch.lines.filter(state=LineState.IMPORTED).exists():
        return False
    return bool(_mark_taken(batch))


def _leave_out_taken(batch: Batch, lines: Sequence[BatchLine]) -> list[BatchLine]:
    """The lines whose migration nobody made since they were judged; the others are told so."""
    names = unfinished_pairs(batch, lines)
    taken, free = [], []
    for line in lines:
        name = names.get(pair_of(line.source_address, line.destination_address))
        if name is None:
            free.append(line)
        else:
            line.problem = taken_words(name)
            taken.append(line)
    _refuse_lines(batch, taken)
    return free


def _job_of(batch: Batch, line: BatchLine) -> MigrationJob | None:
    """An unsaved job; None where the passwords do not open, which the line then says."""
    job = MigrationJob(
        batch=batch,
        created_by_id=batch.created_by_id,
        engine_wanted=batch.engine_wanted,
        start_at=batch.start_at,
    )
    try:
        source, destination = _opened(line.source_password), _opened(line.destination_password)
    except DecryptionError:
        line.problem = _(
            "The stored passwords do not open: their key is not among ENCRYPTION_KEYS."
        )
        return None
    fill(
        job,
        name="",
        source=End(batch.source_server, line.source_address, source),
        destination=End(batch.destination_server, line.destination_address, destination),
        dry_run=batch.dry_run,
        options=Options.from_json(batch.options),
        uses_app_password=batch.uses_app_password,
    )
    line.job = job
    return job


def _opened(secret: Secret) -> str:
    return secret.reveal() if secret else ""


def _settle(batch: Batch, lines: Sequence[BatchLine]) -> None:
    """The jobs are stored: their lines point to them and forget the passwords."""
    imported = [line for line in lines if line.job]
    _refuse_lines(batch, [line for line in lines if not line.job])
    BatchLine.objects.bulk_update(imported, ["job"])
    batch.lines.filter(pk__in=[line.pk for line in imported]).update(
        state=LineState.IMPORTED, **NO_PASSWORDS
    )


def _refuse_lines(batch: Batch, lines: Sequence[BatchLine]) -> None:
    """They make no job, for the `problem` each of them has, and forget their passwords."""
    if not lines:
        return
    for line in lines:
        line.state, line.problem = LineState.BAD, line.problem[:500]
    still_good = batch.lines.filter(state=LineState.GOOD)
    still_good.bulk_update(lines, ["state", "problem"], batch_size=SLICE)
    batch.lines.filter(state=LineState.BAD).update(**NO_PASSWORDS)


def _mark_taken(batch: Batch) -> int:
    """Refuse the good lines whose migration somebody made since; how many these are."""
    lines = list(batch.lines.filter(state=LineState.GOOD).defer(*NO_PASSWORDS))
    return len(lines) - len(_leave_out_taken(batch, lines))


def _refuse_bad(number: int) -> None:
    if number:
        raise RefusedError(
            ngettext(
                "%(count)d line cannot be imported, so all or nothing means nothing. "
                "Correct it and upload the file again, or import the good ones.",
                "%(count)d lines cannot be imported, so all or nothing means nothing. "
                "Correct them and upload the file again, or import the good ones.",
                number,
            )
            % {"count": number}
        )


def _refuse_without_servers(batch: Batch) -> None:
    if not (batch.source_server and batch.destination_server):
        raise RefusedError(
            _("A server of this batch was deleted. Discard it, then upload the file again.")
        )


def _importer(batch: Batch) -> Actor | None:
    """In whose name jobs are made; None where that person may not do so any more."""
    user = batch.created_by
    if user is None:
        return SYSTEM if batch.created_by_name == SYSTEM.name else None
    return person(user, address=batch.acting_from or "") if has_role(user, Role.ADMIN) else None


def _answerable() -> dict[str, Any]:
    actor = current_actor()
    return {
        "created_by_id": actor.user_id,
        "created_by_name": actor.name[:254],
        "acting_from": actor.address or None,
    }


def _facts(batch: Batch) -> dict[str, Any]:
    """What the audit log keeps of a batch."""
    return {
        "source": str(batch.source_server),
        "destination": str(batch.destination_server),
        "dry_run": batch.dry_run,
    }


def _in(state: BatchState, batch: Batch) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=batch.pk, state=state)
