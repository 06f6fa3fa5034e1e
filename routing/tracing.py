"""Where mail to an address goes: which rule wins at each step, and who gets it in the end.

PurelyMail's rules, as its documentation tells them: exact beats prefix, a longer prefix a shorter
one, any address and catch-all come last; rules apply again to each new recipient until nothing
changes; loops are cut after some hops, how many is not said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from purelymanage.core.addresses import split_address
from routing.picture import Picture, Rule

MAX_HOPS = 20
MAX_STEPS = 400


class Ending(StrEnum):
    """How the way of an address ends."""

    MAILBOX = "mailbox"
    OUTSIDE = "outside"
    NOBODY = "nobody"
    LOOP = "loop"
    AGAIN = "again"
    """It was followed elsewhere in the same trace."""
    TOO_LONG = "too_long"
    ROUTED = "routed"
    """No ending: a rule sends it on."""


@dataclass(frozen=True)
class Step:
    """One address on the way, and what becomes of mail that arrives there."""

    address: str
    ending: Ending
    rule: Rule | None = None
    """The rule that wins, where one does."""
    beaten: tuple[Rule, ...] = ()
    """Rules that match as well, but stand behind it."""
    mute: tuple[Rule, ...] = ()
    """Rules that look as if they matched, and never do."""
    is_simplified: bool = False
    """PurelyMail changes the address before it reads rules, and nobody knows how exactly."""
    steps: tuple[Step, ...] = ()
    hidden: int = 0
    """Targets that were not followed, because there are too many."""

    def __iter__(self) -> Iterator[Step]:
        """This step and all below it."""
        yield self
        for step in self.steps:
            yield from step


@dataclass(frozen=True)
class Trace:
    """The whole way, and who stands at its ends."""

    root: Step
    loops: tuple[tuple[str, ...], ...]
    """Addresses in a circle, the first one again at the end left out."""

    def ends(self, ending: Ending) -> list[str]:
        """The addresses where the way ends like this, each once, as they come."""
        return list(dict.fromkeys(step.address for step in self.root if step.ending == ending))

    @property
    def mailboxes(self) -> list[str]:
        return self.ends(Ending.MAILBOX)

    @property
    def outside(self) -> list[str]:
        return self.ends(Ending.OUTSIDE)

    @property
    def nobody(self) -> list[str]:
        return self.ends(Ending.NOBODY)

    @property
    def is_cut(self) -> bool:
        """Whether some of it was not followed to its end."""
        return any(step.hidden or step.ending == Ending.TOO_LONG for step in self.root)

    @property
    def is_simplified(self) -> bool:
        """Whether symbolic subaddressing makes the answer uncertain somewhere."""
        return any(step.is_simplified for step in self.root)


def trace(address: str, picture: Picture) -> Trace:
    """Follow mail to `address` (lower case) through the rules."""
    tracer = _Tracer(picture)
    root = tracer.follow(address)
    return Trace(root=root, loops=tuple(tracer.loops))


@dataclass
class _Tracer:
    """One walk. Each address is followed once, so that even a dense web of rules stays small."""

    picture: Picture
    path: list[str] = field(default_factory=list)
    keeping: set[str] = field(default_factory=set)
    """Addresses on the path that are among their own targets: they have their mail already."""
    followed: set[str] = field(default_factory=set)
    loops: list[tuple[str, ...]] = field(default_factory=list)
    taken: int = 0

    def follow(self, address: str) -> Step:
        self.taken += 1
        if address in self.path:
            return self._back_at(address)
        if address in self.followed:
            return Step(address, Ending.AGAIN)
        self.followed.add(address)
        matching = self.picture.acting_on(address)
        rule = matching[0] if matching else None
        step = Step(
            address,
            self._end(address) if rule is None else Ending.ROUTED,
            rule=rule,
            beaten=tuple(matching[1:]),
            mute=self._mute(address),
            is_simplified=self.picture.is_simplified(address),
        )
        if rule is None:
            return step
        if not rule.targets:
            return replace(step, ending=Ending.NOBODY)
        if len(self.path) >= MAX_HOPS:
            return replace(step, ending=Ending.TOO_LONG)
        return self._fan_out(step, rule)

    def _fan_out(self, step: Step, rule: Rule) -> Step:
        self.path.append(step.address)
        if step.address in rule.targets:
            self.keeping.add(step.address)
        steps: list[Step] = []
        for target in rule.targets:
            if self.taken >= MAX_STEPS:
                break
            is_itself = target == step.address
            steps.append(Step(target, self._end(target)) if is_itself else self.follow(target))
            self.taken += is_itself
        self.path.pop()
        return replace(step, steps=tuple(steps), hidden=len(rule.targets) - len(steps))

    def _back_at(self, address: str) -> Step:
        if address in self.keeping:
            return Step(address, Ending.AGAIN)
        self.loops.append(tuple(self.path[self.path.index(address) :]))
        return Step(address, Ending.LOOP)

    def _end(self, address: str) -> Ending:
        if address in self.picture.mailboxes:
            return Ending.MAILBOX
        is_ours = split_address(address)[1] in self.picture.own
        return Ending.NOBODY if is_ours else Ending.OUTSIDE

    def _mute(self, address: str) -> tuple[Rule, ...]:
        local_part, domain = split_address(address)
        matching = self.picture.of_domain(domain).matching(local_part)
        return tuple(rule for rule in matching if self.picture.is_mute(rule))
