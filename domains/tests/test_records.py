"""What stands in DNS, read from a real server on loopback, and what to do about it.

Each case of the table changes one thing of a domain that is otherwise right, and every other record
must stay OK, so that a record judged wrongly fails some case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from domains.advice import Advice, explain
from domains.dns import look_up
from domains.expected import SPF_RECORD
from domains.models import RecordKey, RecordState
from domains.testing import CODE, DnsZones

pytestmark = pytest.mark.once

OK, WRONG, MISSING = RecordState.OK, RecordState.WRONG, RecordState.MISSING
NOTICE = RecordState.NOTICE
DOMAIN = "example.com"
KEY2 = f"purelymail2._domainkey.{DOMAIN}"
DMARC = f"_dmarc.{DOMAIN}"
OTHER_CODE = "purelymail_ownership_proof=" + "f" * 128
OLD_SPF = "v=spf1 include:spf.old.example -all"


@dataclass
class Case:
    """What differs in DNS, and what a lookup must then say. Records not named must be OK."""

    name: str
    texts: list[str | list[str]] | None = None
    """All TXT of the domain, where they differ."""
    records: dict[tuple[str, str], list[str | list[str]]] = field(default_factory=dict)
    """Other records; an empty list removes one."""
    key: RecordKey | None = None
    state: RecordState = OK
    advice: str = ""
    found: list[str] | None = None

    def __str__(self) -> str:
        return self.name


def mx(name: str, *values: str, **expected) -> Case:
    return Case(name, records={(DOMAIN, "MX"): [*values]}, key=RecordKey.MX, **expected)


def spf(name: str, *values: str | list[str], **expected) -> Case:
    return Case(name, texts=[CODE, *values], key=RecordKey.SPF, **expected)


def owner(name: str, *values: str | list[str], **expected) -> Case:
    return Case(name, texts=[SPF_RECORD, *values], key=RecordKey.OWNERSHIP, **expected)


def dkim(name: str, records: dict[tuple[str, str], list[str]], **expected) -> Case:
    return Case(name, records={(KEY2, "CNAME"): []} | records, key=RecordKey.DKIM2, **expected)


def dmarc(name: str, records: dict[tuple[str, str], list], **expected) -> Case:
    return Case(name, records={(DMARC, "CNAME"): []} | records, key=RecordKey.DMARC, **expected)


def chain(length: int, end: str) -> dict[tuple[str, str], list[str]]:
    """CNAMEs from key 2 to `end`, `length` links in all."""
    names = [KEY2, *(f"hop{n}.example.net" for n in range(1, length)), end]
    return {(name, "CNAME"): [after] for name, after in pairwise(names)}


TARGET2 = "key2.dkimroot.purelymail.com"
POLICY = "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
CASES = [
    Case("as it should be"),
    # MX
    mx("another priority", "10 mailserver.purelymail.com", found=["10 mailserver.purelymail.com"]),
    mx("upper case", "50 MAILSERVER.PurelyMail.COM", found=["50 MAILSERVER.PurelyMail.COM"]),
    mx("ours twice", "10 mailserver.purelymail.com", "20 mailserver.purelymail.com"),
    mx("no MX", state=MISSING, advice=Advice.MX_MISSING, found=[]),
    mx(
        "another beside ours, in order of priority",
        "50 mailserver.purelymail.com",
        "100 mx.old.example",
        "5 mx.older.example",
        state=WRONG,
        advice=Advice.MX_OTHERS,
        found=["5 mx.older.example", "50 mailserver.purelymail.com", "100 mx.old.example"],
    ),
    mx("only another", "10 mx.old.example", state=WRONG, advice=Advice.MX_ELSEWHERE),
    mx("a name that clients invented", "50 mx.purelymail.com", state=WRONG, advice="mx_elsewhere"),
    mx("null MX", "0 .", state=WRONG, advice=Advice.MX_REFUSES, found=["0 ."]),
    mx(
        "the provider appended the domain",
        f"50 mailserver.purelymail.com.{DOMAIN}",
        state=WRONG,
        advice=Advice.DOMAIN_APPENDED,
    ),
    # SPF
    spf(
        "other TXT do not matter", SPF_RECORD, "spf2.0/pra -all", "v=spf10 -all", found=[SPF_RECORD]
    ),
    spf("upper case", "V=SPF1 INCLUDE:_SPF.PURELYMAIL.COM ~ALL"),
    spf("several strings", ["v=spf1 include:_spf.pure", "lymail.com ~all"], found=[SPF_RECORD]),
    spf("a plus", "v=spf1 mx +include:_spf.purelymail.com -all"),
    spf("a final dot", "v=spf1 include:_spf.purelymail.com. -all"),
    spf("redirect", "v=spf1 redirect=_spf.purelymail.com"),
    spf("among others", "v=spf1 ip4:192.0.2.1  include:a.example include:_spf.purelymail.com ?all"),
    spf("+all", "v=spf1 include:_spf.purelymail.com +all", advice=Advice.SPF_PASSES_ALL),
    spf("all", "v=spf1 include:_spf.purelymail.com all", advice=Advice.SPF_PASSES_ALL),
    spf("no SPF", "google-site-verification=x", state=MISSING, advice=Advice.SPF_MISSING, found=[]),
    spf("without ours", OLD_SPF, state=WRONG, advice=Advice.SPF_NO_INCLUDE, found=[OLD_SPF]),
    spf("nothing but a version", "v=spf1", state=WRONG, advice=Advice.SPF_NO_INCLUDE),
    spf(
        "a host that only begins like ours",
        "v=spf1 include:_spf.purelymail.com.old.example ~all",
        state=WRONG,
        advice=Advice.SPF_NO_INCLUDE,
    ),
    spf(
        "redirect beside an all is not read",
        "v=spf1 -all redirect=_spf.purelymail.com",
        state=WRONG,
        advice=Advice.SPF_NO_INCLUDE,
    ),
    spf(
        "ours after the all is not read",
        "v=spf1 mx -all include:_spf.purelymail.com",
        state=WRONG,
        advice=Advice.SPF_TOO_LATE,
    ),
    spf("minus", "v=spf1 -include:_spf.purelymail.com ~all", state=WRONG, advice="spf_refuses_us"),
    spf(
        "two",
        SPF_RECORD,
        OLD_SPF,
        state=WRONG,
        advice=Advice.SPF_TWICE,
        found=[SPF_RECORD, OLD_SPF],
    ),
    spf("two, both with ours", SPF_RECORD, f"{SPF_RECORD} ", state=WRONG, advice=Advice.SPF_TWICE),
    spf("typed with quotes", f'"{SPF_RECORD}"', state=WRONG, advice=Advice.SPF_QUOTED),
    # Ownership
    owner("among many", "a", CODE, "b", found=[CODE]),
    owner("upper case hex", CODE.upper()),
    owner("quotes and spaces", f' "{CODE}" '),
    owner("several strings", [CODE[:60], CODE[60:100], CODE[100:]], found=[CODE]),
    owner("beside another account's", OTHER_CODE, CODE),
    owner("none", "a", state=MISSING, advice=Advice.OWNERSHIP_MISSING, found=[]),
    owner("another's", OTHER_CODE, state=WRONG, advice="ownership_other", found=[OTHER_CODE]),
    owner("cut off", CODE[:-1], state=WRONG, advice=Advice.OWNERSHIP_OTHER),
    # DKIM
    dkim("upper case", {(KEY2, "CNAME"): ["KEY2.DkimRoot.PurelyMail.com"]}),
    dkim("through another name", chain(2, TARGET2), found=["hop1.example.net", TARGET2]),
    dkim("through seven others", chain(8, TARGET2)),
    dkim("too many links", chain(9, TARGET2), state=WRONG, advice=Advice.ALIAS_ENDLESS),
    dkim("no key 2", {}, state=MISSING, advice=Advice.DKIM_MISSING, found=[]),
    dkim(
        "a loop",
        {(KEY2, "CNAME"): ["a.example.net"], ("a.example.net", "CNAME"): [KEY2]},
        state=WRONG,
        advice=Advice.ALIAS_ENDLESS,
        found=["a.example.net", KEY2],
    ),
    dkim("itself", {(KEY2, "CNAME"): [KEY2]}, state=WRONG, advice=Advice.ALIAS_ENDLESS),
    dkim(
        "a dead end",
        {(KEY2, "CNAME"): ["gone.example.net"]},
        state=WRONG,
        advice=Advice.ALIAS_ELSEWHERE,
        found=["gone.example.net"],
    ),
    dkim(
        "the target of key 1",
        {(KEY2, "CNAME"): ["key1.dkimroot.purelymail.com"]},
        state=WRONG,
        advice=Advice.DKIM_OTHER_KEY,
    ),
    dkim(
        "the provider appended the domain",
        {(KEY2, "CNAME"): [f"{TARGET2}.{DOMAIN}"]},
        state=WRONG,
        advice=Advice.DOMAIN_APPENDED,
    ),
    dkim(
        "the key as TXT",
        {(KEY2, "TXT"): ["v=DKIM1; k=rsa; p=MIGf"]},
        state=WRONG,
        advice=Advice.DKIM_TEXT,
        found=["v=DKIM1; k=rsa; p=MIGf"],
    ),
    dkim(
        "the key at another provider",
        {(KEY2, "CNAME"): ["k.old.example"], ("k.old.example", "TXT"): ["v=DKIM1; p=x"]},
        state=WRONG,
        advice=Advice.ALIAS_ELSEWHERE,
        found=["k.old.example"],
    ),
    # DMARC
    dmarc("upper case", {(DMARC, "CNAME"): ["DMARCROOT.PURELYMAIL.COM"]}),
    dmarc("none", {}, state=MISSING, advice=Advice.DMARC_MISSING, found=[]),
    dmarc(
        "an own policy",
        {(DMARC, "TXT"): [POLICY]},
        state=NOTICE,
        advice=Advice.DMARC_OWN,
        found=[POLICY],
    ),
    dmarc(
        "an own policy in several strings beside another TXT",
        {(DMARC, "TXT"): [[POLICY[:9], POLICY[9:]], "hello"]},
        state=NOTICE,
        advice=Advice.DMARC_OWN,
        found=[POLICY],
    ),
    dmarc("odd spaces", {(DMARC, "TXT"): ["v = DMARC1;p=none"]}, state=NOTICE, advice="dmarc_own"),
    dmarc(
        "an own policy elsewhere",
        {(DMARC, "CNAME"): ["d.example.net"], ("d.example.net", "TXT"): [POLICY]},
        state=NOTICE,
        advice=Advice.DMARC_OWN,
        found=["d.example.net", POLICY],
    ),
    dmarc(
        "two policies",
        {(DMARC, "TXT"): [POLICY, "v=DMARC1; p=none"]},
        state=WRONG,
        advice=Advice.DMARC_TWICE,
        found=["v=DMARC1; p=none", POLICY],
    ),
    dmarc(
        "no policy at all",
        {(DMARC, "TXT"): ["v=dmarc1; p=none"]},
        state=WRONG,
        advice=Advice.DMARC_NO_POLICY,
    ),
    dmarc(
        "elsewhere, where nothing is",
        {(DMARC, "CNAME"): ["d.example.net"]},
        state=WRONG,
        advice=Advice.ALIAS_ELSEWHERE,
        found=["d.example.net"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_stands_in_dns_is_judged_record_by_record(dns: DnsZones, case: Case):
    dns.publish(DOMAIN)
    if case.texts is not None:
        dns.set(DOMAIN, "TXT", *case.texts)
    for (name, kind), values in case.records.items():
        dns.set(name, kind, *values) if values else dns.remove(name, kind)
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert list(findings) == list(RecordKey)
    for key, finding in findings.items():
        assert finding.problem == ""
        if key == case.key:
            assert (finding.state, finding.advice) == (case.state, case.advice)
            assert case.found is None or finding.found == case.found
        else:
            assert (key, finding.state, finding.advice) == (key, OK, "")


def test_the_table_has_each_advice_somewhere():
    elsewhere = {Advice.NO_SUCH_DOMAIN}
    assert {case.advice for case in CASES if case.advice} == set(Advice.values) - elsewhere


def test_while_the_ownership_code_is_unknown_six_records_are_judged(dns: DnsZones):
    dns.publish(DOMAIN)
    assert set(look_up(DOMAIN, ownership_code="")) == set(RecordKey) - {RecordKey.OWNERSHIP}


def test_what_strangers_write_is_kept_within_bounds(dns: DnsZones):
    dns.publish(DOMAIN)
    dns.set(DOMAIN, "MX", *(f"10 mx{n}.old.example" for n in range(60)))
    dns.set(DOMAIN, "TXT", ["v=spf1 a\x00\x1b[2J\u202e", *["x" * 250] * 40], b"\xff\xfe raw")
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert len(findings[RecordKey.MX].found) == 20
    (record,) = findings[RecordKey.SPF].found
    assert len(record) == 4001
    assert record.startswith("v=spf1 a\ufffd\ufffd[2J\ufffdxxx")
    assert "It would read" not in explain(findings[RecordKey.SPF].advice, [record])
