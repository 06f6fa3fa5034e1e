"""Lookups against a real DNS server on loopback: what stands there, and what to do about it.

Each case of the table changes one thing of a domain that is otherwise right, and names every
record that is not OK because of it, so that a record judged wrongly fails some case.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from dns.resolver import Resolver

from domains import dns as door
from domains.advice import Advice, explain
from domains.dns import look_for_ownership, look_up, resolvers_described
from domains.expected import SPF_RECORD
from domains.models import RecordKey, RecordState
from domains.testing import CODE, SHORT_PATIENCE, DnsZones

pytestmark = pytest.mark.once

OK, WRONG, MISSING = RecordState.OK, RecordState.WRONG, RecordState.MISSING
NOTICE, NO_ANSWER = RecordState.NOTICE, RecordState.NO_ANSWER
DOMAIN = "example.com"
KEY1 = f"purelymail1._domainkey.{DOMAIN}"
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
    also: set[RecordKey] = field(default_factory=set)
    """Others that are not OK either, for they share what is wrong."""

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


def test_a_domain_that_does_not_exist_is_told_so(dns: DnsZones):
    findings = look_up("nowhere.example", ownership_code=CODE)
    assert {(one.state, one.advice) for one in findings.values()} == {
        (MISSING, Advice.NO_SUCH_DOMAIN)
    }
    ownership = look_for_ownership("nowhere.example", ownership_code=CODE)
    assert (ownership.state, ownership.advice) == (MISSING, Advice.NO_SUCH_DOMAIN)


def test_a_domain_that_exists_without_records_is_told_which_to_create(dns: DnsZones):
    dns.register(DOMAIN)
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert {one.state for one in findings.values()} == {MISSING}
    assert Advice.NO_SUCH_DOMAIN not in {one.advice for one in findings.values()}


def test_a_domain_that_is_an_alias_into_nothing_still_exists(dns: DnsZones):
    dns.set(DOMAIN, "CNAME", "gone.example.net")
    assert look_up(DOMAIN, ownership_code=CODE)[RecordKey.MX].advice == Advice.MX_MISSING


def test_a_subdomain_whose_records_hang_on_an_alias_is_read_through_it(dns: DnsZones):
    dns.publish("mail.example.net")
    dns.set(DOMAIN, "CNAME", "mail.example.net")
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert findings[RecordKey.MX].state == OK
    assert findings[RecordKey.OWNERSHIP].state == OK


def test_a_server_that_denies_the_domain_but_knows_its_records_is_believed_on_the_records(
    dns: DnsZones,
):
    dns.publish(DOMAIN)
    dns.fail(DOMAIN, "*", "nxdomain")
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert findings[RecordKey.DKIM1].state == OK
    assert (findings[RecordKey.MX].state, findings[RecordKey.MX].advice) == (MISSING, "mx_missing")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("servfail", "127.0.0.1:{port} got no usable answer from the domain's name servers"),
        ("refused", "127.0.0.1:{port} refused to answer."),
        ("notimp", "127.0.0.1:{port} answered NOTIMP."),
        ("timeout", "127.0.0.1:{port} did not answer within 1 s."),
        ("rubbish", "127.0.0.1:{port} did not answer within 1 s."),
    ],
)
@pytest.mark.parametrize(
    ("name", "kind", "keys"),
    [
        (DOMAIN, "MX", {"mx"}),
        (DOMAIN, "TXT", {"spf", "ownership"}),
        (KEY1, "CNAME", {"dkim1"}),
        (DMARC, "CNAME", {"dmarc"}),
    ],
)
def test_no_answer_is_never_missing_and_says_who_did_not_answer(
    dns: DnsZones, fault, says, name, kind, keys
):
    dns.publish(DOMAIN)
    dns.fail(name, kind, fault)
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert {key for key, one in findings.items() if one.state == NO_ANSWER} == keys
    assert {one.state for key, one in findings.items() if key not in keys} == {OK}
    for key in keys:
        assert findings[RecordKey(key)].problem.startswith(says.format(port=dns.port))
        assert findings[RecordKey(key)].advice == ""


@pytest.mark.parametrize("fault", ["servfail", "refused"])
def test_a_link_of_a_chain_without_an_answer_leaves_the_record_open(dns: DnsZones, fault):
    dns.publish(DOMAIN)
    dns.set(KEY1, "CNAME", "hop.example.net")
    dns.fail("hop.example.net", "CNAME", fault)
    assert look_up(DOMAIN, ownership_code=CODE)[RecordKey.DKIM1].state == NO_ANSWER
    dns.remove(DMARC, "CNAME")
    dns.set(DMARC, "NS", "ns.example.net")
    dns.fail(DMARC, "TXT", fault)
    assert look_up(DOMAIN, ownership_code=CODE)[RecordKey.DMARC].state == NO_ANSWER


def test_an_answer_cut_off_by_udp_is_read_by_tcp(dns: DnsZones):
    dns.publish(DOMAIN)
    dns.fail(DOMAIN, "MX", "truncated")
    dns.add(DOMAIN, "TXT", *(f"verification-{n}=" + "x" * 200 for n in range(12)))
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert {one.state for one in findings.values()} == {OK}
    assert dns.tcp_queries[DOMAIN, "MX"] == 1
    assert dns.tcp_queries[DOMAIN, "TXT"] == 1


def test_a_dead_resolver_costs_one_wait_and_not_one_per_record(dns: DnsZones):
    dns.publish(DOMAIN)
    dns.down()
    began = time.monotonic()
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert time.monotonic() - began < 4 * SHORT_PATIENCE  # six one after another
    assert {one.state for one in findings.values()} == {NO_ANSWER}
    assert look_for_ownership(DOMAIN, ownership_code=CODE).state == NO_ANSWER


def test_a_domain_whose_time_is_up_is_not_asked_about_any_more(dns: DnsZones, monkeypatch):
    monkeypatch.setattr(door, "DOMAIN_SECONDS", 0)
    dns.publish(DOMAIN)
    findings = look_up(DOMAIN, ownership_code=CODE)
    assert {one.state for one in findings.values()} == {NO_ANSWER}
    assert "no time left" in findings[RecordKey.MX].problem
    assert not dns.queries


def test_the_second_resolver_answers_for_a_dead_first(dns: DnsZones, settings, monkeypatch):
    monkeypatch.setattr(door, "TRY_SECONDS", 0.2)
    dns.publish(DOMAIN)
    settings.DNS_RESOLVERS = ["127.0.0.1:9", *settings.DNS_RESOLVERS]
    assert {one.state for one in look_up(DOMAIN, ownership_code=CODE).values()} == {OK}


def test_every_resolver_that_failed_is_named(dns: DnsZones, settings, monkeypatch):
    monkeypatch.setattr(door, "TRY_SECONDS", 0.2)
    dns.publish(DOMAIN)
    dns.fail(DOMAIN, "TXT", "refused")
    dns.give_up_after(SHORT_PATIENCE)
    settings.DNS_RESOLVERS = [*settings.DNS_RESOLVERS, "[::1]:9"]
    problem = look_for_ownership(DOMAIN, ownership_code=CODE).problem
    assert f"127.0.0.1:{dns.port} refused to answer." in problem
    assert "[::1]:9 did not answer within 1 s." in problem


def test_a_network_that_is_not_there_is_said(settings):
    settings.DNS_RESOLVERS = ["255.255.255.255"]
    finding = look_for_ownership(DOMAIN, ownership_code=CODE)
    assert finding.state == NO_ANSWER
    assert "255.255.255.255 cannot be reached:" in finding.problem


@pytest.mark.parametrize(
    "content", ["", "search example.com\n", "nameserver resolver.local\n", None]
)
def test_a_machine_without_a_resolver_says_what_to_do(settings, monkeypatch, tmp_path, content):
    path = tmp_path / "resolv.conf"
    if content is not None:
        path.write_text(content)
    read = Resolver.read_resolv_conf
    monkeypatch.setattr(Resolver, "read_resolv_conf", lambda self, _path: read(self, str(path)))
    settings.DNS_RESOLVERS = []
    finding = look_up(DOMAIN, ownership_code=CODE)[RecordKey.MX]
    assert finding.state == NO_ANSWER
    assert "DNS_RESOLVERS" in finding.problem
    assert "no resolver" in resolvers_described()


def test_without_settings_the_machine_is_asked_for_its_resolvers(
    dns: DnsZones, settings, monkeypatch
):
    def configured(self, *_args):
        self.nameservers = ["127.0.0.1"]
        self.port = zones.port

    zones = dns
    zones.publish(DOMAIN)
    monkeypatch.setattr(Resolver, "read_resolv_conf", configured)
    settings.DNS_RESOLVERS = []
    assert look_for_ownership(DOMAIN, ownership_code=CODE).state == OK
    assert resolvers_described() == f"127.0.0.1:{zones.port}"


def test_resolvers_are_described_as_people_write_them(settings):
    settings.DNS_RESOLVERS = ["1.1.1.1", "[::1]:5353", "2606:4700::1111"]
    assert resolvers_described() == "1.1.1.1, [::1]:5353 and 2606:4700::1111"


def test_a_lookup_asks_each_question_once_and_remembers_nothing(dns: DnsZones):
    dns.publish(DOMAIN)
    look_up(DOMAIN, ownership_code=CODE)
    assert dns.queries.total() == 6
    dns.set(DOMAIN, "MX", "10 mx.old.example")
    assert look_up(DOMAIN, ownership_code=CODE)[RecordKey.MX].state == WRONG
    assert dns.queries.total() == 12


def test_the_order_in_which_a_server_answers_changes_nothing(dns: DnsZones):
    dns.publish(DOMAIN)
    values = ["20 b.example", "10 z.example", "10 a.example"]
    found = set()
    for _turn in values:
        values = [*values[1:], values[0]]
        dns.set(DOMAIN, "MX", *values)
        found.add(tuple(look_up(DOMAIN, ownership_code=CODE)[RecordKey.MX].found))
    assert found == {("10 a.example", "10 z.example", "20 b.example")}


def test_while_the_ownership_code_is_unknown_six_records_are_judged(dns: DnsZones):
    dns.publish(DOMAIN)
    assert set(look_up(DOMAIN, ownership_code="")) == set(RecordKey) - {RecordKey.OWNERSHIP}


def test_international_names_are_asked_for_in_their_ascii_form(dns: DnsZones):
    dns.publish("xn--bcher-kva.example")
    findings = look_up("xn--bcher-kva.example", ownership_code=CODE)
    assert {one.state for one in findings.values()} == {OK}


def test_a_name_too_long_for_its_records_is_a_problem_and_no_crash(dns: DnsZones):
    name = ".".join(["a" * 59] * 4)
    dns.register(name)
    findings = look_up(name, ownership_code=CODE)
    assert findings[RecordKey.MX].state == MISSING
    assert findings[RecordKey.DKIM1].state == NO_ANSWER
    assert "too long" in findings[RecordKey.DKIM1].problem
    assert len(findings[RecordKey.DKIM1].problem) <= 200


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


def test_many_domains_are_looked_up_at_once(dns: DnsZones):
    names = [f"d{n}.example" for n in range(40)]
    for name in names[::2]:
        dns.publish(name)
    before = threading.active_count()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda name: look_up(name, ownership_code=CODE), names))
    states = [{one.state for one in findings.values()} for findings in results]
    assert states == [{OK}, {MISSING}] * 20
    assert threading.active_count() <= before + 2
