"""Recovery methods and app passwords of one user."""

from __future__ import annotations

import secrets
import string

from purelymanage.purelymail.simulator.account import Account, Method, hashed, matches
from purelymanage.purelymail.simulator.operations.lookups import known_user
from purelymanage.purelymail.simulator.operations.users import method_result
from purelymanage.purelymail.simulator.requests import ApiError, Body, Result


def list_password_reset(account: Account, body: Body) -> Result:
    """The list is called `users`, of all things."""
    user = known_user(account, body.text("userName"))
    return {"users": [method_result(method) for method in user.methods]}


def upsert_password_reset(account: Account, body: Body) -> Result:
    """`target` is the key; `existingTarget` changes that method instead of adding one."""
    user = known_user(account, body.text("userName"))
    method = Method(
        type=body.text("type"),
        target=body.text("target"),
        description=body.optional_text("description") or "",
        allow_mfa_reset=body.optional_flag("allowMfaReset") is not False,
    )
    if method.type not in ("email", "phone") or not method.target:
        raise ApiError("invalidRequest", "Type must be email or phone, with a target")
    existing = body.optional_text("existingTarget")
    targets = [one.target for one in user.methods]
    if existing is not None and existing not in targets:
        raise ApiError("unknownResetMethod", "Unknown password reset method")
    replaced = existing or method.target
    if replaced in targets:
        user.methods[targets.index(replaced)] = method
    else:
        user.methods.append(method)
    return {}


def delete_password_reset(account: Account, body: Body) -> Result:
    """Without a target all of them go."""
    user = known_user(account, body.text("userName"))
    target = body.optional_text("target")
    kept = [one for one in user.methods if target is not None and one.target != target]
    if target is not None and len(kept) == len(user.methods):
        raise ApiError("unknownResetMethod", "Unknown password reset method")
    user.methods = kept
    return {}


def create_app_password(account: Account, body: Body) -> Result:
    """`userHandle` here, and only here; each call makes another one."""
    user = known_user(account, body.text("userHandle"))
    secret = "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
    user.app_passwords.append(hashed(secret))
    return {"appPassword": secret}


def delete_app_password(account: Account, body: Body) -> Result:
    """Needs the secret itself."""
    user = known_user(account, body.text("userName"))
    secret = body.text("appPassword")
    kept = [one for one in user.app_passwords if not matches(secret, one)]
    if len(kept) == len(user.app_passwords):
        raise ApiError("unknownAppPassword", "Unknown app password")
    user.app_passwords = kept
    return {}
