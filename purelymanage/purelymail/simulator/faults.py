"""Faults that can be switched on: what networks and services do on a bad day."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "latency",
    "timeout_before",
    "timeout_after",
    "drop_before",
    "drop_after",
    "http_500",
    "html",
    "truncated",
    "invalid_token",
    "rate_limit",
]
EVERY_OPERATION = "*"
EFFECT_FIRST = ("timeout_after", "drop_after", "truncated")


@dataclass
class Fault:
    """One fault.

    `latency` answers late, with `after` what was true before the wait; `timeout_…` hold the line
    for `seconds`, then hang up; `drop_…` hang up at once. `before` and `after` say whether the
    operation takes effect: so does `after` for `http_500`, `html` and `truncated` (which takes
    effect unless told otherwise).
    """

    operation: str
    kind: Kind
    times: int | None = 1
    """How often it strikes; None means always."""
    seconds: float = 2.0
    retry_after: float = 1.0
    after: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"No such fault: {self.kind}. There are {', '.join(get_args(Kind))}.")
        if self.after is None:
            self.after = self.kind in EFFECT_FIRST


class FaultBox:
    """The faults that are switched on; each request takes at most one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def current(self) -> list[Fault]:
        """Those still to strike."""
        with self._lock:
            return list(self._faults)

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call; the oldest first."""
        with self._lock:
            for fault in self._faults:
                if fault.operation in (operation, EVERY_OPERATION):
                    self._spend(fault)
                    return fault
        return None

    def _spend(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)
