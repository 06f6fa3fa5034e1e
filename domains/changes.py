"""The history of what DNS says: a change is noted when seen, and holds when seen again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import models, transaction
from django.utils import timezone

from domains import tiers
from domains.checks import own_views, with_health
from domains.models import CHECKS, CheckSource, DnsChange, Domain

KEPT = timedelta(days=365)
APART = timedelta(minutes=2)
"""Two looks closer together than this are one."""

Flags = tuple[bool, ...]


class Sighting(NamedTuple):
    """What a check saw of one subject of a domain, and what the check before it had seen."""

    domain_id: int
    subject: str
    before: str
    after: str


class Noted(NamedTuple):
    """What became of the sightings."""

    is_open: bool
    """Some change has still to be seen a second time."""
    has_held: bool
    """Some change was just seen a second time."""


def observe(
    source: CheckSource,
    sightings: Iterable[Sighting],
    *,
    at: datetime,
    confirms: Callable[[DnsChange], bool],
) -> Noted:
    """Note what changed, what held and what was gone before it held.

    `confirms` says whether this check may count as the second one for a change.
    """
    seen = {(one.domain_id, one.subject): one for one in sightings}
    waiting = open_changes(source).filter(domain_id__in={domain_id for domain_id, _subject in seen})
    waits = {(change.domain_id, change.subject): change for change in waiting}
    new, held, ended = [], [], []
    for place, sighting in seen.items():
        change = waits.get(place)
        before = change.before if change else sighting.before
        if change and sighting.after == change.after:
            if confirms(change):
                held.append(change.pk)
                del waits[place]
            continue
        if change:
            ended.append(change.pk)
            del waits[place]
        if sighting.after != before:
            new.append(
                DnsChange(
                    domain_id=sighting.domain_id,
                    source=source,
                    subject=sighting.subject,
                    before=before,
                    after=sighting.after,
                    at=at,
                )
            )
    if held:
        DnsChange.objects.filter(pk__in=held).update(held_at=at)
    if ended:
        DnsChange.objects.filter(pk__in=ended).update(ended_at=at)
    DnsChange.objects.bulk_create(new)
    return Noted(is_open=bool(new or waits.keys() & seen.keys()), has_held=bool(held))


@contextmanager
def verdicts_watched() -> Iterator[None]:
    """Note what the block, a refresh of the domains, changes of PurelyMail's verdicts."""
    with transaction.atomic(savepoint=False):
        before = _verdicts()
        yield
        _note_verdicts(before)


def open_changes(source: CheckSource) -> models.QuerySet[DnsChange]:
    """Those that have neither held nor ended."""
    return DnsChange.objects.filter(source=source, held_at=None, ended_at=None)


def forget_old() -> None:
    """Drop what is older than a year."""
    DnsChange.objects.filter(at__lt=timezone.now() - KEPT).delete()


def _verdicts() -> dict[int, Flags]:
    """Of domains whose first verdict was read; what it replaces was never one."""
    rows = Domain.objects.ours().filter(checked_at__isnull=False, recheck_after__isnull=False)
    return _flags(rows)


def _flags(rows: models.QuerySet[Domain]) -> dict[int, Flags]:
    listed = rows.values_list("pk", *(f"passes_{check}" for check in CHECKS))
    return {pk: tuple(flags) for pk, *flags in listed}


def _note_verdicts(before: Mapping[int, Flags]) -> None:
    after = _flags(Domain.objects.judged())
    moved = {pk for pk, flags in after.items() if before.get(pk) != flags}
    waiting = open_changes(CheckSource.PURELYMAIL).filter(domain_id__in=after)
    watched = set(waiting.values_list("domain_id", flat=True)) | (moved & before.keys())
    if watched:
        rows = with_health(Domain.objects.filter(pk__in=watched & before.keys()))
        domains = {domain.pk: domain for domain in rows}
        observe(
            CheckSource.PURELYMAIL,
            _sightings(before, after, domains),
            at=timezone.now(),
            confirms=lambda change: _is_confirmed(change, domains[change.domain_id]),
        )
    if moved:
        tiers.recount(Domain.objects.filter(pk__in=moved))


def _sightings(
    before: Mapping[int, Flags], after: Mapping[int, Flags], domains: Iterable[int]
) -> Iterator[Sighting]:
    words = {True: "ok", False: "failing"}
    for pk in domains:
        for check, was, passes in zip(CHECKS, before[pk], after[pk], strict=True):
            yield Sighting(pk, check, words[was], words[passes])


def _is_confirmed(change: DnsChange, domain: Domain) -> bool:
    """PurelyMail looked again since, or our own lookups say the same.

    Listing a verdict twice is no second check: PurelyMail looks only when it is asked to.
    """
    if domain.checked_at and domain.checked_at > change.at:
        return True
    own = next(view for view in own_views(domain) if view.check == change.subject)
    return own.state == "ok" if change.after == "ok" else own.is_failing
