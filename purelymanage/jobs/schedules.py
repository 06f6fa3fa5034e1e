"""Everything that happens by the clock, in one list. All times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from purelymanage.core.locks import lock_transaction


@dataclass(frozen=True)
class Every:
    """A task by dotted name, run every so many minutes; the first run may wait for an hour, UTC."""

    task: str
    minutes: int
    from_hour: int | None = None

    @property
    def first_run(self) -> datetime:
        """At once, or when the clock next shows the hour."""
        now = timezone.now()
        if self.from_hour is None:
            return now
        today = now.astimezone(UTC).replace(hour=self.from_hour, minute=0, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)


SCHEDULES: tuple[Every, ...] = (
    Every("domains.tasks.refresh_due", minutes=5),
    Every("domains.tasks.refresh_all", minutes=24 * 60, from_hour=2),
    Every("domains.tasks.recheck_due", minutes=5),
    Every("domains.tasks.look_up_due", minutes=5),
    Every("domains.tasks.forget_old_changes", minutes=24 * 60, from_hour=4),
    Every("purelymanage.deletions.tasks.run_due", minutes=1),
    Every("purelymanage.deletions.tasks.tell_alarms", minutes=1),
    Every("purelymanage.deletions.tasks.complete_dossiers", minutes=5),
    Every("purelymanage.notifications.tasks.send_waiting", minutes=1),
    Every("audit.tasks.verify_and_mail_head", minutes=24 * 60, from_hour=5),
    Every("routing.tasks.finish_edits", minutes=5),
    Every("mailboxes.tasks.work_on_batches", minutes=1),
    Every("mailboxes.tasks.forget_old_batches", minutes=24 * 60, from_hour=3),
    Every("migrations_app.tasks.import_batches", minutes=1),
    Every("migrations_app.tasks.discard_old_previews", minutes=24 * 60, from_hour=3),
    Every("migrations_app.tasks.probe_engine", minutes=4),
    Every("migrations_app.tasks.work_on_jobs", minutes=1),
    Every("migrations_app.tasks.repeat_jobs", minutes=1),
    Every("migrations_app.tasks.advance_cut_overs", minutes=1),
    Every("migrations_app.tasks.purge_expired", minutes=24 * 60, from_hour=3),
    Every("migrations_app.tasks.revoke_passwords", minutes=1),
    Every("migrations_app.tasks.tell_of_ends", minutes=1),
    Every("migrations_app.tasks.check_mailboxes", minutes=1),
    Every("accounts.tasks.send_invitations", minutes=1),
    Every("accounts.tasks.forget_old_sessions", minutes=24 * 60, from_hour=4),
)


def install(schedules: tuple[Every, ...] = SCHEDULES) -> None:
    """Make the stored schedules equal to the list. Doing it again, or twice at once, is harmless.

    A schedule keeps its next run unless its timing changed, so that a restart delays nothing.
    """
    with transaction.atomic():
        lock_transaction("jobs.schedules")
        Schedule.objects.exclude(name__in=[item.task for item in schedules]).delete()
        for item in schedules:
            _install_one(item)


def _install_one(item: Every) -> None:
    stored, *extra = Schedule.objects.filter(name=item.task).order_by("pk") or [None]
    Schedule.objects.filter(pk__in=[row.pk for row in extra]).delete()
    facts = {
        "func": item.task,
        "schedule_type": Schedule.MINUTES,
        "minutes": item.minutes,
        "repeats": -1,
    }
    if stored is None:
        Schedule.objects.create(name=item.task, next_run=item.first_run, **facts)
        return
    if (stored.schedule_type, stored.minutes) != (Schedule.MINUTES, item.minutes):
        facts["next_run"] = timezone.now() + timedelta(minutes=item.minutes)
    Schedule.objects.filter(pk=stored.pk).update(**facts)
