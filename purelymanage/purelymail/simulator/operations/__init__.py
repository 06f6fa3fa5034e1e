"""PurelyMail's 19 operations with the quirks of the real service."""

from __future__ import annotations

from collections.abc import Callable

from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.operations import domains, recovery, routing, users
from purelymanage.purelymail.simulator.requests import Body, Result

OPERATIONS: dict[str, Callable[[Account, Body], Result]] = {
    "addDomain": domains.add_domain,
    "checkAccountCredit": domains.check_account_credit,
    "createAppPassword": recovery.create_app_password,
    "createRoutingRule": routing.create_routing_rule,
    "createUser": users.create_user,
    "deleteAppPassword": recovery.delete_app_password,
    "deleteDomain": domains.delete_domain,
    "deletePasswordReset": recovery.delete_password_reset,
    "deleteRoutingRule": routing.delete_routing_rule,
    "deleteUser": users.delete_user,
    "getOwnershipCode": domains.get_ownership_code,
    "getUser": users.get_user,
    "listDomains": domains.list_domains,
    "listPasswordReset": recovery.list_password_reset,
    "listRoutingRules": routing.list_routing_rules,
    "listUser": users.list_user,
    "modifyUser": users.modify_user,
    "updateDomainSettings": domains.update_domain_settings,
    "upsertPasswordReset": recovery.upsert_password_reset,
}
