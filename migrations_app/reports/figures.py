"""What the runs of mailboxes brought over, in figures and in words: what a report is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from migrations_app.engines.counts import Reason
from migrations_app.models import ENDED_WELL, FolderResult, MigrationJob, State
from migrations_app.progress.batches import BatchView
from purelymanage.ui.states import JOB_STATES, Look
from purelymanage.ui.tags.words import grouped

REASONS: dict[Reason, object] = {
    "duplicate": gettext_lazy("%(count)s twice in the folder"),
    "too_large": gettext_lazy("%(count)s above the size limit"),
    "no_headers": gettext_lazy("%(count)s without headers"),
    "other": gettext_lazy("%(count)s for another reason"),
}


@dataclass(frozen=True)
class Figures:
    """What was found and what became of it, in messages; what is named so is in bytes."""

    folders: int = 0
    unfinished: int = 0
    """Folders that the run did not get to the end of."""
    found: int = 0
    copied: int = 0
    to_copy: int = 0
    """What dry runs found missing."""
    present: int = 0
    skipped: int = 0
    failed: int = 0
    bytes_found: int = 0
    bytes_copied: int = 0
    there: int | None = None
    """In these folders of the destination when the runs ended; None where nobody counted."""
    there_bytes: int | None = None
    lacking: int = 0
    """Messages that arrived, and that the destination does not hold any more."""
    skipped_why: Mapping[str, int] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        """Messages of the source that the destination has not got."""
        return max(0, self.found - self.copied - self.present)

    @property
    def unexplained(self) -> int:
        """Those of them that are neither still to copy, nor left out, nor failed."""
        return max(0, self.difference - self.to_copy - self.skipped - self.failed)

    @property
    def reasons(self) -> str:
        """Why messages were left out: “3 twice in the folder, 1 above the size limit”."""
        return ", ".join(
            str(words) % {"count": grouped(self.skipped_why[reason])}
            for reason, words in REASONS.items()
            if self.skipped_why.get(reason)
        )


def figures_of(results: Iterable[FolderResult], *, is_dry_run: bool) -> Figures:
    """The sum of some folders of one mailbox."""
    sums: Counter[str] = Counter()
    why: Counter[str] = Counter()
    held: dict[str, FolderResult] = {}
    arrived: Counter[str] = Counter()
    for result in results:
        sums.update(
            folders=1,
            unfinished=int(not result.is_done),
            found=result.found,
            present=result.present,
            skipped=result.skipped,
            failed=result.failed,
            bytes_found=result.bytes_found,
        )
        if is_dry_run:
            sums["to_copy"] += result.copied
        else:
            sums.update(copied=result.copied, bytes_copied=result.bytes_copied)
            arrived[result.destination] += result.copied + result.present
        if result.skipped_why:
            why.update(result.skipped_why)
        if result.destination_messages is not None:
            held[result.destination] = result
    return Figures(
        **sums,
        there=sum(one.destination_messages or 0 for one in held.values()) if held else None,
        there_bytes=sum(one.destination_bytes or 0 for one in held.values()) if held else None,
        lacking=sum(
            max(0, arrived[name] - (one.destination_messages or 0)) for name, one in held.items()
        ),
        skipped_why=why,
    )


def look_of_folder(figures: Figures, *, is_dry_run: bool) -> Look:
    """How a folder fared, in words."""
    if figures.failed:
        return Look("bad", "circle-x", _failed(figures.failed))
    if figures.unfinished:
        return Look("warn", "triangle-alert", _("Not finished"))
    return _look_of_finished(figures, is_dry_run=is_dry_run)


def look_of_mailbox(job: MigrationJob, figures: Figures) -> Look:
    """How a mailbox fared, in words."""
    if not job.is_finished:
        look = JOB_STATES[job.state]
        return look._replace(word=_("%(state)s, not at its end") % {"state": look.word})
    if job.state not in ENDED_WELL:
        return JOB_STATES[job.state]
    if figures.failed:
        return Look("bad", "circle-x", _failed(figures.failed))
    if figures.unfinished:
        return Look("warn", "triangle-alert", _unfinished(figures.unfinished))
    if job.state == State.DONE_WITH_ERRORS:
        return JOB_STATES[job.state]
    return _look_of_finished(figures, is_dry_run=job.dry_run)


def look_of_batch(view: BatchView, total: Figures) -> Look:
    """How all mailboxes together fared, in words; no better than any one of them."""
    if view.look.tone != "ok":
        return view.look
    if total.failed:
        return Look("bad", "circle-x", _failed(total.failed))
    if total.unfinished:
        return Look("warn", "triangle-alert", _unfinished(total.unfinished))
    is_dry_run = bool(total.to_copy) or view.tally.dry == view.tally.total
    return _look_of_finished(total, is_dry_run=is_dry_run)


def _look_of_finished(figures: Figures, *, is_dry_run: bool) -> Look:
    """Of what was gone through to the end without a failure."""
    if figures.unexplained:
        words = ngettext(
            "%(count)s message is missing", "%(count)s messages are missing", figures.unexplained
        )
        return Look("warn", "triangle-alert", words % {"count": grouped(figures.unexplained)})
    if is_dry_run:
        if not figures.to_copy:
            return Look("ok", "circle-check", _("Nothing to copy"))
        return Look("idle", "eye", _("%(count)s to copy") % {"count": grouped(figures.to_copy)})
    if figures.lacking:
        words = _("Copied, %(count)s not there any more") % {"count": grouped(figures.lacking)}
        return Look("warn", "triangle-alert", words)
    if figures.skipped:
        words = _("Complete, %(count)s left out") % {"count": grouped(figures.skipped)}
        return Look("ok", "circle-check", words)
    return Look("ok", "circle-check", _("Complete"))


def unnamed_words(number: int, *, of: int) -> str:
    """That so many of the messages that did not arrive are not kept by name."""
    if number < of:
        words = ngettext(
            "%(count)s more message did not arrive; it is not kept by name.",
            "%(count)s more messages did not arrive; they are not kept by name.",
            number,
        )
    else:
        words = ngettext(
            "%(count)s message did not arrive; it is not kept by name.",
            "%(count)s messages did not arrive; they are not kept by name.",
            number,
        )
    return words % {"count": grouped(number)}


def _unfinished(number: int) -> str:
    words = ngettext(
        "%(count)s folder is not finished", "%(count)s folders are not finished", number
    )
    return words % {"count": grouped(number)}


def _failed(number: int) -> str:
    words = ngettext(
        "%(count)s message did not arrive", "%(count)s messages did not arrive", number
    )
    return words % {"count": grouped(number)}
