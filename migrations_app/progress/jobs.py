"""What a job's row says about how far it is: percent, rate, time left, all from stored columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zlib import crc32

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from migrations_app.engines.causes import Cause
from migrations_app.engines.choice import LABELS
from migrations_app.engines.plan import Options
from migrations_app.models import ENDED_WELL, MAX_REQUEUES, MigrationJob, Phase, State
from purelymanage.ui.tags.atoms import address, job_state
from purelymanage.ui.tags.words import duration, filesize_si, moment

GUESS_AFTER_SECONDS = 30
"""Before that, a time left would be a guess."""


@dataclass(frozen=True)
class PhaseStep:
    """One of the four phases as the page shows them."""

    label: str
    is_past: bool
    is_current: bool


@dataclass(frozen=True)
class JobView:
    """A job, looked at now."""

    job: MigrationJob
    now: datetime
    place: int | None = None
    """Its place in the queue, while it is near the head."""
    waits_for: str = ""
    """What keeps it from its start, if anything does."""

    @property
    def token(self) -> str:
        """Changes whenever what is shown about the job changes."""
        waiting = (
            f"{self.place or ''}-{crc32(self.waits_for.encode()):x}" if self.is_waiting else ""
        )
        return f"{self.job.version}.{self.standing}.{waiting}"

    @property
    def standing(self) -> str:
        """Its state, and whether it waits for a moment: what may be done with it hangs on that."""
        return f"{self.job.state}-later" if self.can_run_now else self.job.state

    @property
    def is_running(self) -> bool:
        return self.job.state == State.RUNNING

    @property
    def is_waiting(self) -> bool:
        """Queued, or interrupted and going to start again by itself."""
        return not self.is_running and not self.job.is_finished

    @property
    def can_run_now(self) -> bool:
        """Whether it waits for its start or its next try."""
        moments = [moment for moment in (self.job.start_at, self.job.try_after) if moment]
        return self.is_waiting and max(moments, default=self.now) > self.now

    @property
    def source_name(self) -> str:
        return self._name_of("source")

    @property
    def destination_name(self) -> str:
        return self._name_of("destination")

    def _name_of(self, side: str) -> str:
        """As the server is called now; for a deleted one as it was called."""
        server = getattr(self.job, f"{side}_server")
        kept = getattr(self.job, f"{side}_name") or getattr(self.job, f"{side}_host")
        return str(server or kept)

    @property
    def can_run_for_real(self) -> bool:
        ended_well = self.job.state in ENDED_WELL
        counts_already = bool(self.job.batch_id and self.job.superseded_by_id)
        return self.job.dry_run and ended_well and self.job.has_passwords and not counts_already

    @property
    def can_rerun(self) -> bool:
        return self.job.is_finished and self.job.has_passwords

    @property
    def facts(self) -> dict[str, object]:
        """What its row is stamped with: who it is, and what may be done with it."""
        job, can_rerun = self.job, self.can_rerun
        return {
            "name": job.name,
            "parted": address(job.name),
            "destination": job.destination_address,
            "server": self.source_name,
            "is_renamed": job.name != job.destination_address,
            "is_dry_run": job.dry_run,
            "is_finished": job.is_finished,
            "is_stopping": job.stop_requested,
            "can_run_now": self.can_run_now,
            "can_run_for_real": self.can_run_for_real,
            "can_rerun": can_rerun,
            "offers_rerun": can_rerun and job.state != State.DONE,
        }

    @property
    def figures(self) -> dict[str, object]:
        """What its cells are stamped with: how much of it is done, and when it ends or ended."""
        is_running, size = self.is_running, self.size
        rate = self.rate if is_running else None
        left = self.seconds_left if is_running else None
        return {
            "state": job_state(self.job.state),
            "ended": moment(self.job.ended_at),
            "size": size,
            "rate": filesize_si(rate),
            "left": duration(left),
            "has_size": bool(size),
            "has_rate": bool(rate),
            "knows_end": left is not None,
            "is_running": is_running,
            "is_waiting": self.is_waiting,
        }

    @property
    def options(self) -> Options:
        return Options.from_json(self.job.options)

    @property
    def engine(self) -> str:
        """What people call the engine of the latest run; empty before the first."""
        return LABELS.get(self.job.engine, self.job.engine)

    @property
    def tries(self) -> str:
        """Which try this is, as “2 of 4”."""
        most = MAX_REQUEUES + 1
        this = min(self.job.requeues + 1, most)
        return _("%(this)d of %(most)d") % {"this": this, "most": most}

    # How far

    @cached_property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        if not self.job.started_at:
            return None
        until = self.now if self.is_running else self.job.ended_at or self.now
        return max(0.0, (until - self.job.started_at).total_seconds())

    @property
    def percent(self) -> int | None:
        """Messages dealt with; None while the total is unknown."""
        total = self.job.messages_total
        if total is None:
            return None
        return 100 * min(self.job.messages_done, total) // total if total else 100

    @property
    def rate(self) -> float | None:
        """Bytes per second since it started."""
        if not self.seconds or not self.job.bytes_done:
            return None
        return self.job.bytes_done / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """How long it will take from here at this pace; None while that would be a guess."""
        if not self.is_running or not self.seconds or self.seconds < GUESS_AFTER_SECONDS:
            return None
        job = self.job
        for done, total in (
            (job.bytes_done, job.bytes_total),
            (job.messages_done, job.messages_total),
        ):
            if total and done:
                return whole_minutes(max(0, total - done) * self.seconds / done)
        return None

    @cached_property
    def size(self) -> str:
        """“2.1 of 3.4 GB”, or what is known of it; empty when nothing is."""
        done, total = self.job.bytes_done, self.job.bytes_total
        if total is None or done >= total:
            return filesize_si(done) if done else ""
        if not done and (self.job.dry_run or not self.is_running):
            return filesize_si(total)
        had, all_of_it = filesize_si(done), filesize_si(total)
        number, unit = had.split("\N{NO-BREAK SPACE}")
        if all_of_it.endswith(f"\N{NO-BREAK SPACE}{unit}"):
            had = number
        return _("%(done)s of %(total)s") % {"done": had, "total": all_of_it}

    @property
    def folder_number(self) -> int | None:
        """Which folder of how many is under way."""
        total = self.job.folders_total
        return min(self.job.folders_done + 1, total) if total else None

    @property
    def phases(self) -> list[PhaseStep]:
        """Connect, Compare, Copy, Verify, and where the job stands among them."""
        names = [str(phase) for phase in Phase]
        at = names.index(self.job.phase) if self.job.phase in names else -1
        return [
            PhaseStep(str(Phase(name).label), is_past=index < at, is_current=index == at)
            for index, name in enumerate(names)
        ]

    # In words

    @property
    def heading(self) -> SafeString:
        """Its name, which may break before the `@`."""
        local_part, at, domain = self.job.name.rpartition("@")
        return format_html("<span>{}<wbr>{}{}</span>", local_part, at, domain)

    @property
    def journey(self) -> str:
        """From where to where, and that nobody has to wait."""
        ends = _("From %(source)s to %(destination)s.") % {
            "source": self.source_name,
            "destination": self.destination_name,
        }
        if self.job.is_finished:
            return ends
        return f"{ends} {_('You can close this page; the migration goes on.')}"

    @property
    def doing(self) -> str:
        """What a running job does, in a word or two, for its row and for the live region."""
        if self.job.stop_requested:
            return _("Stopping")
        words = {
            "": _("Starting"),
            Phase.CONNECT: _("Signing in"),
            Phase.COMPARE: _("Comparing folders"),
            Phase.COPY: _("Copying"),
            Phase.VERIFY: _("Verifying"),
        }
        return words[self.job.phase]

    @property
    def waiting_words(self) -> str:
        """Why it waits again, or its place in the queue, and what it waits for."""
        place = _("Number %(place)d in the queue.") % {"place": self.place} if self.place else ""
        return f"{self.job.verdict or place or _('In the queue.')} {self.waits_for}".strip()

    @property
    def summary(self) -> str:
        """How it ended: in a few words where it has a cause, else the verdict."""
        return str(Cause(self.job.cause).label) if self.job.cause in Cause else self.job.verdict


def whole_minutes(seconds: float) -> float:
    """Seconds of whole minutes from one minute on: more would pretend to know."""
    return round(seconds / 60) * 60 if seconds >= 60 else round(seconds)
