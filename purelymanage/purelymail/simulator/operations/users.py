"""Users, which the panel calls mailboxes."""

from __future__ import annotations

from purelymanage.purelymail.simulator.account import (
    SHARED_DOMAINS,
    Account,
    Method,
    SimUser,
    hashed,
)
from purelymanage.purelymail.simulator.operations.lookups import domain_of, known_user, own_domain
from purelymanage.purelymail.simulator.requests import ApiError, Body, Result
from purelymanage.purelymail.types import MAX_LISTED_USERS


def list_user(account: Account, body: Body) -> Result:
    """The first thousand addresses; the rest cannot be had."""
    return {"users": sorted(account.users)[:MAX_LISTED_USERS]}


def get_user(account: Account, body: Body) -> Result:
    """Password reset is called `recoveryEnabled` here."""
    user = known_user(account, body.text("userName"))
    return {
        "enableSearchIndexing": user.enable_search_indexing,
        "recoveryEnabled": user.recovery_enabled,
        "requireTwoFactorAuthentication": user.require_two_factor,
        "enableSpamFiltering": True,
        "resetMethods": [method_result(method) for method in user.methods],
    }


def create_user(account: Account, body: Body) -> Result:
    """`userName` is a local part here, and only here."""
    domain = body.text("domainName").lower()
    if domain not in SHARED_DOMAINS:
        own_domain(account, domain)
    local_part = body.text("userName").lower()
    if not local_part or "@" in local_part:
        raise ApiError("invalidUserName", "User name must be the part before the @")
    address = f"{local_part}@{domain}"
    if address in account.users:
        raise ApiError("userAlreadyExists", "User already exists")
    user = SimUser(
        password=hashed(body.text("password")),
        enable_search_indexing=body.optional_flag("enableSearchIndexing") is not False,
        recovery_enabled=body.optional_flag("enablePasswordReset") is not False,
    )
    for kind, name in (("email", "recoveryEmail"), ("phone", "recoveryPhone")):
        target = body.optional_text(name)
        if target:
            user.methods.append(
                Method(kind, target, body.optional_text(f"{name}Description") or "")
            )
    account.users[address] = user
    return {}


def modify_user(account: Account, body: Body) -> Result:
    """Ignores what it does not know, such as `password`, and answers success all the same."""
    address = body.text("userName").lower()
    user = known_user(account, address)
    new_address = (body.optional_text("newUserName") or address).lower()
    if new_address != address:
        own_domain(account, domain_of(new_address))
        if new_address in account.users:
            raise ApiError("userAlreadyExists", "User already exists")
        account.users[new_address] = account.users.pop(address)
    password = body.optional_text("newPassword")
    if password is not None:
        user.password = hashed(password)
    indexing = body.optional_flag("enableSearchIndexing")
    if indexing is not None:
        user.enable_search_indexing = indexing
    two_factor = body.optional_flag("requireTwoFactorAuthentication")
    if two_factor is not None:
        user.require_two_factor = two_factor
    reset = body.optional_flag("enablePasswordReset")
    if reset is not None and not (reset and account.reset_needs_password and password is None):
        user.recovery_enabled = reset
    return {}


def delete_user(account: Account, body: Body) -> Result:
    """Rules that point at the user stay."""
    address = body.text("userName").lower()
    known_user(account, address)
    del account.users[address]
    return {}


def method_result(method: Method) -> Result:
    """A recovery method as two operations tell it."""
    return {
        "type": method.type,
        "target": method.target,
        "description": method.description,
        "allowMfaReset": method.allow_mfa_reset,
    }
