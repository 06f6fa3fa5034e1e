"""What a look at both ends of a job comes to: the columns of its check, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailboxes.models import Mailbox
from migrations_app.checks.pace import Pace
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES, Remedy
from migrations_app.engines.plan import Plan
from migrations_app.imap import survey as imap_survey
from migrations_app.imap.presets import is_purelymail
from migrations_app.models import FINISHED, Check, CheckState, HostLimits, MigrationJob
from migrations_app.running import logs
from purelymanage.core.addresses import shown_address
from purelymanage.ui.tags.words import filesize_si

MAX_WORDS = 1000
MAX_RIVALS = 20


@dataclass(frozen=True)
class Seen:
    """What the look at one end came to."""

    found: imap_survey.Found | None = None
    cause: Cause | None = None
    problem: str = ""


@dataclass(frozen=True)
class Look:
    """One job in hand: all that a thread needs to know of it."""

    check: Check
    plan: Plan
    passwords: tuple[str, str | None] = field(repr=False)
    """None where the run makes that of the destination."""

    @property
    def host(self) -> str:
        return self.plan.source.host.lower()


def findings_of(look: Look, source: Seen, destination: Seen, pace: Pace) -> dict[str, Any]:
    """The columns of a check for what was seen."""
    job = look.check.job
    destination = _explained(job, destination)
    twin, others = _rivals(job)
    causes = [seen.cause for seen in (source, destination) if seen.cause]
    causes.sort(key=lambda cause: CURES[cause].remedy != Remedy.PASSWORD)  # people are asked for it
    problems = [seen.problem for seen in (source, destination) if seen.problem] + twin
    facts: dict[str, Any] = {
        "cause": next(iter(causes), ""),
        "destination_messages": destination.found.messages if destination.found else None,
    }
    notes = [*others, *([] if look.passwords[1] else [_by_copy()])]
    if source.found:
        size = source.found.bytes
        notes += _about_closed(source.found.closed)
        notes += _about_size(look, size)
        facts |= {
            "folders": source.found.folders,
            "messages": source.found.messages,
            "bytes": size,
            "seconds": pace.seconds(
                messages=source.found.messages,
                size=size or 0,
                at_most=look.plan.options.bytes_per_second,
            ),
        }
    if problems:
        return facts | problem(" ".join(problems)) | {"note": " ".join(notes)[:MAX_WORDS]}
    return facts | {"state": CheckState.READY, "note": " ".join(notes)[:MAX_WORDS]}


def problem(sentence: str) -> dict[str, Any]:
    words = logs.CONTROL.sub(" ", sentence)  # a server's own words are in it
    return {"state": CheckState.PROBLEM, "problem": words[:MAX_WORDS]}


def _explained(job: MigrationJob, seen: Seen) -> Seen:
    """A refused sign-in to a mailbox of ours that is not there is no wrong password."""
    is_ours = is_purelymail(job.destination_host, job.destination_port)
    if seen.cause != Cause.DESTINATION_PASSWORD or not is_ours:
        return seen
    address = job.destination_address.lower()
    if Mailbox.objects.filter(address=address).exists():
        return seen
    words = _("There is no mailbox %(address)s at PurelyMail. Create it, then check again.")
    return replace(seen, problem=words % {"address": shown_address(address)})


def _rivals(job: MigrationJob) -> tuple[list[str], list[str]]:
    """Words about unfinished jobs into the same mailbox: the same migration, and others."""
    into_it = (
        MigrationJob.objects.annotate(mailbox=Lower("destination_address"))
        .filter(
            mailbox=job.destination_address.lower(),
            destination_host__iexact=job.destination_host,
            superseded_by=None,
        )
        .exclude(state__in=FINISHED)
        .exclude(pk=job.pk)
        .only("name", "source_host", "source_address", "dry_run", "state", "requeues")
    )
    rivals = [other for other in into_it[:MAX_RIVALS] if not other.is_finished]
    twins = [other for other in rivals if _way(other) == _way(job)]
    others = [other for other in rivals if other not in twins]
    twin = _("The same migration is unfinished as “%(job)s” too. Cancel one of them.")
    other = _("“%(job)s” copies into this mailbox too.")
    return [twin % {"job": one} for one in twins[:1]], [other % {"job": one} for one in others[:1]]


def _way(job: MigrationJob) -> tuple[str, str, bool]:
    return job.source_host.lower(), job.source_address.lower(), job.dry_run


def _by_copy() -> str:
    return _("The destination is in the list of your mailboxes; the run makes its own password.")


def _about_closed(count: int) -> list[str]:
    words = ngettext(
        "%(count)d folder does not open, so what is in it is not counted.",
        "%(count)d folders do not open, so what is in them is not counted.",
        count,
    )
    return [words % {"count": count}] if count else []


def _about_size(look: Look, size: int | None) -> list[str]:
    if size is None:
        return [_("The server took too long to tell the sizes; the time is by the messages alone.")]
    limits = HostLimits.objects.filter(host=look.host).only("bytes_per_day").first()
    budget = limits.bytes_per_day if limits else None
    if not budget or size <= budget:
        return []
    words = _("No more than %(size)s a day are read there, so it takes %(days)d days at least.")
    return [words % {"size": filesize_si(budget), "days": ceil(size / budget)}]
