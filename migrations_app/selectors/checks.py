"""What pages show of checks: sums of a batch, and the result of each job."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page
from django.db.models import Count, Q, QuerySet, Sum

from migrations_app.models import Batch, Check, CheckState, MigrationJob, State
from migrations_app.queueing.dispatch import limits
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
    states = {"ready": CheckState.READY, "problems": CheckState.PROBLEM}
    states |= {"waiting": CheckState.WAITING, "running": CheckState.RUNNING}
    counts = {name: Count("pk", filter=Q(state=state)) for name, state in states.items()}
    sums = {name: Sum(name, default=0) for name in ("messages", "bytes", "seconds")}
    counts["unmeasured"] = Count("pk", filter=Q(messages__isnull=False, bytes=None))
    facts = checks_of(batch).aggregate(**counts, **sums)  # counts first: a sum hides its column
    return CheckSums(**facts, at_once=limits().concurrency)


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
