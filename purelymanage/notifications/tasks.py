"""The door by which a worker comes in."""

from __future__ import annotations

from purelymanage.notifications import outbox


def send_waiting() -> None:
    """Hand over the messages that wait; by the clock as well, to try again."""
    outbox.send_waiting()
