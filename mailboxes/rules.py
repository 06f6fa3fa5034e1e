"""What mailbox pages know of routing rules. The routing app, which is above, registers it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from purelymanage.core.addresses import shown_address


@dataclass(frozen=True)
class RuleLine:
    """One routing rule as a mailbox page shows it."""

    source: str
    kind: str
    targets: list[str]

    @property
    def goes_to(self) -> str:
        """Its targets as people write them."""
        return ", ".join(map(shown_address, self.targets))


@dataclass(frozen=True)
class RulesAround:
    """Rules that act on an address, and rules that deliver to it."""

    taking: list[RuleLine]
    delivering: list[RuleLine]


@dataclass
class RuleBook:
    """The questions mailbox pages ask: the number of rules per address, the rules around one,
    and how many deliver to at least one of several."""

    count: Callable[[Collection[str]], Mapping[str, int]]
    around: Callable[[str], RulesAround]
    delivering_to: Callable[[Collection[str]], int]


book = RuleBook(
    count=lambda _addresses: {},
    around=lambda _address: RulesAround([], []),
    delivering_to=lambda _addresses: 0,
)


def register(
    *,
    count: Callable[[Collection[str]], Mapping[str, int]],
    around: Callable[[str], RulesAround],
    delivering_to: Callable[[Collection[str]], int],
) -> None:
    """Let routing answer; called in its `AppConfig.ready`."""
    book.count = count
    book.around = around
    book.delivering_to = delivering_to
