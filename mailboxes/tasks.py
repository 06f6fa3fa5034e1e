"""The doors by which workers come in."""

from __future__ import annotations

from mailboxes.batches import runner, services


def work_on_batches() -> None:
    """A slice of the batch whose turn it is; by the clock as well, for what a dead worker left."""
    runner.work()


def forget_old_batches() -> None:
    """Erase the passwords of batches that nobody came back to."""
    services.forget_old()
