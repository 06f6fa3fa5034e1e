"""What the simulated PurelyMail account holds, and how tests and the demo fill it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

SHARED_DOMAINS = (
    "purelymail.com",
    "cheapermail.com",
    "placeq.com",
    "rethinkmail.com",
    "worldofmail.com",
)
FIRST_RULE_ID = 123_000
INITIAL_PASSWORD = "correct horse battery"  # noqa: S105  guards simulated mailboxes only


@dataclass
class Dns:
    """Which of the four checks pass."""

    mx: bool = False
    spf: bool = False
    dkim: bool = False
    dmarc: bool = False


@dataclass
class SimDomain:
    """A domain of the account; `seen` is as old as the last check."""

    name: str
    allow_account_reset: bool = True
    symbolic_subaddressing: bool = True
    seen: Dns = field(default_factory=Dns)


@dataclass
class Method:
    """A recovery method."""

    type: str
    target: str
    description: str = ""
    allow_mfa_reset: bool = True


@dataclass
class SimUser:
    """A mailbox. Passwords are kept as salted hashes only."""

    password: str
    enable_search_indexing: bool = True
    recovery_enabled: bool = True
    require_two_factor: bool = False
    methods: list[Method] = field(default_factory=list)
    app_passwords: list[str] = field(default_factory=list)

    def add_method(self, kind: str, target: str, description: str = "") -> None:
        """A recovery method that exists already."""
        self.methods.append(Method(kind, target, description))


@dataclass
class SimRule:
    """A routing rule."""

    id: int
    domain: str
    match_user: str
    is_prefix: bool
    is_catchall: bool
    targets: list[str]

    @property
    def key(self) -> tuple[str, str, bool]:
        """What must be unique; `is_catchall` is no part of it."""
        return (self.domain, self.match_user, self.is_prefix)


@dataclass
class Account:
    """All state of the simulator. Names and addresses are kept in lower case."""

    credit: str = "19.1607994830137318004587841289974404320987654320987654320987654320987598"
    ownership_code: str = field(
        default_factory=lambda: f"purelymail_ownership_proof={secrets.token_hex(64)}"
    )
    domains: dict[str, SimDomain] = field(default_factory=dict)
    users: dict[str, SimUser] = field(default_factory=dict)
    rules: dict[int, SimRule] = field(default_factory=dict)
    next_rule_id: int = FIRST_RULE_ID
    dns: dict[str, Dns] = field(default_factory=dict)
    """What DNS really says now; `SimDomain.seen` follows on a recheck."""
    owned: set[str] = field(default_factory=set)
    """Domains whose ownership record is published."""
    reset_needs_password: bool = False
    """Whether turning password reset on without `newPassword` silently does nothing."""

    def publish_ownership(self, name: str) -> None:
        """Make the ownership record of a domain visible, so that it can be added."""
        self.owned.add(name.lower())

    def publish_dns(
        self,
        name: str,
        *,
        mx: bool = False,
        spf: bool = False,
        dkim: bool = False,
        dmarc: bool = False,
    ) -> None:
        """Say what DNS answers from now on; PurelyMail sees it with the next recheck."""
        self.dns[name.lower()] = Dns(mx=mx, spf=spf, dkim=dkim, dmarc=dmarc)

    def add_domain(
        self, name: str, *, mx: bool = True, spf: bool = True, dkim: bool = True, dmarc: bool = True
    ) -> SimDomain:
        """A domain that is on the account already, checked just now."""
        self.publish_ownership(name)
        self.publish_dns(name, mx=mx, spf=spf, dkim=dkim, dmarc=dmarc)
        domain = SimDomain(name.lower(), seen=Dns(mx=mx, spf=spf, dkim=dkim, dmarc=dmarc))
        self.domains[domain.name] = domain
        return domain

    def add_user(self, address: str, *, password: str = INITIAL_PASSWORD) -> SimUser:
        """A mailbox that exists already; its domain must."""
        if address.lower().rpartition("@")[2] not in self.domains:
            raise ValueError(f"The domain of {address} is not on the simulated account.")
        user = SimUser(password=hashed(password), recovery_enabled=False)
        self.users[address.lower()] = user
        return user

    def add_rule(
        self,
        domain: str,
        match_user: str,
        *targets: str,
        is_prefix: bool = False,
        is_catchall: bool = False,
    ) -> SimRule:
        """A routing rule that exists already."""
        rule = SimRule(
            self.next_rule_id, domain.lower(), match_user, is_prefix, is_catchall, list(targets)
        )
        self.next_rule_id += 1
        self.rules[rule.id] = rule
        return rule

    def verify_password(self, address: str, password: str) -> bool:
        """Whether a mail program could sign in: app passwords always, the main one without 2FA."""
        user = self.users.get(address.lower())
        if user is None:
            return False
        main = not user.require_two_factor and matches(password, user.password)
        return main or any(matches(password, hashed) for hashed in user.app_passwords)


def hashed(password: str) -> str:
    """Salt and scrypt hash; cheap, since these passwords guard nothing."""
    salt = secrets.token_hex(8)
    return f"{salt}${_scrypt(password, salt)}"


def matches(password: str, stored: str) -> bool:
    """Whether `stored` is the hash of this password."""
    salt, _dollar, digest = stored.partition("$")
    return hmac.compare_digest(_scrypt(password, salt), digest)


def _scrypt(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1).hex()
