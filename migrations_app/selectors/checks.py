"""What pages show of checks: sums of a batch, and the result of each job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page
from django.db.models import Count, Max, Q, QuerySet, Sum

from migrations_app.models import WAITING, Batch, Check, CheckState, MigrationJob, State
from migrations_app.queueing.dispatch import limits
from migrations_app.selectors.jobs import READY
from purelymanage.core.paging import page_of

PROBLEMS_SHOWN = 5
NEVER_CHECKED = (State.RUNNING, State.CANCELLED)
"""A running job has seen both mailboxes itself, a cancelled one needs none."""


@dataclass(frozen=True)
class CheckSums:
    """What many checks come to. Sizes in bytes, of those that could be measured."""

    waiting: int
    running: int
    ready: int
    problems: int
    unmeasured: int
    messages: int
    bytes: int
    seconds: int
    latest: datetime | None
    """When the last of them was settled."""
    to_come: int
    """Mailboxes among them that are still to be copied."""
    at_once: int
    """How many jobs will run side by side."""

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.settled

    @property
    def settled(self) -> int:
        return self.ready + self.problems

    @property
    def is_at_work(self) -> bool:
        return bool(self.waiting or self.running)

    @property
    def is_past(self) -> bool:
        """Whether all that they were taken for has been copied, or runs."""
        return bool(self.total) and not (self.is_at_work or self.to_come)

    @property
    def seconds_in_all(self) -> int:
        """About how long all of them will take, side by side."""
        return self.seconds // min(self.at_once, max(1, self.settled))


def check_of(job: MigrationJob) -> Check | None:
    """What a look at its two mailboxes found, or that one is under way."""
    return Check.objects.filter(job=job).first()


def can_check(job: MigrationJob) -> bool:
    """Whether a look at its mailboxes makes sense and can be had."""
    return job.state not in NEVER_CHECKED and job.has_passwords


def checks_of(batch: Batch | None) -> QuerySet[Check]:
    """The checks of a batch's jobs, or all; what another job has superseded is history."""
    checks = Check.objects.filter(job__superseded_by=None)
    return checks.filter(job__batch=batch) if batch else checks


def sum_checks(batch: Batch | None) -> CheckSums:
    """Two queries, however many there are."""
    jobs = MigrationJob.objects.filter(superseded_by=None, check_before__isnull=False)
    facts = (jobs.filter(batch=batch) if batch else jobs).aggregate(**CHECKED)
    return CheckSums(**facts, at_once=limits().concurrency)


def _number(*jobs: Q, **facts: object) -> Count:
    found = {f"check_before__{name}": value for name, value in facts.items()}
    return Count("check_before", filter=Q(*jobs, **found))


CHECKED = {
    "waiting": _number(state=CheckState.WAITING),
    "running": _number(state=CheckState.RUNNING),
    "ready": _number(state=CheckState.READY),
    "problems": _number(state=CheckState.PROBLEM),
    "unmeasured": _number(messages__isnull=False, bytes=None),
    "messages": Sum("check_before__messages", default=0),
    "bytes": Sum("check_before__bytes", default=0),
    "seconds": Sum("check_before__seconds", default=0),
    "latest": Max("check_before__checked_at"),
    "to_come": _number(WAITING | READY),
}
"""What `CheckSums` holds, as aggregates over jobs."""


def first_problems(batch: Batch) -> list[Check]:
    """A few of those with a problem, for the page of their batch."""
    return list(_with_jobs(checks_of(batch).filter(state=CheckState.PROBLEM))[:PROBLEMS_SHOWN])


def list_checks(batch: Batch | None, *, state: str, number: str | None) -> Page[Check]:
    """One page, in the order of the jobs. Two queries."""
    checks = checks_of(batch)
    if state in CheckState.values:
        checks = checks.filter(state=state)
    return page_of(_with_jobs(checks), number)


def _with_jobs(checks: QuerySet[Check]) -> QuerySet[Check]:
    jobs = ("name", "source_address", "source_host", "destination_address", "destination_host")
    fields = [field.name for field in Check._meta.concrete_fields]
    return (
        checks.select_related("job")
        .only(*fields, *(f"job__{name}" for name in jobs))
        .order_by("job_id")
    )
