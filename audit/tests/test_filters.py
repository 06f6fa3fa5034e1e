"""The search box, the fields and the URL are views of one state."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest

from audit.filters import Asked, Filters

pytestmark = pytest.mark.once


def typed(text: str, **fields: str) -> Asked:
    return Asked.of({"q": text, **fields})


def test_qualifiers_typed_into_the_box_narrow_like_the_fields():
    asked = typed(
        "actor:ada action:rule.created target:info@x.example from:2026-01-01 to:2026-02-01"
        " result:failed"
    )
    assert asked.filters == Filters(
        actor="ada",
        action="rule.created",
        target="info@x.example",
        result="failed",
        since=date(2026, 1, 1),
        until=date(2026, 2, 1),
    )
    assert asked.filters == typed("", **dict(parse_qsl(asked.query[1:]))).filters
    assert not asked.problems


def test_what_has_a_field_of_its_own_leaves_the_box_for_it():
    asked = typed("hotel actor:ada action:rule.created from:2026-01-01")
    assert asked.box == "actor:ada hotel"
    assert asked.fields == {
        "action": "rule.created",
        "result": "",
        "from": "2026-01-01",
        "to": "",
    }
    assert asked.query == "?actor=ada&action=rule.created&from=2026-01-01&q=hotel"
    assert asked.text == "actor:ada action:rule.created from:2026-01-01 hotel"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ('target:"Old provider"', "Old provider"),
        ('target:"Old provider', "Old provider"),
        ('target:"the ""old"" one"', 'the "old" one'),
        ('target:"', ""),
        ("target:", ""),
        ("TARGET:x", "x"),
        ('target:"actor:ada"', "actor:ada"),
        ("target:2001:db8::1", "2001:db8::1"),
        ('target:a"b', 'a"b'),
    ],
)
def test_quotes_hold_blanks_together_and_survive_the_way_back(text, target):
    assert typed(text).filters == Filters(target=target)
    assert typed(typed(text).box) == typed(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lea hotel lea", ("lea", "hotel")),
        ('"lea hotel"', ("lea hotel",)),
        ('"since:x" 10:30 fe80::1', ("since:x", "10:30", "fe80::1")),
        ('say "hi"there', ("say", "hi", "there")),
        ("   ", ()),
        ('""', ()),
    ],
)
def test_words_without_qualifier_are_kept_as_words(text, words):
    asked = typed(text)
    assert asked.filters == Filters(words=words)
    assert typed(asked.box) == asked


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("since:x", "“since:” is no filter."),
        ("action:nonsense", "“nonsense” is no action. Choose one from the list."),
        ("action:mailbox", "Did you mean mailbox.created"),
        ("action:deleted", "deletion.executed"),
        ("result:bad", "“bad” is no result. There are done, refused"),
        ("from:yesterday", "“yesterday” is no day. Write it like 2026-01-31."),
        ("to:2026-02-30", "“2026-02-30” is no day."),
        ("to:0001-01-01", "“0001-01-01” is no day."),
        ("actor:ada actor:bob", "“actor:” stands there more than once."),
        ('since:"a b"', "“since:” is no filter."),
        ("since:", "“since:” is no filter."),
    ],
)
def test_what_makes_no_sense_says_so_and_stays_in_the_box(text, sentence):
    asked = typed(f"{text} hotel")
    assert len(asked.problems) == 1
    assert sentence in asked.problems[0]
    assert asked.box == f"{text} hotel"
    assert asked.filters.words == ("hotel",)
    again = Asked.of(dict(parse_qsl(asked.query[1:])))
    assert (again.box, again.problems) == (asked.box, asked.problems)


def test_nonsense_in_a_parameter_moves_into_the_box():
    asked = Asked.of({"from": "x y", "action": "made.up"})
    assert asked.box == 'action:made.up from:"x y"'
    assert len(asked.problems) == 2
    assert asked.filters == Filters()


def test_the_box_wins_over_the_fields_unless_they_were_changed_last():
    given = {"q": "result:failed actor:ada", "result": "done", "actor": "bob"}
    assert Asked.of(given).filters == Filters(actor="ada", result="failed")
    assert Asked.of(given, fields_win=True).filters == Filters(actor="ada", result="done")
    assert Asked.of({"q": "result:", "result": "done"}).filters == Filters(result="done")


@pytest.mark.parametrize("text", ["result:in-progress", 'result:"In progress"'])
def test_results_are_understood_as_the_page_writes_them(text):
    assert typed(text).filters.result == "in-progress"


def test_control_characters_and_endless_texts_are_cut():
    assert typed("actor:a\x00da").filters.actor == "ada"
    assert len(typed("x" * 5000).filters.words[0]) == 1000
