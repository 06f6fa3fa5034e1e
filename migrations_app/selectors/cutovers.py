"""What the pages about cut-overs need to know, and what a cut-over waits for."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.core.paginator import Page
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from domains import changes
from domains.advice import Advice
from domains.models import CheckSource, DnsRecord, Domain, RecordKey, RecordState
from migrations_app.models import (
    ENDED_WELL,
    Batch,
    BatchState,
    CutOver,
    CutOverStep,
    MigrationJob,
)
from migrations_app.selectors.jobs import HAS_ENDED_WELL, HAS_PASSWORDS, IDLE, READY, RUNS_AGAIN
from migrations_app.selectors.repeats import TO_COME, UNDER_WAY, jobs_of
from purelymanage.core.addresses import shown_domain
from purelymanage.core.paging import page_of
from purelymanage.ui.tags.words import clock_time, grouped

AFTER = timedelta(hours=24)
"""So long after the final sync the old inboxes are looked into once more."""
CATCH_UP_DAYS = 2
MARGIN = timedelta(hours=12)
"""Servers count whole days, each in its own time zone."""
KEPT_FOR = timedelta(days=7)
"""How long those whose last run did not end well keep their passwords at the end of a cut-over."""

STEPS = tuple(CutOverStep)
NEXT = dict(pairwise(STEPS))


def open_cut_over(batch: Batch) -> CutOver | None:
    """The cut-over that decides when the jobs of this batch run."""
    return CutOver.objects.filter(batch=batch, ended_at=None, stopped_at=None).first()


def open_cut_overs() -> QuerySet[CutOver]:
    """Those that move on by themselves."""
    unfinished = CutOver.objects.filter(ended_at=None, stopped_at=None)
    return unfinished.select_related("batch", "catch_up").order_by("pk")


def cut_over_of(pk: int) -> CutOver:
    """The cut-over of an address, with its batches, or 404."""
    return get_object_or_404(CutOver.objects.select_related("batch", "catch_up"), pk=pk)


def list_cut_overs(number: str | None) -> Page[CutOver]:
    """The asked page, the newest first."""
    return page_of(CutOver.objects.select_related("batch"), number)


def batches_to_cut_over() -> QuerySet[Batch]:
    """Those that a cut-over may begin with."""
    return Batch.objects.filter(state=BatchState.ACTIVE, cut_over=None, catches_up=None)


def domains_of(batch: Batch) -> Counter[str]:
    """Where its mail goes: how many jobs by domain, in lower case."""
    addresses = jobs_of(batch).values_list("destination_address", flat=True)
    return Counter(address.rpartition("@")[2].lower() for address in addresses)


def mx_problem(domain: str) -> str:
    """Why our lookups do not say yet that mail comes to PurelyMail; empty once they do.

    A change counts once a second lookup has seen it: name servers may disagree for a while.
    """
    words = {"domain": shown_domain(domain)}
    known = Domain.objects.ours().filter(name=domain).first()
    if known is None:
        return _("%(domain)s is no domain of yours any more, so nobody looks at its MX.") % words
    mx = DnsRecord.objects.filter(domain=known, key=RecordKey.MX).first()
    if mx is None or not mx.is_answered or mx.answered_at is None:
        return _("The last lookup of the MX of %(domain)s had no answer.") % words
    if mx.advice == Advice.MX_OTHERS:
        return (
            _("The MX of %(domain)s points to PurelyMail and to others. Remove those first.")
            % words
        )
    if mx.state != RecordState.OK:
        return _("The MX of %(domain)s does not point to PurelyMail yet.") % words
    if changes.open_changes(CheckSource.OWN).filter(domain=known, subject=RecordKey.MX).exists():
        return (
            _("The MX of %(domain)s points to PurelyMail. In a few minutes a second lookup tells.")
            % words
        )
    return ""


def days_to_catch_up(cut_over: CutOver) -> int:
    """So many days back the old inboxes are looked into: to before the final sync began."""
    since_final = timezone.now() - _moment(cut_over.step_times[CutOverStep.FINAL])
    return max(CATCH_UP_DAYS, math.ceil((since_final + MARGIN) / timedelta(days=1)))


def jobs_of_cut_over(cut_over: CutOver) -> QuerySet[MigrationJob]:
    """All that hold passwords for it: dry runs, real runs and those that catch up."""
    return MigrationJob.objects.filter(batch__in=[cut_over.batch_id, cut_over.catch_up_id or 0])


def to_catch_up(cut_over: CutOver) -> QuerySet[MigrationJob]:
    """The real jobs, their final sync over, that have no job yet which looks into their inbox."""
    if cut_over.catch_up_id is None:  # somebody deleted that batch
        return MigrationJob.objects.none()
    made = MigrationJob.objects.filter(
        batch=cut_over.catch_up_id,
        source_host=OuterRef("source_host"),
        source_address=OuterRef("source_address"),
        destination_address=OuterRef("destination_address"),
    )
    jobs = jobs_of(cut_over.batch).filter(RUNS_AGAIN, dry_run=False, succeeded_at__isnull=False)
    return jobs.exclude(TO_COME).exclude(Exists(made)).order_by("pk")


def is_synced(cut_over: CutOver, job: MigrationJob) -> bool:
    """Whether its final sync ended well, so that only its inbox is left to look into."""
    if job.succeeded_at is None or job.state not in ENDED_WELL:
        return False
    return job.succeeded_at >= _moment(cut_over.step_times[CutOverStep.FINAL])


def to_erase(cut_over: CutOver) -> QuerySet[MigrationJob]:
    """Whose passwords are not needed any more; what did not end well keeps them for a while."""
    jobs = jobs_of_cut_over(cut_over).filter(IDLE, HAS_PASSWORDS)
    if timezone.now() >= cut_over.step_since + KEPT_FOR:
        return jobs
    ended_well = HAS_ENDED_WELL & Q(dry_run=False, repeat_at=None)
    return jobs.filter(ended_well | Q(superseded_by__isnull=False))


def waits_for(cut_over: CutOver) -> str:
    """What keeps the step from being over, in a sentence; empty if nothing does."""
    return str(_WAITS[CutOverStep(cut_over.step)](cut_over))


def _copy(cut_over: CutOver) -> str:
    jobs = jobs_of(cut_over.batch)
    if left := jobs.filter(UNDER_WAY).count():
        return _under_way(left, cut_over.batch)
    if dry := jobs.filter(READY).count():
        return ngettext(
            "%(count)s dry run is to be run for real on the page of the batch.",
            "%(count)s dry runs are to be run for real on the page of the batch.",
            dry,
        ) % {"count": grouped(dry)}
    if not jobs.filter(HAS_ENDED_WELL, dry_run=False).exists():
        return _("No real run of the batch has ended well yet.")
    return ""


def _delta(cut_over: CutOver) -> str:
    return mx_problem(cut_over.domain)


def _final(cut_over: CutOver) -> str:
    if left := jobs_of(cut_over.batch).filter(TO_COME).count():
        return _under_way(left, cut_over.batch)
    if problem := mx_problem(cut_over.domain):
        return problem
    due = cut_over.step_since + AFTER
    if timezone.now() >= due:
        return ""
    return _("What still reaches the old inboxes is fetched at %(time)s.") % {
        "time": clock_time(due)
    }


def _catch_up(cut_over: CutOver) -> str:
    left = to_catch_up(cut_over).count() + jobs_of_cut_over(cut_over).filter(TO_COME).count()
    return _under_way(left, cut_over.catch_up) if left else ""


def _purge(cut_over: CutOver) -> str:
    jobs = jobs_of_cut_over(cut_over).filter(HAS_PASSWORDS)
    if left := jobs.filter(TO_COME).count():
        return _under_way(left, cut_over.batch)
    if to_erase(cut_over).exists():
        return _("The passwords are being erased.")
    if not (left := jobs.count()):
        return ""
    return ngettext(
        "%(count)s job did not end well and keeps its passwords until %(day)s.",
        "%(count)s jobs did not end well and keep their passwords until %(day)s.",
        left,
    ) % {"count": grouped(left), "day": clock_time(cut_over.step_since + KEPT_FOR)}


def _done(_cut_over: CutOver) -> str:
    return _("Nothing is left to do.")


_WAITS = {
    CutOverStep.COPY: _copy,
    CutOverStep.DELTA: _delta,
    CutOverStep.FINAL: _final,
    CutOverStep.CATCH_UP: _catch_up,
    CutOverStep.PURGE: _purge,
    CutOverStep.DONE: _done,
}


def _under_way(count: int, batch: Batch | None) -> str:
    words = ngettext("%(count)s job waits or runs.", "%(count)s jobs wait or run.", count)
    sentence = words % {"count": grouped(count)}
    if batch is None or not batch.is_paused:
        return sentence
    return _("%(jobs)s The batch “%(batch)s” is paused.") % {"jobs": sentence, "batch": batch}


@dataclass(frozen=True)
class StepView:
    """One step as its page shows it."""

    step: CutOverStep
    began_at: datetime | None
    is_over: bool
    is_current: bool
    words: str
    """What it waits for, if it is the current one."""

    @property
    def label(self) -> str:
        return str(self.step.label)


def steps_of(cut_over: CutOver) -> list[StepView]:
    """Every step, with when it began and where things stand."""
    current = STEPS.index(CutOverStep(cut_over.step))
    return [
        StepView(
            step=step,
            began_at=_moment(written) if (written := cut_over.step_times.get(step)) else None,
            is_over=place < current or cut_over.step == CutOverStep.DONE,
            is_current=place == current and cut_over.step != CutOverStep.DONE,
            words=waits_for(cut_over) if place == current and cut_over.is_open else "",
        )
        for place, step in enumerate(STEPS)
    ]


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
