"""The doors by which workers refresh the local copy and look after DNS."""

from __future__ import annotations

from domains import changes, copy, freshness, lookups, notices, rechecks
from domains.models import Kind


def refresh_due() -> None:
    """The parts of the copy whose time has come; most ticks find none."""
    copy.refresh(freshness.due())


def refresh_copy() -> None:
    """Domains, mailboxes and rules, because somebody asked: one call each."""
    copy.refresh([Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES])


def refresh_all() -> None:
    """Everything the panel keeps a copy of."""
    copy.refresh(list(Kind))


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
