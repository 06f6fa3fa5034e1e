"""The account, its domains and their DNS."""

from __future__ import annotations

from dataclasses import replace

from purelymanage.purelymail.simulator.account import SHARED_DOMAINS, Account, Dns, SimDomain
from purelymanage.purelymail.simulator.operations.lookups import domain_of, own_domain
from purelymanage.purelymail.simulator.requests import ApiError, Body, Result


def check_account_credit(account: Account, body: Body) -> Result:
    """A decimal string of many digits."""
    return {"credit": account.credit}


def get_ownership_code(account: Account, body: Body) -> Result:
    """One for the whole account, with its prefix."""
    return {"code": account.ownership_code}


def list_domains(account: Account, body: Body) -> Result:
    """Verdicts as of the last check; shared domains only on request."""
    domains = [_domain_result(domain) for domain in account.domains.values()]
    if body.optional_flag("includeShared"):
        passing = Dns(mx=True, spf=True, dkim=True, dmarc=True)
        domains += [
            _domain_result(SimDomain(name, allow_account_reset=False, seen=passing), is_shared=True)
            for name in SHARED_DOMAINS
        ]
    return {"domains": domains}


def _domain_result(domain: SimDomain, *, is_shared: bool = False) -> Result:
    return {
        "name": domain.name,
        "allowAccountReset": domain.allow_account_reset,
        "symbolicSubaddressing": domain.symbolic_subaddressing,
        "isShared": is_shared,
        "dnsSummary": {
            "passesMx": domain.seen.mx,
            "passesSpf": domain.seen.spf,
            "passesDkim": domain.seen.dkim,
            "passesDmarc": domain.seen.dmarc,
        },
    }


def add_domain(account: Account, body: Body) -> Result:
    """Only the ownership record is mandatory."""
    name = body.text("domainName").lower()
    if name in account.domains or name in SHARED_DOMAINS:
        raise ApiError("domainAlreadyExists", "Domain already exists")
    if name not in account.owned:
        raise ApiError("dnsChecksFailed", f"DNS ownership checks did not pass for {name}")
    account.domains[name] = SimDomain(name, seen=replace(account.dns.get(name, Dns())))
    return {}


def update_domain_settings(account: Account, body: Body) -> Result:
    """A recheck shows in the next `listDomains` only."""
    domain = own_domain(account, body.text("name"))
    reset = body.optional_flag("allowAccountReset")
    symbolic = body.optional_flag("symbolicSubaddressing")
    if reset is not None:
        domain.allow_account_reset = reset
    if symbolic is not None:
        domain.symbolic_subaddressing = symbolic
    if body.optional_flag("recheckDns"):
        domain.seen = replace(account.dns.get(domain.name, Dns()))
    return {}


def delete_domain(account: Account, body: Body) -> Result:
    """Takes the domain's users and rules along."""
    name = own_domain(account, body.text("name")).name
    del account.domains[name]
    account.users = {
        address: user for address, user in account.users.items() if domain_of(address) != name
    }
    account.rules = {number: rule for number, rule in account.rules.items() if rule.domain != name}
    return {}
