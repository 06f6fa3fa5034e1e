"""The door by which a worker comes in."""

from __future__ import annotations

from purelymanage.notifications import pushes


def send_pushes() -> None:
    """Take what waits to the addresses of `NOTIFY_URLS`; by the clock as well, to try again."""
    pushes.send_waiting()
