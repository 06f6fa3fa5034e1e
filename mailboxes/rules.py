"""What mailbox pages know of routing rules. The routing app, which is above, registers it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RuleLine:
    """One routing rule as a mailbox page shows it."""

    source: str
    kind: str
    targets: list[str]


@dataclass(frozen=True)
class RulesAround:
    """Rules that act on an address, and rules that deliver to it."""

    taking: list[RuleLine]
    delivering: list[RuleLine]


@dataclass
class RuleBook:
    """The two questions mailbox pages ask: rules per address, and the rules around one."""

    count: Callable[[Collection[str]], Mapping[str, int]]
    around: Callable[[str], RulesAround]


book = RuleBook(count=lambda _addresses: {}, around=lambda _address: RulesAround([], []))


def register(
    *,
    count: Callable[[Collection[str]], Mapping[str, int]],
    around: Callable[[str], RulesAround],
) -> None:
    """Let routing answer; called in its `AppConfig.ready`."""
    book.count = count
    book.around = around
