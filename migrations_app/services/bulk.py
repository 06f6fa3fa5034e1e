"""One action on many jobs: each on its own, so that one refusal stops no other.

A few are done at once, many by a worker (`migrations_app/batches/bulk_worker.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from audit.actions import Action
from audit.services import audited
from migrations_app.models import BulkWork, MigrationJob
from migrations_app.selectors import JobFilter, matching
from migrations_app.selectors.jobs import NEEDS_PASSWORD
from migrations_app.services import jobs as services
from purelymanage.core.context import current_actor
from purelymanage.core.errors import PurelyManageError, RefusedError
from purelymanage.core.locks import lock_transaction
from purelymanage.jobs.queue import enqueue

WORK = "migrations_app.tasks.work_on_jobs"
MOST_AT_ONCE = 50
"""More are done by a worker."""

ACTIONS: dict[str, Callable[..., object]] = {
    "cancel": services.cancel_job,
    "now": services.run_job_now,
    "real": services.run_job_for_real,
    "rerun": services.rerun_job,
    "retry": services.rerun_job,
    "erase": services.erase_credentials,
    "delete": services.delete_job,
    "delete_batch": services.delete_job,
}
_CANCELLED = ngettext_lazy("%(count)d job cancelled.", "%(count)d jobs cancelled.", "count")
_HURRIED = ngettext_lazy(
    "%(count)d job brought forward.", "%(count)d jobs brought forward.", "count"
)
_REAL = ngettext_lazy("%(count)d job queued for real.", "%(count)d jobs queued for real.", "count")
_RERUN = ngettext_lazy("%(count)d job queued again.", "%(count)d jobs queued again.", "count")
_ERASED = ngettext_lazy(
    "The passwords of %(count)d job are erased.",
    "The passwords of %(count)d jobs are erased.",
    "count",
)
_DELETED = ngettext_lazy("%(count)d job deleted.", "%(count)d jobs deleted.", "count")
DONE_WORDS = {
    "cancel": _CANCELLED,
    "now": _HURRIED,
    "real": _REAL,
    "rerun": _RERUN,
    "retry": _RERUN,
    "erase": _ERASED,
    "delete": _DELETED,
    "delete_batch": _DELETED,
}
NOTHING_FITS: dict[str, Promise] = {
    "cancel": gettext_lazy("None of these jobs waits or runs, so there is nothing to cancel."),
    "now": gettext_lazy("None of these jobs waits for its start or its next try."),
    "real": gettext_lazy("None of these jobs is a finished dry run that was not run for real yet."),
    "rerun": gettext_lazy("None of these jobs has ended and still has its passwords."),
    "retry": gettext_lazy(
        "None of these jobs has failed and can run again without a new password."
    ),
    "erase": gettext_lazy("None of these jobs has ended and still has a password."),
    "delete": gettext_lazy("None of these jobs has ended. Cancel them first."),
    "delete_batch": gettext_lazy("None of these jobs has ended. Cancel them first."),
}


@dataclass(frozen=True)
class Outcome:
    """How many it worked for, and the sentences of those it did not."""

    action: str
    done: int
    refusals: tuple[str, ...]
    need_password: int = 0
    """So many were left out, because with the stored password they would fail again."""

    @property
    def sentence(self) -> str:
        """What happened, in one line."""
        return " ".join(filter(None, [self._about_done, self._about_left_out]))

    @property
    def _about_left_out(self) -> str:
        if not self.need_password:
            return ""
        return ngettext(
            "%(count)d left out: it needs a new password.",
            "%(count)d left out: they need new passwords.",
            self.need_password,
        ) % {"count": self.need_password}

    @property
    def _about_done(self) -> str:
        text = str(DONE_WORDS[self.action] % {"count": self.done})
        if not self.refusals:
            return text
        rest = ngettext(
            "%(count)d refused: %(why)s", "%(count)d refused, first: %(why)s", len(self.refusals)
        ) % {
            "count": len(self.refusals),
            "why": self.refusals[0],
        }
        return f"{text} {rest}" if self.done else rest


def act_on_jobs(*, action: str, jobs: Iterable[MigrationJob]) -> Outcome:
    """Do `action` (a key of ACTIONS) to each of `jobs`."""
    done, refusals = 0, []
    for job in jobs:
        refusal = act_on_job(action=action, job=job)
        if refusal:
            refusals.append(refusal)
        else:
            done += 1
    return Outcome(action, done, tuple(refusals))


def act_on_job(*, action: str, job: MigrationJob) -> str:
    """Do it to one job; the sentence of the refusal, or nothing."""
    try:
        ACTIONS[action](job=job)
    except PurelyManageError as error:
        return f"{error.message} ({job.particulars})"
    return ""


def act_on_all(
    *, action: str, wanted: JobFilter, target: object = "", as_of: datetime | None = None
) -> Outcome | BulkWork:
    """Do `action` to all that match and that it is for; by a worker where they are many.

    `target` names what they have in common, for the audit log. What ended after `as_of`, when
    their number was shown, is not meant.
    """
    now = timezone.now()
    as_of = min(as_of or now, now)
    jobs = matching(wanted, action=action, as_of=as_of)
    numbers = jobs.aggregate(count=Count("pk"), last=Max("pk"))
    if not numbers["count"]:
        raise RefusedError(str(NOTHING_FITS[action]))
    if numbers["count"] <= MOST_AT_ONCE:
        _end_others(action, wanted)
        outcome = act_on_jobs(action=action, jobs=in_turn(jobs))
        return replace(outcome, need_password=_left_out(action, wanted))
    actor = current_actor()
    work = BulkWork(
        action=action,
        batch_id=wanted.batch,
        wanted=asdict(wanted),
        created_at=as_of,
        last_id=numbers["last"],
        total=numbers["count"],
        created_by_id=actor.user_id,
        created_by_name=actor.name,
        acting_from=actor.address or None,
    )
    facts = {"action": action, "jobs": work.total, "filter": work.wanted}
    with audited(Action.MIGRATIONS_BULK, target=target, after=facts), transaction.atomic():
        lock_transaction("migrations.bulk")
        _refuse_twin(work)
        _end_others(action, wanted)
        work.save()
        enqueue(WORK)
    return work


def stop_work(*, work: BulkWork) -> None:
    """Let a worker end after the job it has in hand; what is done stays done."""
    with audited(Action.MIGRATIONS_BULK_STOPPED, target=work.batch or "", after={"id": work.pk}):
        if not _open(work).update(ended_at=timezone.now()):
            raise RefusedError(_("This work has ended already."))


def in_turn(jobs: QuerySet[MigrationJob]) -> QuerySet[MigrationJob]:
    """The jobs in the order they were made, with all that an action reads."""
    return jobs.select_related("batch", "source_server", "destination_server").order_by("pk")


def _left_out(action: str, wanted: JobFilter) -> int:
    return matching(wanted).filter(NEEDS_PASSWORD).count() if action == "retry" else 0


def _refuse_twin(work: BulkWork) -> None:
    twins = BulkWork.objects.filter(ended_at=None, action=work.action, wanted=work.wanted)
    if twins.exists():
        raise RefusedError(_("This is under way already."))


def _end_others(action: str, wanted: JobFilter) -> None:
    """Whoever cancels a whole batch does not want its jobs queued any further."""
    if action == "cancel" and wanted.batch is not None and not wanted.is_set:
        others = BulkWork.objects.filter(batch=wanted.batch, ended_at=None)
        others.exclude(action="cancel").update(ended_at=timezone.now())


def _open(work: BulkWork) -> QuerySet[BulkWork]:
    return BulkWork.objects.filter(pk=work.pk, ended_at=None)
