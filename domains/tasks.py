"""The doors by which workers refresh the local copy."""

from __future__ import annotations

from domains import copy
from domains.models import Kind

LISTS = (Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES)


def refresh_copy() -> None:
    """Domains, mailboxes and rules: one call each."""
    copy.refresh(LISTS)


def refresh_credit() -> None:
    """The account's credit."""
    copy.refresh([Kind.CREDIT])


def refresh_all() -> None:
    """Everything the panel keeps a copy of."""
    copy.refresh(list(Kind))
