"""A check of the whole log that somebody asks for: workers make it, and pages see that they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.cache import cache

from audit.models import Verification
from audit.watch import last_verification
from purelymanage.jobs.queue import enqueue

TASK = "audit.tasks.check_now"
ASKED_FOR = "audit.check"
"""Set while a check is asked for or under way."""
PATIENCE = 10 * 60
"""Seconds after which no worker can be at it any more: they stop what takes longer."""

TONES = {
    Verification.Verdict.GOOD: "ok",
    Verification.Verdict.UNKNOWN: "warn",
    Verification.Verdict.TAMPERED: "bad",
}


@dataclass(frozen=True)
class ChainState:
    """What is known about the chain, and whether that is about to change."""

    last: Verification | None
    is_being_checked: bool

    @property
    def tone(self) -> str:
        """ok, warn or bad; idle without a check."""
        return TONES[Verification.Verdict(self.last.verdict)] if self.last else "idle"


def chain_state() -> ChainState:
    """How the last check ended. Two queries."""
    return ChainState(last=last_verification(), is_being_checked=bool(cache.get(ASKED_FOR)))


def ask_for_check() -> None:
    """Have the whole log checked now. Whoever asks meanwhile gets the same check."""
    if cache.add(ASKED_FOR, 1, timeout=PATIENCE):
        enqueue(TASK)


@contextmanager
def being_checked() -> Iterator[None]:
    """Around the check: pages that wait for it look at its result afterwards."""
    try:
        yield
    finally:
        cache.delete(ASKED_FOR)
