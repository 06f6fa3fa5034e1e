"""The sentences beside a record: every code has one, and what was found stands in it."""

from __future__ import annotations

import pytest

from domains.advice import Advice, explain
from domains.expected import SPF_RECORD
from domains.spf import merged

pytestmark = pytest.mark.once


@pytest.mark.parametrize("found", [[], ["v=spf1 mx -all"], ["10 mx.old.example", "100% odd %s"]])
def test_every_code_has_a_sentence_that_fits_its_column(found):
    for code in Advice.values:
        sentence = explain(code, found)
        assert sentence.endswith((".", merged(found) or ".")), code
        assert "%(" not in sentence, code
        assert len(code) <= 30, code


def test_an_unknown_code_says_nothing():
    assert explain("") == ""
    assert explain("from_a_later_version") == ""


def test_the_mail_servers_to_remove_are_named_and_ours_is_not():
    found = ["5 mx.old.example", "10 MailServer.PurelyMail.com", "20 mx2.old.example"]
    assert explain(Advice.MX_OTHERS, found) == (
        "Remove “5 mx.old.example” and “20 mx2.old.example”."
        " Some mail would still be delivered there."
    )


def test_the_merged_record_is_shown():
    assert explain(Advice.SPF_NO_INCLUDE, ["v=spf1 include:spf.old.example -all"]).endswith(
        "It would read: v=spf1 include:_spf.purelymail.com include:spf.old.example -all"
    )


@pytest.mark.parametrize(
    ("found", "record"),
    [
        (["v=spf1 -all"], "v=spf1 include:_spf.purelymail.com -all"),
        (["v=spf1 a:x.example"], "v=spf1 include:_spf.purelymail.com a:x.example ~all"),
        ([SPF_RECORD, "v=spf1 mx -all"], "v=spf1 include:_spf.purelymail.com mx ~all"),
        (
            ["V=SPF1 ip4:192.0.2.1 mx +all", "v=spf1 mx a ?all"],
            "v=spf1 include:_spf.purelymail.com ip4:192.0.2.1 mx a ?all",
        ),
        (
            ["v=spf1 mx -all include:_spf.purelymail.com"],
            "v=spf1 include:_spf.purelymail.com mx -all",
        ),
        (["v=spf1 -include:_spf.purelymail.com ~all"], "v=spf1 include:_spf.purelymail.com ~all"),
        (
            ["v=spf1 redirect=spf.old.example"],
            "v=spf1 include:_spf.purelymail.com redirect=spf.old.example",
        ),
        (
            ["v=spf1 redirect=spf.old.example", "v=spf1 mx"],
            "v=spf1 include:_spf.purelymail.com mx include:spf.old.example ~all",
        ),
        (["v=spf1 redirect=spf.old.example -all"], "v=spf1 include:_spf.purelymail.com -all"),
        (
            ["v=spf1 exists:%{i}.Spf.old.example exp=why.example -all"],
            "v=spf1 include:_spf.purelymail.com exists:%{i}.Spf.old.example exp=why.example -all",
        ),
        ([], ""),
        (["v=spf1 mx cut off…"], ""),
    ],
)
def test_spf_records_are_merged_into_one(found, record):
    assert merged(found) == record
