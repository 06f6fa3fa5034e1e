"""What a run needs before its engine starts: a plan, an engine, passwords, a way to both ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import Error as DatabaseError
from django.db import connections
from django.utils.translation import gettext as _

from migrations_app.engines.base import Engine
from migrations_app.engines.causes import Cause
from migrations_app.engines.choice import choose
from migrations_app.engines.plan import Endpoint, Options, Plan
from migrations_app.engines.troubles import BOTH_ENDS
from migrations_app.imap.hosts import place_problem
from migrations_app.models import CutOver, MigrationJob
from migrations_app.queueing import manners, queue
from migrations_app.running import credentials
from migrations_app.selectors.cutovers import days_to_catch_up
from migrations_app.services import temporary_passwords
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """All that a run needs besides its plan."""

    engine: Engine
    passwords: tuple[str, str]
    words: list[str]
    """What its log begins with."""


class NoStartError(RefusedError):
    """The engine is not to be started. `cause` says what is done about it."""

    def __init__(self, message: str, *, cause: Cause) -> None:
        super().__init__(message)
        self.cause = cause


@contextmanager
def refusing_for(cause: Cause) -> Iterator[None]:
    """What the block has to say against the start has this cause."""
    try:
        yield
    except PurelyManageError as error:
        raise NoStartError(error.message, cause=cause) from None


def prepare(job: MigrationJob, plan: Plan) -> Start:
    """The engine and both passwords. Raises NoStartError with what there is to say against it."""
    with refusing_for(Cause.PASSWORDS_ERASED):
        credentials.refuse_erased(job)
    with refusing_for(Cause.KEY_MISSING), credentials.opening(job):
        source = job.source_password.reveal()
        destination = "" if job.uses_app_password else job.destination_password.reveal()
    refuse_places(plan)
    with refusing_for(Cause.ENGINE_MISSING):
        engine = choose(job.engine_wanted or None)
    words = [first_words(job, engine)]
    if job.uses_app_password:
        destination = temporary_password(job)
        words.append(_("Made a temporary app password for the destination."))
    return Start(engine, (source, destination), words)


def first_words(job: MigrationJob, engine: Engine) -> str:
    """Which run this is, where and how."""
    words = _("Run %(run)d on %(host)s, engine: %(engine)s.") % {
        "run": job.run,
        "host": job.owner,
        "engine": engine.label,
    }
    return f"{words} {_('Dry run: nothing is copied.')}" if job.dry_run else words


def temporary_password(job: MigrationJob) -> str:
    """An app password of the destination for this run; PurelyMail may take its time."""
    try:
        with held(job):
            return temporary_passwords.make(job)
    except PurelyManageError as error:
        is_silent = isinstance(error, UnavailableError)
        cause = Cause.PURELYMAIL_SILENT if is_silent else Cause.NO_APP_PASSWORD
        raise NoStartError(error.message, cause=cause) from None


@contextmanager
def held(job: MigrationJob) -> Iterator[None]:
    """Renew the lease while the block waits for somebody else."""
    is_over = threading.Event()

    def renew() -> None:
        while not is_over.wait(queue.BEAT_SECONDS):
            try:
                queue.beat(job)
            except DatabaseError as error:  # the next beat may come through
                logger.warning("Job %s: %s", job.pk, type(error).__name__)
            finally:
                connections.close_all()

    thread = threading.Thread(target=renew, name=f"lease of job {job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def plan_of(job: MigrationJob) -> Plan:
    """What the engine is asked to do."""
    return Plan(
        source=Endpoint(
            host=job.source_host,
            port=job.source_port,
            security=job.source_security,  # type: ignore[arg-type]  # the choices are these names
            user=job.source_address,
        ),
        destination=Endpoint(
            host=job.destination_host,
            port=job.destination_port,
            security=job.destination_security,  # type: ignore[arg-type]  # as above
            user=job.destination_address,
        ),
        dry_run=job.dry_run,
        options=options_of(job),
        most_bytes=None if job.dry_run else manners.budget_of(job),
    )


def options_of(job: MigrationJob) -> Options:
    """As chosen, but no faster than its part of what the source host allows."""
    options = Options.from_json(job.options)
    speeds = [speed for speed in (options.bytes_per_second, job.bandwidth) if speed]
    return replace(
        options,
        bytes_per_second=min(speeds, default=None),
        max_age_days=max_age_of(job, options.max_age_days),
    )


def max_age_of(job: MigrationJob, chosen: int | None) -> int | None:
    """A last look into an old inbox reaches back to the final sync, however late it is taken."""
    if chosen is None or job.batch_id is None:
        return chosen
    cut_over = CutOver.objects.filter(catch_up=job.batch_id).first()
    return max(chosen, days_to_catch_up(cut_over)) if cut_over else chosen


def refuse_places(plan: Plan) -> None:
    """Judge both ends right before the start: imapsync looks names up by itself."""
    for side, end in enumerate((plan.source, plan.destination), start=1):
        if trouble := place_trouble(end, side):
            cause, problem = trouble
            raise NoStartError(problem, cause=cause)


def place_trouble(end: Endpoint, side: int) -> tuple[Cause, str] | None:
    """Why nothing may connect there now, after its cause; None if it may."""
    try:
        problem = place_problem(end.host, end.port, in_plain=end.security == "none")
    except UnavailableError as error:
        return BOTH_ENDS["unreachable"][side - 1], error.message
    return (BOTH_ENDS["host"][side - 1], problem) if problem else None
