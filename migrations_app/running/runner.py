"""Runs one claimed job: starts its engine under guard, follows its output, stores how it ended.

The calling thread looks after the process and never waits for the database; `Clerk` does that.
A run that cannot renew its lease is ended here before anybody else may begin it again.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from django.db import Error as DatabaseError
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.engines.base import Ending, LogLine, Reader, Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES
from migrations_app.engines.plan import Plan
from migrations_app.models import MigrationJob
from migrations_app.queueing import queue
from migrations_app.running import logs
from migrations_app.running.clerk import GUARD_SECONDS, Clerk
from migrations_app.running.output import Lines, LogBuffer, Redactor
from migrations_app.running.passfiles import Passfile
from migrations_app.running.start import NoStartError, Start, plan_of, prepare
from migrations_app.running.workplace import child_environment, private_directory
from migrations_app.services import temporary_passwords, workers
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.jobs.process import Child

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
GATHER_SECONDS = 0.25
"""How long an engine that prints little is left to print more before it is read again."""
STOP_SECONDS = 10.0
DRAIN_SECONDS = 5.0
READ_BYTES = 65536
SIGNED_IN = ("compare", "copy", "verify")


def run(job: MigrationJob) -> None:
    """Run a job that `queue.claim` gave us, to its end."""
    try:
        _run(job)
    finally:
        if job.uses_app_password:
            temporary_passwords.revoke_soon()


def _run(job: MigrationJob) -> None:
    with acting_as(SYSTEM), audited(Action.JOB_STARTED, target=job, after={"run": job.run}) as act:
        try:
            if job.run > 1:
                logs.make_room(job)
            plan = plan_of(job)
            start = prepare(job, plan)
            act.after["engine"] = start.engine.name
            with private_directory(job) as workdir:
                Run(job, plan, start, workdir=workdir).follow()
        except (DatabaseError, RunLostError):  # the lease ends the run
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the row has to say so
            verdict = verdict_of(error, job)
            logs.append(job, logs.line(verdict.sentence, level="error"))
            end(job, verdict)
        job.refresh_from_db(fields=["state", "cause"])
        act.after.update(state=job.state, cause=job.cause)


class RunLostError(Exception):
    """The lease ran out before the engine was started; somebody else may have the job."""


def verdict_of(error: Exception, job: MigrationJob) -> Verdict:
    """What a run that could not be started, or not be followed, ends with."""
    if isinstance(error, NoStartError):
        return Verdict("failed", error.cause, error.message)
    logger.error("Job %s", job.pk, exc_info=error)
    facts = {"host": job.owner, "error": type(error).__name__}
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        words = _("The worker host %(host)s cannot run it: %(error)s. Look at its disk and memory.")
        facts["error"] = error.strerror or facts["error"]
        return Verdict("failed", Cause.WORKER_HOST, words % facts)
    words = _("The worker on %(host)s failed: %(error)s. Its own log says where.")
    return Verdict("failed", Cause.WORKER_CRASHED, words % facts)


def end(job: MigrationJob, verdict: Verdict, *, status: int | None = None) -> bool:
    """Store the verdict. A host that would end every job so leaves them to others, if any are."""
    if is_of_worker(job, verdict) and workers.withdraw(job.owner, why=verdict.sentence):
        return queue.release(job, why=verdict.sentence)
    return queue.finish(job, verdict, status=status)


def is_of_worker(job: MigrationJob, verdict: Verdict) -> bool:
    """Whether any job would end so on this host. An engine that this job alone wants is its own."""
    if verdict.cause is None or (verdict.cause == Cause.ENGINE_MISSING and job.engine_wanted):
        return False
    return CURES[verdict.cause].is_of_worker


class Run:
    """One run of one engine."""

    def __init__(self, job: MigrationJob, plan: Plan, start: Start, *, workdir: Path) -> None:
        self.job = job
        self.engine = start.engine
        self.plan = plan
        self.reader: Reader = start.engine.reader(self.plan)
        self.redactor = Redactor(start.passwords)
        self.reader.hide = self.redactor.clean
        self.log = LogBuffer(self.redactor)
        for words in start.words:
            self.log.add(LogLine(words))
        self.clerk = Clerk(job, progress=self.reader.progress, log=self.log, redactor=self.redactor)
        self.passfiles = [
            Passfile(password, directory=workdir, name=f"passfile{number}")
            for number, password in enumerate(start.passwords, start=1)
        ]
        self.workdir = workdir
        self.lines = Lines()
        self.has_read = 0
        """Bytes, the last time."""
        self.stop_by: float | None = None
        """When the engine, told to stop, is killed."""

    def follow(self) -> None:
        """Start the engine, stay with it to its end, and store how it ended."""
        output, theirs = os.pipe()
        try:
            child = self._start(theirs)
        except BaseException:
            os.close(output)
            self._erase_passwords()
            raise
        finally:
            os.close(theirs)
        try:
            self.clerk.start()
            ending = self._ending(self._attend(child, output))
        except Exception as error:  # noqa: BLE001  what was printed until then is stored all the same
            verdict = verdict_of(error, self.job)
            self.log.add(LogLine(verdict.sentence, "error"))
            ending = partial(end, self.job, verdict)
        finally:
            child.kill()
            os.close(output)
            self._erase_passwords()
        self.clerk.settle(ending)

    def _start(self, output: int) -> Child:
        """The fence comes last: whoever lost the lease while preparing does not start at all."""
        argv = self.engine.argv(
            self.plan,
            passfile1=self.passfiles[0].path,
            passfile2=self.passfiles[1].path,
            workdir=self.workdir,
        )
        if not queue.beat(self.job, engine=self.engine.name):
            raise RunLostError
        child = Child(
            argv,
            scope="group",
            silence=GUARD_SECONDS,
            env={**child_environment(self.workdir), **self.engine.environment},
            cwd=self.workdir,
            stdout=output,
            stderr=output,
            pass_fds=[file.fd for file in self.passfiles if file.fd is not None],
            forks=True,
            preload=self.engine.preload,
        )
        child.wait_for_start()
        return child

    def _attend(self, child: Child, output: int) -> int:
        """Read all it prints until it has ended; stop it when it is to be stopped."""
        is_open = True
        told = 0.0
        while (status := child.poll()) is None:
            if told != (renewed := self.clerk.renewed_at):
                child.still_here()
                told = renewed
            files = [output, child.fileno()] if is_open else [child.fileno()]
            if output in select.select(files, [], [], LOOK_SECONDS)[0]:
                is_open = self._read(output)
                self._let_gather(child)
            self._stop_if_wished(child)
        give_up = time.monotonic() + DRAIN_SECONDS
        while is_open and time.monotonic() < give_up:
            if select.select([output], [], [], LOOK_SECONDS)[0]:
                is_open = self._read(output)
        for line in self.lines.end():
            self._take(line)
        return status

    def _let_gather(self, child: Child) -> None:
        """Wake up for many lines at once, unless they come fast or the engine ends."""
        if self.has_read < READ_BYTES // 2:
            select.select([child.fileno()], [], [], GATHER_SECONDS)

    def _read(self, output: int) -> bool:
        """One piece of output; False at its end."""
        data = os.read(output, READ_BYTES)
        self.has_read = len(data)
        for line in self.lines.feed(data):
            self._take(line)
        if self.reader.progress.phase in SIGNED_IN:
            self._erase_passwords()
        return bool(data)

    def _take(self, line: str) -> None:
        """A line the reader cannot stand must not cost the run; the engine knows better."""
        try:
            with self.clerk.reading:
                words = list(self.reader.feed(line))
        except Exception:
            logger.exception("Job %s: a line of %s was not understood", self.job.pk, self.engine)
            words = [LogLine(line, "warning")]
        for word in words:
            self.log.add(word)

    def _stop_if_wished(self, child: Child) -> None:
        if self.clerk.is_fenced:
            self.log.add(LogLine(_("The database did not answer in time: stopped."), "warning"))
            child.kill()
        elif self.stop_by is None and self.clerk.is_to_stop:
            self.log.add(LogLine(_("Asked to stop.")))
            self.stop_by = time.monotonic() + STOP_SECONDS
            child.terminate()
        elif self.stop_by is not None and time.monotonic() > self.stop_by:
            self.log.add(LogLine(_("It did not stop when asked, so it was killed."), "warning"))
            child.kill()

    def _ending(self, status: int) -> Callable[[], bool]:
        """What is to be stored, given how the process ended and why."""
        if self.clerk.is_fenced:
            return partial(
                queue.interrupt, self.job, why=_("The database did not answer for a while.")
            )
        was_stopped = self.stop_by is not None and status != 0
        if was_stopped and self.clerk.is_cancelled:
            return partial(queue.cancelled, self.job)
        if was_stopped and self.clerk.has_to_rest:
            return partial(
                queue.release, self.job, why=_("Stopped for now. What was copied stays.")
            )
        if was_stopped:
            return partial(queue.release, self.job)
        verdict = self._verdict(status)
        if verdict.state == "interrupted":
            return partial(
                queue.interrupt,
                self.job,
                why=verdict.sentence,
                cause=verdict.cause or "",
                status=status,
            )
        self.log.add(LogLine(verdict.sentence, "info" if verdict.state == "done" else "warning"))
        return partial(end, self.job, verdict, status=status)

    def _verdict(self, status: int) -> Verdict:
        """What the reader makes of it; a reader that fails costs its words, not the ending."""
        try:
            verdict = self.reader.conclude(status)
        except Exception:
            logger.exception("Job %s: no verdict from %s", self.job.pk, self.engine)
            sentence = _(
                "The engine ended with status %(status)d in a way not understood."
                " Read the log, then run the job again."
            ) % {"status": status}
            state: Ending = "interrupted" if status < 0 else "failed"
            return Verdict(state=state, cause=Cause.UNKNOWN, sentence=sentence)
        if self.job.uses_app_password and verdict.cause == Cause.DESTINATION_PASSWORD:
            return replace(verdict, sentence=self._app_password_refused())
        return replace(verdict, sentence=self.redactor.clean(verdict.sentence))

    def _app_password_refused(self) -> str:
        """Nobody typed that password, so nobody is asked to look at it."""
        return _(
            "%(host)s did not take the app password that was made for this run. "
            "It may need some minutes; each run makes another."
        ) % {"host": self.plan.destination.host}

    def _erase_passwords(self) -> None:
        for file in self.passfiles:
            file.erase()
