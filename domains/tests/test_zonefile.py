"""The zone snippet, read back by a parser of zone files."""

from __future__ import annotations

import dns.rdatatype
import dns.zone
import pytest

from domains.models import RecordKey
from domains.testing import CODE
from domains.zonefile import zone_file

pytestmark = pytest.mark.once


def parsed(text: str, domain: str = "example.com") -> set[tuple[str, str, str]]:
    """Name, type and value of every record, names in full, TXT joined."""
    zone = dns.zone.from_text(text, origin=f"{domain}.", relativize=False, check_origin=False)
    return {
        (
            name.to_text(),
            dns.rdatatype.to_text(record.rdtype),
            b"".join(record.strings).decode()
            if record.rdtype == dns.rdatatype.TXT
            else record.to_text(),
        )
        for name, _ttl, record in zone.iterate_rdatas()
    }


def test_all_seven_records_survive_a_zone_parser():
    assert parsed(zone_file("example.com", RecordKey, ownership_code=CODE)) == {
        ("example.com.", "MX", "50 mailserver.purelymail.com."),
        ("example.com.", "TXT", "v=spf1 include:_spf.purelymail.com ~all"),
        ("example.com.", "TXT", CODE),
        ("purelymail1._domainkey.example.com.", "CNAME", "key1.dkimroot.purelymail.com."),
        ("purelymail2._domainkey.example.com.", "CNAME", "key2.dkimroot.purelymail.com."),
        ("purelymail3._domainkey.example.com.", "CNAME", "key3.dkimroot.purelymail.com."),
        ("_dmarc.example.com.", "CNAME", "dmarcroot.purelymail.com."),
    }


def test_a_subdomain_is_its_own_origin():
    text = zone_file("mail.example.com", [RecordKey.DMARC], ownership_code=CODE)
    assert parsed(text, "mail.example.com") == {
        ("_dmarc.mail.example.com.", "CNAME", "dmarcroot.purelymail.com.")
    }


def test_without_an_ownership_code_there_is_no_such_record():
    text = zone_file("example.com", RecordKey, ownership_code="")
    assert len(parsed(text)) == 6
    assert "Proves" not in text


@pytest.mark.parametrize(
    "code",
    ["x" * 255, "x" * 256, "y" * 700, 'a"b\\c;d (e)', "ü" * 200, "tab\tand\x07bell"],
    ids=["255", "256", "700", "quotes", "not ASCII", "control"],
)
def test_odd_texts_are_quoted_and_split_so_that_they_read_back_the_same(code):
    text = zone_file("example.com", [RecordKey.OWNERSHIP], ownership_code=code)
    assert parsed(text) == {("example.com.", "TXT", code)}
    zone = dns.zone.from_text(text, origin="example.com.", check_origin=False)
    strings = zone.find_rdataset("@", "TXT")[0].strings
    assert max(map(len, strings)) <= 255


def test_spf_comes_with_a_warning_not_to_add_a_second():
    text = zone_file("example.com", [RecordKey.SPF], ownership_code=CODE)
    assert "add include:_spf.purelymail.com to it" in text


def test_a_known_spf_record_is_merged_instead():
    text = zone_file(
        "example.com",
        ["spf"],
        ownership_code=CODE,
        spf_found=["v=spf1 include:spf.oldhost.example -all"],
    )
    assert parsed(text) == {
        (
            "example.com.",
            "TXT",
            "v=spf1 include:_spf.purelymail.com include:spf.oldhost.example -all",
        )
    }
    assert "replaces the SPF record" in text
