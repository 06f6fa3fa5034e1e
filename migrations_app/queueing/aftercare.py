"""What becomes of a job whose run did not end well, and of the host that is to blame.

The table of cures stands in `engines.cures`; the states change in `queueing.queue`.
"""

from __future__ import annotations

from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.engines.base import Verdict
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES, EQUAL_FAILURES, RETRY_MINUTES, Remedy
from migrations_app.models import MigrationJob, State
from migrations_app.queueing import manners


def minutes_to_next_try(job: MigrationJob, verdict: Verdict) -> int | None:
    """After how many minutes the job is to start again by itself; None if it is not to."""
    if verdict.cause is None:
        return None
    remedy = CURES[verdict.cause].remedy
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
    passes = verdict.cause is not None and CURES[verdict.cause].remedy == Remedy.RETRY
    if not passes or job.retries < len(RETRY_MINUTES):
        return ""
    return _("It was tried again three times, which did not help.")


def close_host(job: MigrationJob, cause: Cause) -> None:
    """Spare the rest of a batch what its last jobs with the same host all ended with.

    Failures from before the host was last opened, by time or by hand, count no more.
    """
    closes_for, end = CURES[cause].closes_for, cause.end
    if job.batch_id is None or closes_for is None or end is None:
        return
    host = getattr(job, f"{end}_host").lower()
    ended = MigrationJob.objects.annotate(host=Lower(f"{end}_host")).filter(
        batch=job.batch_id, host=host, ended_at__gt=manners.opened_at(host)
    )
    ended = ended.exclude(state__in=[State.CANCELLED, State.INTERRUPTED])
    causes = ended.order_by("-ended_at", "-pk").values_list("cause", flat=True)
    if list(causes[:EQUAL_FAILURES]) == [cause] * EQUAL_FAILURES:
        because = _("%(count)d migrations in a row ended with the same cause: %(cause)s.") % {
            "count": EQUAL_FAILURES,
            "cause": cause.label,
        }
        manners.close(host, because, timezone.now() + closes_for)
