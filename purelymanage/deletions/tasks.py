"""The doors by which workers come in."""

from __future__ import annotations

from purelymanage.deletions import alarm, dossiers, execution


def complete_dossiers() -> None:
    """Add what only PurelyMail knows to the dossiers of pending deletions."""
    dossiers.complete_dossiers()


def run_due() -> None:
    """Execute the deletions whose time has come."""
    execution.run_due()


def tell_alarms() -> None:
    """Mail the alarms that nobody was told of yet; by the clock as well, for a mail server that
    was down."""
    alarm.tell_alarms()
