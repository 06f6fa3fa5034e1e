"""Replies checked for shape and turned into our records; a wrong shape is no answer at all."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from purelymanage.purelymail.errors import NoAnswerError
from purelymanage.purelymail.types import Hidden, RecoveryMethod, RemoteDomain, RemoteRule


def text(reply: Hidden, name: str) -> str:
    """A string."""
    value = reply.get(name)
    if not isinstance(value, str):
        raise _unexpected(name)
    return value


def flag(reply: Hidden, name: str) -> bool:
    """A boolean."""
    value = reply.get(name)
    if not isinstance(value, bool):
        raise _unexpected(name)
    return value


def number(reply: Hidden, name: str) -> int:
    """A whole number of up to 64 bits."""
    value = reply.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unexpected(name)
    return value


def texts(reply: Hidden, name: str) -> list[str]:
    """A list of strings."""
    values = reply.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _unexpected(name)
    return values


def objects(reply: Hidden, name: str) -> list[Hidden]:
    """A list of objects."""
    values = reply.get(name)
    if not isinstance(values, list) or not all(isinstance(value, Hidden) for value in values):
        raise _unexpected(name)
    return values


def amount(reply: Hidden, name: str) -> Decimal:
    """An exact amount of money: a decimal string of up to 70 digits, never a float."""
    value = reply.get(name)
    if isinstance(value, str) and value.removeprefix("-").replace(".", "", 1).isdecimal():
        return Decimal(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise _unexpected(name)


def domain_of(reply: Hidden) -> RemoteDomain:
    """One entry of `listDomains`."""
    dns = reply.get("dnsSummary")
    if not isinstance(dns, Hidden):
        raise _unexpected("dnsSummary")
    return RemoteDomain(
        name=text(reply, "name"),
        is_shared=flag(reply, "isShared"),
        allow_account_reset=flag(reply, "allowAccountReset"),
        symbolic_subaddressing=flag(reply, "symbolicSubaddressing"),
        passes_mx=flag(dns, "passesMx"),
        passes_spf=flag(dns, "passesSpf"),
        passes_dkim=flag(dns, "passesDkim"),
        passes_dmarc=flag(dns, "passesDmarc"),
    )


def method_of(reply: Hidden) -> RecoveryMethod:
    """One recovery method; the description of the API leaves the form of `type` open."""
    target = text(reply, "target")
    kind = reply.get("type")
    return RecoveryMethod(
        type=kind if isinstance(kind, str) else "email" if "@" in target else "phone",
        target=target,
        description=text(reply, "description"),
        allow_mfa_reset=flag(reply, "allowMfaReset"),
    )


def rule_of(reply: Hidden) -> RemoteRule:
    """One entry of `listRoutingRules`."""
    return RemoteRule(
        id=number(reply, "id"),
        domain=text(reply, "domainName"),
        match_user=text(reply, "matchUser"),
        is_prefix=flag(reply, "prefix"),
        is_catchall=flag(reply, "catchall"),
        targets=texts(reply, "targetAddresses"),
    )


def _unexpected(name: str) -> NoAnswerError:
    return NoAnswerError(
        _(
            "PurelyMail's answer does not have the expected form (%(name)s). "
            "If this stays, look for a newer version of the panel."
        )
        % {"name": name}
    )
