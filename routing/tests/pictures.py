"""Pictures for tests of tracing and linting, written as one reads rules."""

from __future__ import annotations

from routing.picture import DomainRules, Picture, Rule

OURS = "ours.example"


def rule(source, *targets, is_catchall=False, pk=0):
    """`rule("sales*@ours.example", "a@ours.example")`; without a domain it is ours."""
    pattern, domain = source.split("@") if "@" in source else (source, OURS)
    return Rule(
        domain=domain,
        match_user=pattern.removesuffix("*"),
        is_prefix=pattern.endswith("*"),
        is_catchall=is_catchall,
        targets=tuple(at(target) for target in targets),
        pk=pk,
    )


def at(name):
    """`a` is a@ours.example."""
    return name if "@" in name else f"{name}@{OURS}"


def picture(*rules, mailboxes="", symbolic=False, own=(OURS,), **more):
    """A picture of `own` domains with these mailboxes: local parts or addresses."""
    domains = {each.domain for each in rules}
    return Picture(
        own=dict.fromkeys(own, symbolic),
        mailboxes=frozenset(at(name) for name in mailboxes.split()),
        rules={
            name: DomainRules.of(each for each in rules if each.domain == name) for name in domains
        },
        **more,
    )
