"""Mail to whoever started a migration once it has ended, unless they were looking; one for a batch.

`told_run` says of which run a job's starter was told. What is newer is news: it is put into the
outbox and marked in one transaction under a lock, so two workers tell nothing twice, and a killed
one forgets nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.models import WAITING, Batch, BatchState, BulkWork, MigrationJob, State
from migrations_app.selectors.batches import view_of_batch
from migrations_app.selectors.jobs import IDLE
from migrations_app.selectors.wrong_passwords import causes_of
from migrations_app.services.watching import forget_old, has_seen
from purelymanage.core.locks import lock_transaction
from purelymanage.notifications.mail import Words
from purelymanage.notifications.services import notify_elsewhere, notify_person

AT_ONCE = 200
"""So many single jobs are told of by one task."""
RESTLESS = timedelta(days=1)
"""How long news of a batch that repeats wait for its rest."""
UNTOLD = Q(run__gt=F("told_run"))
ENDED = IDLE & ~Q(repeat_at__lte=Now())
"""Not to be run once more right away."""
HOW_IT_ENDED = Concat(F("state"), Value(" "), F("cause"))
NO_NEWS = (
    Q(state=State.CANCELLED)
    | Q(superseded_by__isnull=False)
    | Q(repeat_hours__isnull=False, told_as=HOW_IT_ENDED)
)
"""Somebody ended it or went on from it by hand, or it comes again and ended as before."""
TOLD = {"told_run": F("run"), "told_as": HOW_IT_ENDED}


def tell() -> None:
    """Put into the outbox what newly ended. Idempotent; an end is told within a minute."""
    if not MigrationJob.objects.filter(UNTOLD & ENDED).exists():
        return
    with transaction.atomic():
        lock_transaction("migrations.notices")
        _tell_of_jobs()
        for batch in _ended_batches():
            _tell_of_batch(batch)
    forget_old()


def _tell_of_jobs() -> None:
    """Those of no batch: one mail a person about all that ended since the last."""
    ended = MigrationJob.objects.filter(UNTOLD & ENDED, batch=None).order_by("ended_at", "pk")
    pks = list(ended.values_list("pk", flat=True)[:AT_ONCE])
    told = MigrationJob.objects.filter(ENDED, pk__in=pks)  # not who was run again meanwhile
    news = list(told.exclude(NO_NEWS).order_by("ended_at", "pk"))
    told.update(**TOLD)
    for starter, jobs in groupby(sorted(news, key=_starter), key=_starter):
        unseen = [job for job in jobs if not has_seen(starter, job, _end_of(job))]
        if unseen:
            notify_person(starter, words=_words_about_jobs(unseen), context={"jobs": unseen})
    if news:
        notify_elsewhere(words=_words_about_jobs(news), context={"jobs": news})


def _starter(job: MigrationJob) -> int:
    """0 where nobody is known."""
    return job.starter_id or 0


def _words_about_jobs(jobs: list[MigrationJob]) -> Words:
    if len(jobs) == 1:
        words = _("%(state)s: dry run of %(job)s") if jobs[0].dry_run else _("%(state)s: %(job)s")
        facts = {"state": jobs[0].get_state_display(), "job": _one_line(jobs[0])}
        return Words(words % facts, "migrations_ended")
    well = sum(job.state == State.DONE for job in jobs)
    words = _("%(count)d migrations have ended, %(well)d of them well")
    return Words(words % {"count": len(jobs), "well": well}, "migrations_ended")


def _ended_batches() -> QuerySet[Batch]:
    """Batches with news of which nothing runs, waits or is about to begin.

    One that repeats may never come to rest: of that people hear once a day.
    """
    unfinished = MigrationJob.objects.filter(batch=OuterRef("pk"), superseded_by=None)
    ended = MigrationJob.objects.filter(UNTOLD & ENDED).exclude(batch=None)
    works = BulkWork.objects.filter(batch=OuterRef("pk"), ended_at=None)
    rests = ~Exists(unfinished.filter(Q(state=State.RUNNING) | WAITING | Q(repeat_at__lte=Now())))
    repeats = Exists(unfinished.filter(repeat_hours__isnull=False))
    long_ago = timezone.now() - RESTLESS
    unheard_of = Q(told_at__lt=long_ago) | Q(told_at=None, created_at__lt=long_ago)
    return Batch.objects.filter(
        rests | (repeats & unheard_of),
        ~Exists(works),
        ~Q(state=BatchState.IMPORTING),  # one whose import stopped is a preview again, with jobs
        pk__in=ended.values("batch"),
    ).select_related("source_server", "destination_server")


def _tell_of_batch(batch: Batch) -> None:
    """To whoever queued the last of its jobs, or made it."""
    untold = MigrationJob.objects.filter(UNTOLD & ENDED, batch=batch)
    end = untold.aggregate(end=Max("ended_at"))["end"]
    if end is None:  # all of it was run again meanwhile
        return
    ended = untold.filter(ended_at__lte=end)  # what ends meanwhile is news of the next time
    last = ended.exclude(NO_NEWS).order_by("-queued_at", "-pk").first()
    ended.update(**TOLD)
    if last is None:
        return
    Batch.objects.filter(pk=batch.pk).update(told_at=timezone.now())
    starter = last.starter_id or batch.created_by_id
    view = view_of_batch(batch)
    context = {
        "batch": batch,
        "view": view,
        "causes": causes_of(batch),
    }
    words = Words(
        _("%(state)s: batch %(batch)s") % {"state": view.look.word, "batch": _one_line(batch)},
        "migration_batch_ended",
    )
    if not has_seen(starter, batch, end):
        notify_person(starter, words=words, context=context)
    notify_elsewhere(words=words, context=context)


def _end_of(job: MigrationJob) -> datetime:
    return job.ended_at or timezone.now()


def _one_line(named: object) -> str:
    """For the subject of a mail."""
    return " ".join(str(named).split())
