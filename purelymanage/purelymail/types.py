"""What PurelyMail tells us, as our own immutable records: never raw JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_LISTED_USERS = 1000
"""`listUser` returns no more than this, and has no way to ask for the rest."""


@dataclass(frozen=True)
class RemoteDomain:
    """A domain with its settings and with what PurelyMail last saw of its DNS."""

    name: str
    is_shared: bool
    allow_account_reset: bool
    symbolic_subaddressing: bool
    passes_mx: bool
    passes_spf: bool
    passes_dkim: bool
    passes_dmarc: bool


@dataclass(frozen=True)
class UserList:
    """Full addresses of all domains; the list may end at PurelyMail's limit."""

    addresses: list[str]
    may_be_truncated: bool


@dataclass(frozen=True)
class RecoveryMethod:
    """A way to reset a mailbox's password; `target` is its key, there is no id."""

    type: str
    """`email` or `phone`."""
    target: str
    description: str
    allow_mfa_reset: bool


@dataclass(frozen=True)
class RemoteUser:
    """The settings of one mailbox."""

    address: str
    enable_search_indexing: bool
    enable_password_reset: bool
    """PurelyMail calls it `recoveryEnabled` when read, `enablePasswordReset` when written."""
    require_two_factor: bool
    enable_spam_filtering: bool
    """Can be read only; no operation sets it."""
    recovery_methods: list[RecoveryMethod]


@dataclass(frozen=True)
class RemoteRule:
    """A routing rule: domain and match on one side, target addresses on the other."""

    id: int
    domain: str
    match_user: str
    is_prefix: bool
    is_catchall: bool
    targets: list[str]

    @property
    def likeness(self) -> tuple[object, ...]:
        """All of it but the id, whatever case and order PurelyMail keeps it in."""
        return (
            self.domain.lower(),
            self.match_user.lower(),
            self.is_prefix,
            self.is_catchall,
            frozenset(target.lower() for target in self.targets),
        )


class Hidden(dict[str, Any]):
    """A JSON object that shows nothing of itself in logs and tracebacks: it may hold passwords."""

    def __repr__(self) -> str:
        return "<hidden>"
