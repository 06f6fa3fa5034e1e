"""Finding what a request names."""

from __future__ import annotations

from purelymanage.purelymail.simulator.account import Account, SimDomain, SimUser
from purelymanage.purelymail.simulator.requests import ApiError


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def own_domain(account: Account, name: str) -> SimDomain:
    domain = account.domains.get(name.lower())
    if domain is None:
        raise ApiError("unknownDomain", "Unknown domain")
    return domain


def known_user(account: Account, address: str) -> SimUser:
    user = account.users.get(address.lower())
    if user is None:
        raise ApiError("unknownUser", "Unknown user")
    return user
