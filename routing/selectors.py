"""What pages need to know about routing rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from django.urls import reverse

from domains.filters import ListFilter, Listing
from domains.models import Domain
from mailboxes.rules import RuleLine, RulesAround
from purelymanage.core.addresses import split_address
from purelymanage.core.paging import page_of
from purelymanage.ui.navigation import PER_GROUP
from routing.models import RoutingRule

COLUMNS = {
    "domain": ["domain__name", "match_user", "is_prefix", "pk"],
    "source": ["match_user", "domain__name", "is_prefix", "pk"],
}


def rule_list(wanted: ListFilter) -> Listing:
    """The page, how many rules there are in all, and the domains that have some."""
    per_domain = Domain.objects.numbers_of("routing_rules")
    rows = RoutingRule.objects.select_related("domain").search(wanted.search)
    if wanted.domain:
        rows = rows.filter(domain__name=wanted.domain)
    page = page_of(rows.order_by(*wanted.order_by(COLUMNS)), wanted.page)
    return Listing.of(page, per_domain, wanted)


def rules_per_address(addresses: Collection[str]) -> Mapping[str, int]:
    """How many rules name each of these addresses, as their source or as a target."""
    wanted = set(addresses)
    counts: Counter[str] = Counter()
    rules = RoutingRule.objects.values_list(
        "match_user", "is_prefix", "domain__name", "targets"
    ).order_by()
    for match_user, is_prefix, domain, targets in rules:
        named = {str(target).lower() for target in targets}
        if match_user and not is_prefix:
            named.add(f"{match_user}@{domain}".lower())
        counts.update(named & wanted)
    return counts


def rules_around(address: str) -> RulesAround:
    """The rules that act on mail to `address`, nearest match first, and those delivering to it."""
    local_part, domain = split_address(address)
    rules = RoutingRule.objects.select_related("domain")
    taking = [rule for rule in rules.filter(domain__name=domain) if _acts_on(rule, local_part)]
    taking.sort(key=lambda rule: (rule.is_prefix, -len(rule.match_user)))
    return RulesAround(
        taking=[_line(rule) for rule in taking],
        delivering=[_line(rule) for rule in rules.delivering_to(address)],
    )


def _acts_on(rule: RoutingRule, local_part: str) -> bool:
    """Whether the rule applies to mail for an existing mailbox of this name."""
    if rule.is_catchall:
        return False
    if rule.is_prefix or not rule.match_user:
        return local_part.startswith(rule.match_user.lower())
    return local_part == rule.match_user.lower()


def _line(rule: RoutingRule) -> RuleLine:
    return RuleLine(source=rule.source, kind=str(rule.kind.label), targets=rule.targets)


def find_rules(text: str) -> list[tuple[str, str, str]]:
    """The first few whose source or target contains `text`, for the command palette."""
    url = reverse("routing:list")
    return [
        (rule.source, f"{url}?{urlencode({'q': rule.source})}", str(rule.kind.label))
        for rule in RoutingRule.objects.select_related("domain").search(text)[:PER_GROUP]
    ]
