"""The seven records every domain at PurelyMail needs; only the ownership code differs."""

from __future__ import annotations

from dataclasses import dataclass

from domains.models import RecordKey

MAIL_SERVER = "mailserver.purelymail.com"
MX_PRIORITY = 50
SPF_HOST = "_spf.purelymail.com"
SPF_RECORD = f"v=spf1 include:{SPF_HOST} ~all"
OWNERSHIP_PREFIX = "purelymail_ownership_proof="
DMARC_TARGET = "dmarcroot.purelymail.com"
DKIM_TARGETS = {
    RecordKey.DKIM1: "key1.dkimroot.purelymail.com",
    RecordKey.DKIM2: "key2.dkimroot.purelymail.com",
    RecordKey.DKIM3: "key3.dkimroot.purelymail.com",
}
ALIAS_TARGETS = {**DKIM_TARGETS, RecordKey.DMARC: DMARC_TARGET}
APEX = "@"
NAMES = {
    RecordKey.MX: APEX,
    RecordKey.SPF: APEX,
    RecordKey.OWNERSHIP: APEX,
    RecordKey.DKIM1: "purelymail1._domainkey",
    RecordKey.DKIM2: "purelymail2._domainkey",
    RecordKey.DKIM3: "purelymail3._domainkey",
    RecordKey.DMARC: "_dmarc",
}


@dataclass(frozen=True)
class Expected:
    """One record as people type it: the name relative to the domain, no final dot."""

    key: RecordKey
    type: str
    name: str
    value: str


def expected_records(ownership_code: str) -> list[Expected]:
    """The seven in the order they are shown; six while the ownership code is unknown."""
    values = {
        RecordKey.MX: ("MX", f"{MX_PRIORITY} {MAIL_SERVER}"),
        RecordKey.SPF: ("TXT", SPF_RECORD),
        RecordKey.OWNERSHIP: ("TXT", ownership_code),
        **{key: ("CNAME", target) for key, target in ALIAS_TARGETS.items()},
    }
    return [
        Expected(key, kind, NAMES[key], value) for key, (kind, value) in values.items() if value
    ]


def full_name(domain: str, name: str) -> str:
    """`@` and `_dmarc` of example.com → `example.com` and `_dmarc.example.com`."""
    return domain if name == APEX else f"{name}.{domain}"
