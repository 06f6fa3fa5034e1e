"""What can happen to a migration job. Its state changes in `queueing.queue` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.engines.plan import Options
from migrations_app.models import (
    ENDED_WELL,
    Check,
    FolderResult,
    Loss,
    MigrationJob,
    Server,
)
from migrations_app.queueing import queue
from migrations_app.running import credentials
from migrations_app.selectors.jobs import HAS_PASSWORDS, IDLE
from migrations_app.selectors.twins import Place, pair_of, place_of, unfinished_jobs
from migrations_app.services import temporary_passwords
from purelymanage.core.context import current_actor
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.core.locks import lock_transaction

MAX_NAME = 120
MAX_PASSWORD = 1000


@dataclass(frozen=True)
class End:
    """One end as it was typed: a server of ours, a login name, a password."""

    server: Server | None
    """None keeps the host that the job has."""
    address: str
    password: str = field(repr=False)
    """Empty keeps the stored one."""


def create_job(
    *,
    name: str,
    source: End,
    destination: End,
    dry_run: bool,
    options: Options,
    uses_app_password: bool = False,
) -> MigrationJob:
    """Make a job and queue it; without a name it is called after its destination."""
    job = MigrationJob(created_by_id=current_actor().user_id)
    fill(
        job,
        name=name,
        source=source,
        destination=destination,
        dry_run=dry_run,
        options=options,
        uses_app_password=uses_app_password,
    )
    _refuse_same_mailbox(job)
    _refuse_temporary_password(job)
    with audited(Action.JOB_CREATED, target=job, after=facts_of(job)), queue_lock():
        _refuse_duplicate(job)
        job.save()
        queue.submit(job)
    return job


def update_job(
    *,
    job: MigrationJob,
    name: str,
    source: End,
    destination: End,
    dry_run: bool,
    options: Options,
    uses_app_password: bool = False,
) -> MigrationJob:
    """Change a job that is idle and queue it again: its verdict was about what it was before."""
    before = facts_of(job)
    fill(
        job,
        name=name,
        source=source,
        destination=destination,
        dry_run=dry_run,
        options=options,
        uses_app_password=uses_app_password,
    )
    _refuse_same_mailbox(job)
    _refuse_temporary_password(job)
    facts = {"before": before, "after": facts_of(job)}
    with audited(Action.JOB_CHANGED, target=job, **facts), queue_lock():
        _refuse_busy(job)
        _refuse_duplicate(job)
        job.superseded_by = None
        _start_with_its_batch(job)
        job.save(update_fields=(*_FILLED, "superseded_by", "start_at"))
        for outdated in (Check, FolderResult, Loss):  # so was all that was found
            outdated.objects.filter(job=job).delete()
        queue.submit(job)
    return job


def rerun_job(*, job: MigrationJob, by_itself: bool = False) -> MigrationJob:
    """Queue a job that has ended once more; what is there already is not copied again.

    Where nobody asked, a refusal would be told to nobody: its run fails instead, and is told.
    """
    with audited(Action.JOB_QUEUED, target=job), queue_lock():
        _refuse_busy(job)
        _take_server_values(job)
        _refuse_same_mailbox(job)
        if not by_itself:
            _refuse_temporary_password(job)
        _refuse_duplicate(job)
        _start_with_its_batch(job)
        job.save(update_fields=(*_SERVER_VALUES, "start_at"))
        job.refresh_from_db()
        queue.submit(job)
    return job


def run_job_for_real(*, job: MigrationJob) -> MigrationJob:
    """Make a real run of a dry run that ended well: a new job with the same credentials."""
    if not job.dry_run or job.state not in ENDED_WELL:
        raise RefusedError(
            _("“%(job)s” is not a finished dry run, so there is nothing to run for real.")
            % {"job": job}
        )
    real = copy_of(job)
    real.created_by_id = current_actor().user_id
    real.repeat_hours = job.repeat_hours
    _start_with_its_batch(real)
    _take_server_values(real)
    _refuse_same_mailbox(real)
    _refuse_temporary_password(real)
    with audited(Action.JOB_CREATED, target=real, after=facts_of(real)), queue_lock():
        _refuse_second_real_run(job)
        _refuse_duplicate(real)
        real.save()
        MigrationJob.objects.filter(pk=job.pk).update(superseded_by=real, version=F("version") + 1)
        Check.objects.filter(job=job).update(job=real)  # of the same mailboxes
        queue.submit(real)
    return real


def copy_of(job: MigrationJob, *, with_passwords: bool = True) -> MigrationJob:
    """A real job with the same ends, credentials and options, not stored yet."""
    copy = MigrationJob(created_by_id=job.created_by_id, dry_run=False, batch=job.batch)
    left_out = () if with_passwords else _PASSWORDS
    with credentials.opening(job):
        for name in (*_COPIED, "engine_wanted"):
            if name not in left_out:
                setattr(copy, name, getattr(job, name))
    return copy


def cancel_job(*, job: MigrationJob) -> MigrationJob:
    """Stop a job that waits or runs; what has been copied stays."""
    with audited(Action.JOB_CANCELLED, target=job):
        queue.cancel(job, by=current_actor().name)
    return job


def run_job_now(*, job: MigrationJob) -> MigrationJob:
    """Have a job that waits for its start or its next try start as soon as there is a place."""
    before = {
        name: moment.isoformat()
        for name in ("start_at", "try_after")
        if (moment := getattr(job, name))
    }
    with audited(Action.JOB_HURRIED, target=job, before=before):
        queue.hurry(job)
    return job


def delete_job(*, job: MigrationJob) -> None:
    """Delete an idle job with its log and its stored passwords; no mail is touched."""
    with audited(Action.JOB_DELETED, target=job, before=facts_of(job)), queue_lock():
        _refuse_busy(job)
        job.delete()


def erase_credentials(*, job: MigrationJob) -> MigrationJob:
    """Forget both passwords of an idle job; to run again it needs them typed once more.

    The dry run it goes on from keeps the same ones: they go as well.
    """
    _erase_credentials(job)
    for dry_run in MigrationJob.objects.filter(IDLE, HAS_PASSWORDS, superseded_by=job):
        _erase_credentials(dry_run)
    return job


def _erase_credentials(job: MigrationJob) -> None:
    with audited(Action.CREDENTIALS_ERASED, target=job), queue_lock():
        _refuse_busy(job)
        job.source_password = ""
        job.destination_password = ""
        job.version += 1
        job.save(update_fields=["source_password", "destination_password", "version"])


_COPIED = (
    "name",
    "source_server",
    "source_name",
    "source_host",
    "source_port",
    "source_security",
    "source_address",
    "source_password",
    "destination_server",
    "destination_name",
    "destination_host",
    "destination_port",
    "destination_security",
    "destination_address",
    "destination_password",
    "uses_app_password",
    "options",
)
_PASSWORDS = ("source_password", "destination_password")
_FILLED = (*_COPIED, "dry_run")
_SERVER_VALUES = tuple(
    f"{side}_{name}"
    for side in ("source", "destination")
    for name in ("name", "host", "port", "security")
)
"""All that a re-run writes: passwords erased since the row was read stay erased."""


def fill(
    job: MigrationJob,
    *,
    name: str,
    source: End,
    destination: End,
    dry_run: bool,
    options: Options,
    uses_app_password: bool = False,
) -> None:
    """Make a job of what was typed; nothing is stored."""
    job.name = (name or destination.address)[:MAX_NAME]
    job.dry_run = dry_run
    job.options = options.as_json()
    for side, end in (("source", source), ("destination", destination)):
        if end.server:
            setattr(job, f"{side}_server", end.server)
        setattr(job, f"{side}_address", end.address)
        if end.password:
            setattr(job, f"{side}_password", end.password)
    job.uses_app_password = uses_app_password
    if uses_app_password:
        job.destination_password = ""
    _take_server_values(job)


def _take_server_values(job: MigrationJob) -> None:
    """A corrected server counts from the next run on; a deleted one leaves the copy as it is."""
    for side in ("source", "destination"):
        server = getattr(job, f"{side}_server")
        if server:
            for name in ("name", "host", "port", "security"):
                setattr(job, f"{side}_{name}", getattr(server, name))


def _start_with_its_batch(job: MigrationJob) -> None:
    """Nothing of a batch starts before its time, whatever brought a job into the queue."""
    if job.batch:
        job.start_at = job.batch.start_at


@contextmanager
def queue_lock() -> Iterator[None]:
    """No worker claims a job, and no other admin changes one, while the block runs."""
    with transaction.atomic():
        lock_transaction("migrations.claim")
        yield


def _refuse_busy(job: MigrationJob) -> None:
    current = MigrationJob.objects.filter(pk=job.pk).only("name", "state", "requeues").first()
    if current is None:
        raise MissingError(_("“%(job)s” has been deleted meanwhile.") % {"job": job})
    if not current.is_finished:
        raise RefusedError(
            _("“%(job)s” is %(state)s. Cancel it first, then try again.")
            % {"job": job, "state": current.get_state_display().lower()}
        )


def _refuse_second_real_run(job: MigrationJob) -> None:
    """In a batch each mailbox counts once."""
    if MigrationJob.objects.filter(pk=job.pk, superseded_by__batch__isnull=False).exists():
        raise RefusedError(
            _("“%(job)s” has been run for real already. Re-run the real one instead.")
            % {"job": job}
        )


def _refuse_same_mailbox(job: MigrationJob) -> None:
    if _mailbox(job, "source") == _mailbox(job, "destination"):
        raise RefusedError(
            _("Source and destination are the same mailbox. Choose another destination."),
            field="destination_address",
        )


def _refuse_temporary_password(job: MigrationJob) -> None:
    if job.uses_app_password:
        temporary_passwords.refuse_impossible(
            host=job.destination_host,
            port=job.destination_port,
            address=job.destination_address,
        )


def _mailbox(job: MigrationJob, side: str) -> tuple[str, int, str]:
    return *_place(job, side), getattr(job, f"{side}_address").casefold()


def _place(job: MigrationJob, side: str) -> Place:
    return place_of(getattr(job, f"{side}_host"), getattr(job, f"{side}_port"))


def _refuse_duplicate(job: MigrationJob) -> None:
    if twin := _twin_of(job):
        raise RefusedError(
            _("The same migration is already %(state)s as “%(job)s”. Wait for it or cancel it.")
            % {"job": twin, "state": twin.get_state_display().lower()}
        )


def _twin_of(job: MigrationJob) -> MigrationJob | None:
    """Another job that does the same and is not at its end."""
    others = unfinished_jobs(
        _place(job, "source"),
        _place(job, "destination"),
        dry_run=job.dry_run,
        mailboxes=[job.destination_address],
    ).exclude(pk=job.pk)
    pair = pair_of(job.source_address, job.destination_address)
    same = (
        twin for twin in others if pair_of(twin.source_address, twin.destination_address) == pair
    )
    return next(same, None)


def facts_of(job: MigrationJob) -> dict[str, Any]:
    """What the audit log keeps: both ends and how, never a password."""
    ends = {
        side: "{} at {}".format(getattr(job, f"{side}_address"), getattr(job, f"{side}_place"))
        for side in ("source", "destination")
    }
    how = {"dry_run": job.dry_run, "options": job.options}
    if job.uses_app_password:
        how["temporary_app_password"] = True
    return {**ends, **how}
