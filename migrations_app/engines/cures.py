"""What is done about each cause: one table, the same for every engine.

What people read about a cause stands in `sentences.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from migrations_app.engines.causes import Cause

RETRY_MINUTES = (5, 10, 20)
"""How long a cause that passes by itself is waited for, before each further try."""
EQUAL_FAILURES = 5
"""So many jobs of a batch in a row, ended by the same cause, close the host it speaks of: to all,
or to that batch alone where the cause is none of the server's."""


class Remedy(StrEnum):
    """Who or what makes the next run work."""

    RETRY = "retry"
    """Time: it is tried again after `RETRY_MINUTES`, then it has failed."""
    AGAIN = "again"
    """The next try, at once, and only so many: nothing is known against it."""
    RESUME = "resume"
    """The next day: it goes on by itself and counts as no failure."""
    PASSWORD = "password"  # noqa: S105  # nosec B105  # a kind of cure, not a password
    """A person with the right password; a wrong one is never tried again by itself."""
    HAND = "hand"
    """A person who changes something, as the sentence says."""


@dataclass(frozen=True)
class Cure:
    """What is done about a cause."""

    remedy: Remedy
    closes_for: timedelta | None = None
    """For how long its host is closed after `EQUAL_FAILURES`; None where no host is to blame."""
    is_of_batch: bool = False
    """It speaks of what the batch brought along, not of the server: others may go on there."""
    is_of_worker: bool = False
    """It speaks of the worker host, which would end every job so: others are to take them."""


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_PASSES = Cure(Remedy.RETRY)
_PASSES_AT_HOST = Cure(Remedy.RETRY, closes_for=_HOUR)
_PASSWORD = Cure(Remedy.PASSWORD, closes_for=_HOUR, is_of_batch=True)
_BY_HAND = Cure(Remedy.HAND)
_BY_HAND_AT_WORKER = Cure(Remedy.HAND, is_of_worker=True)
_BY_HAND_AT_HOST = Cure(Remedy.HAND, closes_for=_DAY)

CURES: dict[Cause, Cure] = {
    Cause.SOURCE_PASSWORD: _PASSWORD,
    Cause.DESTINATION_PASSWORD: _PASSWORD,
    Cause.SIGN_IN_REFUSED: Cure(Remedy.PASSWORD),
    Cause.SOURCE_HOST: _BY_HAND_AT_HOST,
    Cause.DESTINATION_HOST: _BY_HAND_AT_HOST,
    Cause.SOURCE_UNREACHABLE: _PASSES_AT_HOST,
    Cause.DESTINATION_UNREACHABLE: _PASSES_AT_HOST,
    Cause.SOURCE_CERTIFICATE: _BY_HAND_AT_HOST,
    Cause.DESTINATION_CERTIFICATE: _BY_HAND_AT_HOST,
    Cause.SOURCE_TLS: _BY_HAND_AT_HOST,
    Cause.DESTINATION_TLS: _BY_HAND_AT_HOST,
    Cause.NO_TLS: _BY_HAND,
    Cause.SOURCE_BUSY: _PASSES_AT_HOST,
    Cause.DESTINATION_BUSY: _PASSES_AT_HOST,
    Cause.SOURCE_THROTTLED: _PASSES_AT_HOST,
    Cause.DESTINATION_THROTTLED: _PASSES_AT_HOST,
    Cause.SOURCE_LOST: _PASSES_AT_HOST,
    Cause.DESTINATION_LOST: _PASSES_AT_HOST,
    Cause.CONNECTION_LOST: _PASSES,
    Cause.BUDGET_SPENT: Cure(Remedy.RESUME),
    Cause.DESTINATION_FULL: _BY_HAND,
    Cause.MESSAGES_TOO_LARGE: _BY_HAND,
    Cause.MESSAGES_REFUSED: _BY_HAND,
    Cause.MESSAGES_UNREADABLE: _BY_HAND,
    Cause.MESSAGES_MISSING: _BY_HAND,
    Cause.FOLDERS_REFUSED: _BY_HAND,
    Cause.FLAGS_REFUSED: _BY_HAND,
    Cause.ALREADY_RUNNING: _PASSES,
    Cause.PASSWORDS_ERASED: Cure(Remedy.PASSWORD),
    Cause.KEY_MISSING: _BY_HAND_AT_WORKER,
    Cause.NO_APP_PASSWORD: _BY_HAND,
    Cause.PURELYMAIL_SILENT: _PASSES_AT_HOST,
    Cause.ENGINE_SETTINGS: _BY_HAND,
    Cause.ENGINE_MISSING: _BY_HAND_AT_WORKER,
    Cause.ENGINE_CRASHED: _PASSES,
    Cause.WORKER_HOST: Cure(Remedy.RETRY, is_of_worker=True),
    Cause.WORKER_CRASHED: _PASSES,
    Cause.STOPPED: Cure(Remedy.AGAIN),
    Cause.UNKNOWN: _BY_HAND,
}


def remedy_of(cause: Cause, *, uses_app_password: bool) -> Remedy:
    """What helps. An app password made for a run may need time, and the next run makes another."""
    if uses_app_password and cause == Cause.DESTINATION_PASSWORD:
        return Remedy.RETRY
    return CURES[cause].remedy
