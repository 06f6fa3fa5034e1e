"""What the simulated DNS says of a domain: the records that its flags in the account promise.

Where a check fails there is a believable reason: the mail provider of before, a DKIM key that is
missing, no DMARC record. Every domain but those below `.invalid` exists, so that a newcomer can
try any name; nobody has set up anything for a new one yet.
"""

from __future__ import annotations

from purelymanage.purelymail.simulator.account import Account, Dns

OLD_MX = ("10 mx1.oldhost.example.", "20 mx2.oldhost.example.")
OLD_SPF = "v=spf1 include:spf.oldhost.example -all"
MX = ("50 mailserver.purelymail.com.",)
SPF = "v=spf1 include:_spf.purelymail.com ~all"
OTHER_TEXT = "site-verification=3kq0Zr8wT1bVnE5x"
DMARC_TARGET = "dmarcroot.purelymail.com."
NOT_IN_DNS = ("invalid",)
KEYS = ("1", "2", "3")
MISSING_KEY = "2"


Records = dict[str, tuple[str, ...]]
"""What stands at one name, by type."""


def records_at(account: Account, name: str) -> Records | None:
    """What stands at a name, without final dot; None where the name does not exist."""
    name = name.lower()
    if name.rpartition(".")[2] in NOT_IN_DNS:
        return None
    domain = name.removeprefix("_dmarc.")
    if domain != name:
        return _alias(DMARC_TARGET) if account.dns.get(domain, Dns()).dmarc else None
    selector, separator, domain = name.partition("._domainkey.")
    if separator:
        number = selector.removeprefix("purelymail")
        has_key = number in KEYS and _has_key(account, domain, number)
        return _alias(f"key{number}.dkimroot.purelymail.com.") if has_key else None
    return _apex(account, name)


def _apex(account: Account, domain: str) -> Records:
    says = account.dns.get(domain, Dns())
    texts = [SPF if says.spf else OLD_SPF, OTHER_TEXT]
    if domain in account.owned:
        texts.append(account.ownership_code)
    return {"MX": MX if says.mx else OLD_MX, "TXT": tuple(texts)}


def _has_key(account: Account, domain: str, number: str) -> bool:
    """A domain whose DKIM fails has all keys but one; a new one has none."""
    if domain not in account.dns:
        return False
    return account.dns[domain].dkim or number != MISSING_KEY


def _alias(target: str) -> Records:
    return {"CNAME": (target,)}
