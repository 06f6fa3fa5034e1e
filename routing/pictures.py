"""The picture of the local copy that tracing and linting reason about: a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from domains.models import Domain, Kind
from domains.selectors import copy_state
from mailboxes.models import Mailbox
from purelymanage.core.addresses import split_address
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from routing.models import RoutingRule
from routing.picture import DomainRules, Picture, Rule

ROUNDS = 3
"""Targets lead to further domains; after so many rounds all that is left is read at once."""


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
    pk: int,
) -> Rule:
    once = dict.fromkeys(str(target).lower() for target in targets)
    return Rule(domain, match_user.lower(), is_prefix, is_catchall, tuple(once), pk)


def _leading_to(rules: Iterable[Rule]) -> set[str]:
    return {split_address(target)[1] for rule in rules for target in rule.targets}


def as_rule(row: RoutingRule) -> Rule:
    """One row as the picture has it."""
    return _rule(
        row.domain.name, row.match_user, row.is_prefix, row.is_catchall, row.targets, row.pk
    )
