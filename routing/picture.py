"""Rules and mailboxes of the domains concerned, in memory: what tracing and linting reason about.

`picture_around` fills it from the local copy with a handful of queries; nothing else here reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domains.dependants import SYMBOLS
from domains.models import Domain, Kind
from domains.selectors import copy_state
from mailboxes.models import Mailbox
from purelymanage.core.addresses import split_address
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from routing.models import RoutingRule, RuleKind, kind_of, pattern_of

ROUNDS = 3
"""Targets lead to further domains; after so many rounds all that is left is read at once."""


@dataclass(frozen=True)
class Rule:
    """One rule in lower case; `pk` is 0 for one that does not exist yet."""

    domain: str
    match_user: str
    is_prefix: bool
    is_catchall: bool
    targets: tuple[str, ...]
    pk: int = 0

    @property
    def key(self) -> tuple[str, str, bool]:
        """What PurelyMail lets exist once; all forms for any address count as one."""
        return (self.domain, self.match_user, self.is_prefix and bool(self.match_user))

    @property
    def kind(self) -> RuleKind:
        return kind_of(self.match_user, is_prefix=self.is_prefix, is_catchall=self.is_catchall)

    @property
    def source(self) -> str:
        """`user@domain`, `prefix*@domain` or `*@domain`."""
        return f"{pattern_of(self.match_user, is_prefix=self.is_prefix)}@{self.domain}"

    @property
    def has_symbol(self) -> bool:
        """Whether symbolic subaddressing, where it is on, keeps it from ever matching."""
        return not SYMBOLS.isdisjoint(self.match_user)

    def matches(self, local_part: str) -> bool:
        """Whether mail to this local part of its domain is its business."""
        if self.is_prefix or not self.match_user:
            return local_part.startswith(self.match_user)
        return local_part == self.match_user


@dataclass(frozen=True)
class DomainRules:
    """The rules of one domain, found by local part without looking at each."""

    exact: Mapping[str, Rule] = field(default_factory=dict)
    prefix: Mapping[str, Rule] = field(default_factory=dict)
    rest: tuple[Rule, ...] = ()
    """Any address and catch-all: one of them, but for odd ones made outside the panel."""

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> DomainRules:
        """Sorted into their forms."""
        exact, prefix, rest = {}, {}, []
        for rule in rules:
            if not rule.match_user:
                rest.append(rule)
            elif rule.is_prefix:
                prefix[rule.match_user] = rule
            else:
                exact[rule.match_user] = rule
        return cls(exact, prefix, tuple(rest))

    def __iter__(self) -> Iterator[Rule]:
        yield from self.exact.values()
        yield from self.prefix.values()
        yield from self.rest

    def matching(self, local_part: str) -> Iterator[Rule]:
        """Nearest first: exact, then prefixes from the longest, then any address and catch-all."""
        if rule := self.exact.get(local_part):
            yield rule
        for length in range(len(local_part), 0, -1):
            if rule := self.prefix.get(local_part[:length]):
                yield rule
        yield from self.rest


NO_RULES = DomainRules()


@dataclass(frozen=True)
class Picture:
    """What the local copy knows of some domains of ours, and of all they send mail to."""

    own: Mapping[str, bool]
    """Domains of the account; whether symbolic subaddressing is on."""
    mailboxes: frozenset[str] = frozenset()
    rules: Mapping[str, DomainRules] = field(default_factory=dict)
    due: Mapping[str, datetime] = field(default_factory=dict)
    """Mailboxes and domains with a pending deletion."""
    is_truncated: bool = False
    """PurelyMail lists 1,000 mailboxes at most, so one that is not here may exist."""

    def of_domain(self, domain: str) -> DomainRules:
        """Its rules."""
        return self.rules.get(domain, NO_RULES)

    def is_mute(self, rule: Rule) -> bool:
        """Whether the rule can never match: its address is simplified before rules are read."""
        return rule.has_symbol and self.own.get(rule.domain, False)

    def is_simplified(self, address: str) -> bool:
        """Whether PurelyMail changes this address before it reads rules."""
        local_part, domain = split_address(address)
        return self.own.get(domain, False) and not SYMBOLS.isdisjoint(local_part)

    def acting_on(self, address: str) -> list[Rule]:
        """The rules that may act on this mail, the winner first."""
        local_part, domain = split_address(address)
        has_mailbox = address in self.mailboxes
        return [
            rule
            for rule in self.of_domain(domain).matching(local_part)
            if not self.is_mute(rule) and not (rule.is_catchall and has_mailbox)
        ]

    def without(self, pk: int) -> Picture:
        """The same without one rule."""
        return self._with(
            {
                domain: DomainRules.of(rule for rule in rules if rule.pk != pk)
                for domain, rules in self.rules.items()
                if any(rule.pk == pk for rule in rules)
            }
        )

    def plus(self, rule: Rule) -> Picture:
        """The same with one rule more."""
        return self._with({rule.domain: DomainRules.of([*self.of_domain(rule.domain), rule])})

    def _with(self, changed: Mapping[str, DomainRules]) -> Picture:
        return replace(self, rules={**self.rules, **changed})


def picture_around(*domains: str) -> Picture:
    """These domains of ours, and all that their rules lead to."""
    known: dict[str, int] = {}
    own: dict[str, bool] = {}
    rows = Domain.objects.values_list("pk", "name", "is_shared", "symbolic_subaddressing")
    for pk, name, is_shared, symbolic in rows:
        known[name] = pk
        if not is_shared:
            own[name] = symbolic
    names = {pk: name for name, pk in known.items()}
    rules: dict[str, list[Rule]] = defaultdict(list)
    seen: set[str] = set()
    wanted = known.keys() & set(domains)
    for number in range(ROUNDS + 1):
        if not wanted:
            break
        batch = known.keys() - seen if number == ROUNDS else wanted
        seen |= batch
        found = _rules_of({known[name] for name in batch}, names)
        wanted = _leading_to(found) & known.keys() - seen
        for rule in found:
            rules[rule.domain].append(rule)
    mailboxes = Mailbox.objects.filter(domain_id__in=[known[name] for name in seen])
    return Picture(
        own=own,
        mailboxes=frozenset(mailboxes.order_by().values_list("address", flat=True)),
        rules={domain: DomainRules.of(each) for domain, each in rules.items()},
        due=dict(
            PendingDeletion.objects.pending()
            .filter(kind__in=[DeletionKind.MAILBOX, DeletionKind.DOMAIN])
            .values_list("key", "due_at")
        ),
        is_truncated=copy_state(Kind.MAILBOXES).may_be_truncated,
    )


def _rules_of(domains: Iterable[int], names: dict[int, str]) -> list[Rule]:
    rows = RoutingRule.objects.filter(domain_id__in=list(domains)).order_by()
    fields = ("domain_id", "match_user", "is_prefix", "is_catchall", "targets", "pk")
    return [_rule(names[domain], *values) for domain, *values in rows.values_list(*fields)]


def _rule(
    domain: str,
    match_user: str,
    is_prefix: bool,  # noqa: FBT001  the columns of a row, in their order
    is_catchall: bool,  # noqa: FBT001
    targets: Iterable[object],
    pk: int = 0,
) -> Rule:
    once = dict.fromkeys(str(target).lower() for target in targets)
    return Rule(domain, match_user.lower(), is_prefix, is_catchall, tuple(once), pk)


def _leading_to(rules: Iterable[Rule]) -> set[str]:
    return {split_address(target)[1] for rule in rules for target in rule.targets}


def rule_from(facts: Mapping[str, Any]) -> Rule:
    """One rule as the journal of edits keeps it."""
    return _rule(
        facts["domain"],
        facts["match_user"],
        facts["is_prefix"],
        facts["is_catchall"],
        facts["targets"],
    )


def as_rule(row: RoutingRule) -> Rule:
    """One row as the picture has it."""
    return _rule(
        row.domain.name, row.match_user, row.is_prefix, row.is_catchall, row.targets, row.pk
    )
