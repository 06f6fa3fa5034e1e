"""The doors by which workers refresh the local copy and look after DNS."""

from __future__ import annotations

from collections.abc import Sequence

from domains import changes, copy, freshness, lookups, notices, rechecks
from domains.models import Kind
from purelymanage.jobs.queue import enqueue


def refresh_due() -> None:
    """The parts of the copy whose time has come; most ticks find none."""
    _refresh(freshness.due())


def refresh_copy() -> None:
    """Domains, mailboxes and rules, because somebody asked: one call each."""
    _refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])


def refresh_all() -> None:
    """Everything the panel keeps a copy of."""
    _refresh(list(Kind))


def _refresh(kinds: Sequence[Kind]) -> None:
    """New domains are looked after at once: nobody waits for the next tick on the first day."""
    found = copy.refresh(kinds).get(Kind.DOMAINS)
    if isinstance(found, copy.Changes) and found.added:
        enqueue("domains.tasks.recheck_due")
        enqueue("domains.tasks.look_up_due")


def recheck_due() -> None:
    """Have PurelyMail recheck the domains whose turn it is."""
    rechecks.tick()
    notices.tell()


def look_up_due() -> None:
    """Look up the domains whose turn it is."""
    lookups.look_up_due()
    notices.tell()


def forget_old_changes() -> None:
    """Keep a year of history."""
    changes.forget_old()
