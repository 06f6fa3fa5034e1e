"""What a batch's jobs say about how far it is: numbers, bytes, rate, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from zlib import crc32

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migrations_app.models import Batch
from migrations_app.progress.jobs import GUESS_AFTER_SECONDS, JobView, whole_minutes
from purelymanage.ui.states import BarPart, Look
from purelymanage.ui.tags.words import filesize_si, grouped

NO_TIME = timedelta()


@dataclass(frozen=True)
class Tally:
    """What the jobs of a batch come to. Sizes in bytes; those that nobody measured are missing."""

    total: int = 0
    running: int = 0
    waiting: int = 0
    """To start by themselves, interrupted ones among them."""
    interrupted: int = 0
    done: int = 0
    with_errors: int = 0
    failed: int = 0
    """With those of them that were interrupted too often."""
    given_up: int = 0
    cancelled: int = 0
    dry: int = 0
    dry_done: int = 0
    real_to_do: int = 0
    """Real runs that wait or run."""
    ready: int = 0
    """Dry runs that may be run for real."""
    to_retry: int = 0
    to_correct: int = 0
    """Failed ones that are not, because they need another password."""
    to_cancel: int = 0
    repeating: int = 0
    """Those that are copied again by themselves."""
    wrong_passwords: int = 0
    """Mailboxes that a person has to give the right password for."""
    bytes_known: float = 0
    sizes_unknown: int = 0
    bytes_dealt: float = 0
    bytes_left: float = 0
    """Of the jobs that wait or run."""
    sizes_left_unknown: int = 0
    real_dealt: float = 0
    """What real runs dealt with in `real_time`."""
    real_time: timedelta | None = None
    dry_time: timedelta | None = None
    """Of the dry runs that ended well."""

    @property
    def ended(self) -> int:
        return self.total - self.running - self.waiting


@dataclass(frozen=True)
class BatchView:
    """A batch, looked at now."""

    batch: Batch
    tally: Tally
    running: list[JobView] = field(default_factory=list)
    hours_of: Callable[[Iterable[str]], tuple[str, ...]] = lambda _hosts: ()
    """What there is to say about the hours of hosts."""

    @property
    def is_active(self) -> bool:
        """Whether looking again makes sense."""
        return bool(self.tally.running or self.tally.waiting or self.batch.is_importing)

    @property
    def token(self) -> str:
        """Changes whenever what is shown about the batch changes."""
        shown = (
            [part.words for part in self.parts],
            self.bytes_words,
            self.percent,
            filesize_si(self.rate),
            self.seconds_left,
            self.hours,
            self.batch.paused_at,
            self.is_held,
            self.starts_at,
            self.tally.wrong_passwords,
            self.tally.to_correct,
        )
        return f"{crc32(repr(shown).encode()):x}"

    @property
    def head_token(self) -> str:
        """Changes whenever what can be done with the batch changes."""
        tally, batch = self.tally, self.batch
        offers = tally.ready, tally.to_retry, bool(tally.to_cancel), self.is_active
        facts = batch.paused_at, self.is_held, batch.start_at, self.look, offers, tally.repeating
        return f"{crc32(repr(facts).encode()):x}"

    @property
    def look(self) -> Look:
        """Where it stands, in a word."""
        tally, batch = self.tally, self.batch
        if batch.is_preview:
            if tally.total:
                return Look("warn", "triangle-alert", _("Import stopped"))
            return Look("idle", "eye", _("Preview"))
        if batch.is_importing:
            return Look("info", "loader", _("Importing"))
        if tally.running:
            return Look("info", "loader", _("Running"))
        return self._look_of_waiting if tally.waiting else self._look_of_end

    @property
    def _look_of_waiting(self) -> Look:
        if self.batch.is_paused:
            return Look("warn", "pause", _("Paused"))
        if self.is_held:
            return Look("warn", "pause", _("Held back"))
        return Look("idle", "clock", _("Waiting"))

    @property
    def _look_of_end(self) -> Look:
        tally = self.tally
        if tally.failed:
            return Look("bad", "circle-x", _("Ended, some failed"))
        if tally.with_errors:
            return Look("warn", "triangle-alert", _("Ended with errors"))
        if tally.done and not tally.cancelled:
            return Look("ok", "circle-check", _("Done"))
        return Look("idle", "ban", _("Ended, some cancelled") if tally.done else _("Ended"))

    @property
    def parts(self) -> list[BarPart]:
        """The bar, from what is settled to what waits; empty parts are left out."""
        tally = self.tally
        here = reverse("migrations:batch", args=[self.batch.pk])
        parts = (
            ("ok", tally.done, _("%(count)s done"), "done"),
            ("warn", tally.with_errors, _("%(count)s with errors"), "errors"),
            ("bad", tally.failed - tally.given_up, _("%(count)s failed"), "failed"),
            ("bad", tally.given_up, _("%(count)s given up"), "interrupted"),
            ("info", tally.running, _("%(count)s running"), "running"),
            ("warn", tally.interrupted, _("%(count)s interrupted"), "interrupted"),
            ("rest", tally.waiting - tally.interrupted, _("%(count)s queued"), "queued"),
            ("rest", tally.cancelled, _("%(count)s cancelled"), "cancelled"),
        )
        return [
            BarPart(tone, number, words % {"count": grouped(number)}, f"{here}?state={state}")
            for tone, number, words, state in parts
            if number
        ]

    @property
    def counted(self) -> str:
        """“96 of 148 done”."""
        tally = self.tally
        words = {"done": grouped(tally.done + tally.with_errors), "total": grouped(tally.total)}
        if tally.dry == tally.total:
            return _("%(done)s of %(total)s compared") % words
        return _("%(done)s of %(total)s done") % words

    @property
    def starts_at(self) -> datetime | None:
        """Before that none of its waiting jobs starts."""
        start = self.batch.start_at
        return start if start and self.tally.waiting and start > timezone.now() else None

    @property
    def is_held(self) -> bool:
        """Whether jobs of it wait because too many passwords in a row were refused."""
        return bool(self.tally.waiting) and self.batch.is_held

    @property
    def journey(self) -> str:
        """From where to where, and how many mailboxes once there are jobs."""
        words = {
            "count": grouped(self.tally.total),
            "source": self.batch.source_server or _("a deleted server"),
            "destination": self.batch.destination_server or _("a deleted server"),
        }
        if not self.tally.total:
            return _("From %(source)s to %(destination)s.") % words
        journey = (
            ngettext(
                "%(count)s mailbox from %(source)s to %(destination)s.",
                "%(count)s mailboxes from %(source)s to %(destination)s.",
                self.tally.total,
            )
            % words
        )
        if not (repeating := self.tally.repeating):
            return journey
        again = ngettext(
            "%(count)s is copied again by itself.",
            "%(count)s are copied again by themselves.",
            repeating,
        ) % {"count": grouped(repeating)}
        return f"{journey} {again}"

    @property
    def bytes_words(self) -> str:
        """“214 GB of 371 GB”, “of about” where sizes are missing; empty while none is known.

        Only “371 GB” once all of it is dealt with.
        """
        tally = self.tally
        if not tally.bytes_known:
            return ""
        words = {"done": filesize_si(tally.bytes_dealt), "total": filesize_si(self._bytes_total)}
        if words["done"] == words["total"] and not self.is_active:
            return words["total"]
        if tally.sizes_unknown:
            return _("%(done)s of about %(total)s") % words
        return _("%(done)s of %(total)s") % words

    @property
    def percent(self) -> int | None:
        """Of the bytes; None while no size is known, and once nothing goes on."""
        total = self._bytes_total
        if not total or not self.is_active:
            return None
        return int(100 * self.tally.bytes_dealt / total)

    @property
    def _bytes_total(self) -> float:
        """At least what is dealt with: a mailbox may turn out larger than the others are."""
        estimate = self.tally.bytes_known + self.tally.sizes_unknown * self._usual_size
        return max(estimate, self.tally.bytes_dealt)

    @property
    def _usual_size(self) -> float:
        """What a mailbox that nobody measured counts as: the mean of the others."""
        known = self.tally.total - self.tally.sizes_unknown
        return self.tally.bytes_known / known if known else 0.0

    @property
    def rate(self) -> float | None:
        """Bytes per second that all running jobs copy together."""
        return sum(view.rate or 0 for view in self.running) or None

    @cached_property
    def seconds_left(self) -> float | None:
        """Of copying, until the last job of the batch ends at the pace so far; None while that is
        a guess. Hours in which a host is not read come on top.
        """
        if not self.running or self.batch.is_paused or self.is_held or self.starts_at:
            return None
        left = self._copying_left() if self.tally.real_to_do else self._comparing_left()
        if left is None:
            return None
        longest = max((view.seconds_left or 0 for view in self.running), default=0)
        return whole_minutes(max(left, longest))

    @cached_property
    def hours(self) -> tuple[str, ...]:
        """Sentences about hosts that are read at some hours only: the time left leaves that out."""
        if self.seconds_left is None:
            return ()
        return self.hours_of({view.job.source_host.lower() for view in self.running})

    def _copying_left(self) -> float | None:
        """The bytes to go, at what one job gets through, times the jobs that run."""
        tally = self.tally
        took = (tally.real_time or NO_TIME).total_seconds()
        if took < GUESS_AFTER_SECONDS or not tally.real_dealt or not tally.bytes_known:
            return None
        left = tally.bytes_left + tally.sizes_left_unknown * self._usual_size
        return left / (tally.real_dealt / took * len(self.running))

    def _comparing_left(self) -> float | None:
        """Dry runs copy nothing: as long as those took that ended, half of it for what runs."""
        tally = self.tally
        if not tally.dry_done:
            return None
        each = (tally.dry_time or NO_TIME).total_seconds() / tally.dry_done
        return each * (tally.waiting + len(self.running) / 2) / len(self.running)
