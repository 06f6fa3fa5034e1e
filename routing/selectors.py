"""What pages need to know about routing rules."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Case, Count, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from domains.filters import ListFilter, Listing
from domains.models import Domain
from mailboxes.models import Mailbox
from mailboxes.rules import RuleLine, RulesAround
from purelymanage.core.addresses import shown_address, split_address
from purelymanage.core.paging import page_of
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletions
from purelymanage.ui.navigation import PER_GROUP
from routing.lint import Report, lint
from routing.models import RoutingRule, RuleEdit, RuleKind
from routing.picture import DomainRules, Picture, Rule, as_rule, picture_around, rule_from
from routing.words import listed, sentence

COLUMNS = {
    "domain": ["domain__name", "match_user", "is_prefix", "pk"],
    "source": ["match_user", "domain__name", "is_prefix", "pk"],
}
SUGGESTED = 8
EDIT_TAKES = timedelta(minutes=1)
"""An edit in hand ends in a moment; one older than this is told of, cut short or merely slow."""


def rule_filter(request: HttpRequest) -> ListFilter:
    """What the list's address asks for; its state is a kind of rule."""
    return ListFilter.of(request, orders=tuple(COLUMNS), states=RuleKind.values)


def rule_list(wanted: ListFilter) -> Listing:
    """The page, how many rules there are in all, and the domains that have some."""
    per_domain = Domain.objects.numbers_of("routing_rules")
    rows = RoutingRule.objects.select_related("domain").defer("found_by").search(wanted.search)
    if wanted.domain:
        rows = rows.filter(domain__name=wanted.domain)
    if wanted.state:
        rows = rows.of_kind(RuleKind(wanted.state))
    page = page_of(rows.order_by(*wanted.order_by(COLUMNS)), wanted.page)
    keys = {rule.pk: str(rule.purelymail_id) for rule in page}
    pending = pending_deletions(DeletionKind.RULE, keys.values())
    for rule in page:
        rule.deletion = pending.get(keys[rule.pk])
    return Listing.of(page, per_domain, wanted)


@dataclass(frozen=True)
class Unfinished:
    """An edit that is not at its end, as a banner tells it."""

    source: str
    new_source: str
    targets: str
    problem: str


def unfinished_edits() -> list[Unfinished]:
    """Edits that failed half-way, and those whose worker died. One query."""
    recent = timezone.now() - EDIT_TAKES
    edits = RuleEdit.objects.order_by("started_at")
    return [
        Unfinished(
            source=shown_address(rule_from(edit.old).source),
            new_source=shown_address(rule_from(edit.new).source),
            targets=listed(edit.new["targets"]),
            problem=edit.problem,
        )
        for edit in edits
        if edit.problem or edit.started_at < recent
    ]


def report_on(draft: Rule) -> Report:
    """What is to be said about a draft before it is saved."""
    domains = {split_address(target)[1] for target in draft.targets}
    return lint(draft, picture_around(draft.domain, *domains))


def sentence_of(rule: RoutingRule) -> Report:
    """What a rule does as it is. Its warnings were answered when it was made."""
    picture = picture_around(rule.domain.name)
    return Report(sentence(as_rule(rule), picture))


def busiest_domain() -> str:
    """The domain with most rules: the likeliest one for the next."""
    domains = Domain.objects.ours().annotate(number=Count("routing_rules"))
    return domains.order_by("-number", "name").values_list("name", flat=True).first() or ""


def suggestions(text: str) -> list[str]:
    """A few mailboxes whose address contains `text`, those beginning with it first."""
    if not text:
        return []
    begins = Case(When(address__istartswith=text, then=Value(0)), default=Value(1))
    found = Mailbox.objects.search(text).order_by(begins, "address")
    return list(found.values_list("address", flat=True)[:SUGGESTED])


EACH_OF = {"postgresql": "jsonb_array_elements_text", "sqlite": "json_each"}
"""What makes rows, each with a `value`, of a list in JSON."""
DELIVERING = {
    "postgresql": """
SELECT rule.id, wanted.value FROM {each_of}(%(addresses)s) AS wanted
JOIN routing_routingrule AS rule ON LOWER(rule.targets::text)::jsonb ? wanted.value
""",
    "sqlite": """
SELECT rule.id, LOWER(named.value)
FROM routing_routingrule AS rule, {each_of}(rule.targets) AS named
WHERE LOWER(named.value) IN (SELECT value FROM {each_of}(%(addresses)s))
""",
}
"""The condition of PostgreSQL's is answered by the index `rules_by_target`."""
ACTING = """
SELECT rule.id, LOWER(rule.match_user) || '@' || domain.name
FROM routing_routingrule AS rule JOIN domains_domain AS domain ON domain.id = rule.domain_id
WHERE rule.match_user <> '' AND NOT rule.is_prefix
AND domain.name IN (SELECT value FROM {each_of}(%(domains)s))
AND LOWER(rule.match_user) || '@' || domain.name IN (SELECT value FROM {each_of}(%(addresses)s))
"""


def rules_per_address(addresses: Collection[str]) -> Mapping[str, int]:
    """How many rules name each of these addresses, as their source or as a target."""
    named = _rules_naming(f"{DELIVERING[connection.vendor]} UNION {ACTING}", addresses)
    return Counter(address for _rule_id, address in named)


def rules_delivering_to(addresses: Collection[str]) -> int:
    """How many rules have at least one of these addresses among their targets."""
    named = _rules_naming(DELIVERING[connection.vendor], addresses)
    return len({rule_id for rule_id, _address in named})


def _rules_naming(query: str, addresses: Collection[str]) -> list[tuple[int, str]]:
    """The database takes the lists of targets apart: this stands on every page of mailboxes."""
    wanted = {address.lower() for address in addresses}
    if not wanted:
        return []
    domains = {split_address(address)[1] for address in wanted}
    lists = {"addresses": json.dumps(sorted(wanted)), "domains": json.dumps(sorted(domains))}
    with connection.cursor() as cursor:
        cursor.execute(query.format(each_of=EACH_OF[connection.vendor]), lists)
        return [(rule_id, address) for rule_id, address in cursor.fetchall()]


def rules_around(address: str) -> RulesAround:
    """The rules that act on mail to the mailbox `address`, the winner first, and those delivering
    to it."""
    domain = split_address(address)[1]
    rules = RoutingRule.objects.select_related("domain")
    rows = {rule.pk: rule for rule in rules.filter(domain__name=domain)}
    picture = Picture(
        own={rule.domain.name: rule.domain.symbolic_subaddressing for rule in rows.values()},
        mailboxes=frozenset([address]),
        rules={domain: DomainRules.of(map(as_rule, rows.values()))},
    )
    return RulesAround(
        taking=[_line(rows[rule.pk]) for rule in picture.acting_on(address)],
        delivering=[_line(rule) for rule in rules.delivering_to(address)],
    )


def _line(rule: RoutingRule) -> RuleLine:
    return RuleLine(source=rule.source, kind=str(rule.kind.label), targets=rule.targets)


def find_rules(text: str) -> list[tuple[str, str, str]]:
    """The first few whose source or target contains `text`, for the command palette."""
    url = reverse("routing:list")
    return [
        (
            shown_address(rule.source),
            f"{url}?{urlencode({'q': rule.source})}",
            str(rule.kind.label),
        )
        for rule in RoutingRule.objects.select_related("domain").search(text)[:PER_GROUP]
    ]
