"""The local copy of PurelyMail's domains and credit, its freshness, and what DNS says."""

from domains.models.account import CreditReading, PurelyMailAccount
from domains.models.copies import Kind, SyncState
from domains.models.dns import (
    CheckSource,
    Deviation,
    DnsChange,
    DnsRecord,
    RecordKey,
    RecordState,
)
from domains.models.domain import CHECKS, Domain, Verdict

__all__ = [
    "CHECKS",
    "CheckSource",
    "CreditReading",
    "Deviation",
    "DnsChange",
    "DnsRecord",
    "Domain",
    "Kind",
    "PurelyMailAccount",
    "RecordKey",
    "RecordState",
    "SyncState",
    "Verdict",
]
