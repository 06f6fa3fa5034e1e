"""What becomes of a job whose run did not end well, and of the host that is to blame.

The table of cures stands in `engines.cures`; the states change in `queueing.queue`.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.engines.base import Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import (
    CURES,
    EQUAL_FAILURES,
    RETRY_MINUTES,
    Remedy,
    remedy_of,
)
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import manners


def minutes_to_next_try(job: MigrationJob, verdict: Verdict) -> int | None:
    """After how many minutes the job is to start again by itself; None if it is not to."""
    if verdict.cause is None:
        return None
    remedy = remedy_of(verdict.cause, uses_app_password=job.uses_app_password)
    if remedy == Remedy.RESUME:
        return 0
    if remedy == Remedy.RETRY and job.retries < len(RETRY_MINUTES):
        return RETRY_MINUTES[job.retries]
    return None


def which_try(retries: int) -> str:
    """“second of three”, for the second try after the first run; empty for none."""
    words = {1: _("first of three"), 2: _("second of three"), 3: _("last of three")}
    return words.get(retries, "")


def words_after_last_try(job: MigrationJob, verdict: Verdict) -> str:
    """For a verdict that stands although the job was tried again as often as it is."""
    if verdict.cause is None or job.retries < len(RETRY_MINUTES):
        return ""
    if remedy_of(verdict.cause, uses_app_password=job.uses_app_password) != Remedy.RETRY:
        return ""
    return _("It was tried again three times, which did not help.")


def close_host(job: MigrationJob, cause: Cause) -> None:
    """Spare the rest of a batch what its last jobs with the same host all ended with.

    A server that fails is closed to everybody; where the batch is to blame, to that batch.
    """
    cure, end = CURES[cause], cause.end
    if job.batch is None or cure.closes_for is None or end is None:
        return
    host = getattr(job, f"{end}_host").lower()
    holder = job.batch if cure.is_of_batch else None
    if not _ended_equally(job, host, cause, since=manners.opened_at(host, holder)):
        return
    because = _("%(count)d migrations in a row ended with the same cause: %(cause)s.") % {
        "count": EQUAL_FAILURES,
        "cause": cause.label,
    }
    until = timezone.now() + cure.closes_for
    if holder:
        manners.hold(holder, host, because, until)
    else:
        manners.close(host, because, until)


def _ended_equally(job: MigrationJob, host: str, cause: Cause, *, since: datetime) -> bool:
    """Failures from before the host was last opened, by time or by hand, count no more."""
    ended = MigrationJob.objects.annotate(host=Lower(f"{cause.end}_host")).filter(
        batch=job.batch_id, host=host, ended_at__gt=since
    )
    ended = ended.exclude(state__in=[State.CANCELLED, State.INTERRUPTED])
    causes = ended.order_by("-ended_at", "-pk").values_list("cause", flat=True)
    return list(causes[:EQUAL_FAILURES]) == [cause] * EQUAL_FAILURES
