"""Lookups against a real DNS server on loopback: what exists, who is asked, and how long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from dns.resolver import Resolver

from domains import dns as door
from domains.advice import Advice
from domains.dns import look_for_ownership, look_up, resolvers_described
from domains.models import RecordKey, RecordState
from domains.testing import CODE, SHORT_PATIENCE, DnsZones

pytestmark = pytest.mark.once

OK, WRONG, MISSING = RecordState.OK, RecordState.WRONG, RecordState.MISSING
NO_ANSWER = RecordState.NO_ANSWER
DOMAIN = "example.com"
KEY1 = f"purelymail1._domainkey.{DOMAIN}"
DMARC = f"_dmarc.{DOMAIN}"


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
