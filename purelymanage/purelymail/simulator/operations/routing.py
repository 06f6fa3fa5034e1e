"""Routing rules."""

from __future__ import annotations

from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.operations.lookups import own_domain
from purelymanage.purelymail.simulator.requests import ApiError, Body, Result


def list_routing_rules(account: Account, body: Body) -> Result:
    """All rules of the account."""
    return {
        "rules": [
            {
                "id": rule.id,
                "domainName": rule.domain,
                "prefix": rule.is_prefix,
                "matchUser": rule.match_user,
                "targetAddresses": rule.targets,
                "catchall": rule.is_catchall,
            }
            for rule in account.rules.values()
        ]
    }


def create_routing_rule(account: Account, body: Body) -> Result:
    """Tells no id. Exactly the same rule again is accepted, and nothing happens."""
    domain = own_domain(account, body.text("domainName")).name
    match_user, is_prefix = body.text("matchUser"), body.flag("prefix")
    is_catchall = body.optional_flag("catchall") or False
    targets = body.texts("targetAddresses")
    for rule in account.rules.values():
        if rule.key == (domain, match_user, is_prefix):
            if (sorted(rule.targets), rule.is_catchall) == (sorted(targets), is_catchall):
                return {}
            raise ApiError("ruleAlreadyExists", "Routing rule conflicts with an existing rule")
    account.add_rule(domain, match_user, *targets, is_prefix=is_prefix, is_catchall=is_catchall)
    return {}


def delete_routing_rule(account: Account, body: Body) -> Result:
    """By number."""
    if account.rules.pop(body.number("routingRuleId"), None) is None:
        raise ApiError("unknownRule", "Unknown routing rule")
    return {}
