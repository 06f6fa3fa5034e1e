"""What is said before a rule is saved, without a database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.lint import lint
from routing.tests.pictures import at, picture, rule

pytestmark = pytest.mark.once


def codes(report):
    return [finding.code for finding in report.findings]


def said(report, code):
    (finding,) = [finding for finding in report.findings if finding.code == code]
    return finding.text


def test_a_harmless_rule_is_told_in_one_sentence():
    report = lint(rule("sales", "lea", "max"), picture(mailboxes="lea max"))
    assert (
        report.sentence
        == "Mail to sales@ours.example goes to lea@ours.example and max@ours.example."
    )
    assert not report.findings
    assert report.seal == ""


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (rule("sales*", "x@y.example"), "every address of ours.example that begins with “sales”"),
        (rule("*", "x@y.example"), "every address of ours.example goes to x@y.example, also where"),
        (rule("*", "x@y.example", is_catchall=True), "Mailboxes keep their mail."),
        (rule("lea", "x@y.example"), "The mailbox lea@ours.example stops receiving."),
        (rule("lea", "lea", "x@y.example"), "The mailbox lea@ours.example keeps receiving."),
    ],
)
def test_each_kind_has_its_sentence(draft, words):
    assert words in lint(draft, picture(mailboxes="lea")).sentence


def test_an_exact_rule_takes_mail_away_from_its_mailbox_unless_it_delivers_there():
    world = picture(mailboxes="lea max")
    assert said(lint(rule("lea", "max"), world), "takes") == (
        "This rule takes the mail of lea@ours.example away from its mailbox."
    )
    assert codes(lint(rule("lea", "lea", "max"), world)) == []


def test_a_prefix_names_and_counts_the_mailboxes_it_takes_mail_from():
    world = picture(
        rule("sales7", "x@y.example"), mailboxes=" ".join(f"sales{n}" for n in range(9))
    )
    text = said(lint(rule("sales*", "x@y.example"), world), "takes")
    assert "8 mailboxes" in text, "one has a rule of its own"
    assert "sales0@ours.example" in text
    assert "3 more" in text


def test_any_address_takes_from_all_mailboxes_and_a_catch_all_from_none():
    world = picture(mailboxes="lea max boss")
    assert "2 mailboxes" in said(lint(rule("*", "boss"), world), "takes")
    assert codes(lint(rule("*", "boss", is_catchall=True), world)) == []


def test_the_same_rule_again_is_refused_with_a_link():
    world = picture(rule("sales", "a@x.example", "b@x.example", pk=7))
    report = lint(rule("sales", "b@x.example", "a@x.example"), world)
    assert [f.code for f in report.refusals] == ["same"]
    assert report.refusals[0].rule_pk == 7
    assert not report.warnings


def test_another_rule_for_the_same_address_is_refused():
    world = picture(rule("sales", "a@x.example", pk=7))
    assert codes(lint(rule("sales", "b@x.example"), world)) == ["taken"]
    assert codes(lint(rule("sales*", "b@x.example"), world)) == ["shadowed"]


def test_any_address_and_catch_all_exclude_each_other():
    world = picture(rule("*", "a@x.example", is_catchall=True, pk=7))
    report = lint(rule("*", "b@x.example"), world)
    assert "has a rule for “Catch-all” already" in said(report, "excluded")
    assert codes(lint(rule("*@other.example", "b@x.example"), world)) == []


def test_nearer_and_wider_rules_are_named():
    world = picture(rule("sal*", "a@x.example"), rule("sales-eu", "a@x.example"))
    report = lint(rule("sales*", "b@x.example"), world)
    assert "sales-eu@ours.example" in said(report, "shadowed")
    assert "nearer than sal*@ours.example" in said(report, "shadows")
    exact = lint(rule("salt", "b@x.example"), world)
    assert "nearer than sal*@ours.example" in said(exact, "shadows")


def test_fallbacks_are_only_noted():
    world = picture(rule("*", "a@x.example", is_catchall=True))
    report = lint(rule("sales", "b@x.example"), world)
    assert [f.code for f in report.notes] == ["fallback"]
    assert not report.warnings
    behind = lint(rule("*", "b@x.example"), picture(rule("sales", "a@x.example")))
    assert [f.code for f in behind.notes] == ["behind"]
    assert not behind.warnings


@pytest.mark.parametrize(
    ("draft", "others"),
    [
        (rule("a", "b"), [rule("b", "a")]),
        (rule("a", "b"), [rule("b", "c"), rule("c", "a")]),
        (rule("a*", "b"), [rule("b", "a7")]),
        (rule("*", "b@other.example"), [rule("b@other.example", "anything")]),
    ],
)
def test_loops_through_other_rules_are_found(draft, others):
    world = picture(*others, own=("ours.example", "other.example"))
    assert "makes a loop" in said(lint(draft, world), "loop")


def test_a_loop_of_other_rules_is_not_blamed_on_this_one():
    world = picture(rule("b", "c"), rule("c", "b"))
    assert "loop" not in codes(lint(rule("a", "b"), world))


def test_two_mailboxes_behind_any_address_are_no_loop():
    world = picture(mailboxes="lea max")
    assert "loop" not in codes(lint(rule("*", "lea", "max"), world))


@pytest.mark.parametrize("match", ["a.b", "a+b", "a-b", "a_b", "sales-*"])
def test_symbols_never_match_while_subaddressing_is_on(match):
    draft = rule(match, "x@y.example")
    assert codes(lint(draft, picture(symbolic=True))) == ["never"]
    assert codes(lint(draft, picture(symbolic=False))) == []


def test_a_rule_that_never_matches_is_not_said_to_stop_a_mailbox():
    draft = rule("lea.f", "far@else.example")
    report = lint(draft, picture(mailboxes="lea.f", symbolic=True))
    assert "stops receiving" not in report.sentence
    assert "stops receiving" in lint(draft, picture(mailboxes="lea.f")).sentence


def test_dead_targets_bounce():
    report = lint(rule("sales", "gone", "lea", "far@else.example"), picture(mailboxes="lea"))
    assert said(report, "dead") == (
        "gone@ours.example has neither a mailbox nor a rule: mail sent there bounces."
    )


def test_a_dead_end_behind_a_target_is_found():
    world = picture(rule("desk", "gone"))
    assert "gone@ours.example" in said(lint(rule("sales", "desk"), world), "dead")


def test_with_a_truncated_list_nobody_is_called_dead_for_sure():
    report = lint(rule("sales", "gone"), picture(is_truncated=True))
    assert "1,000 at most" in said(report, "dead")


def test_targets_about_to_be_deleted_are_named():
    due = {at("lea"): datetime(2026, 11, 21, 9, 30, tzinfo=UTC)}
    report = lint(rule("sales", "lea"), picture(mailboxes="lea", due=due))
    assert "The deletion of lea@ours.example is pending" in said(report, "due")


def test_an_edit_is_judged_without_the_rule_it_replaces():
    world = picture(rule("sales", "a@x.example", pk=7))
    assert codes(lint(rule("sales", "b@x.example", pk=7), world)) == []


def test_a_yes_is_to_the_warnings_that_were_read():
    first = lint(rule("lea", "max"), picture(mailboxes="lea max"))
    second = lint(rule("lea", "gone"), picture(mailboxes="lea max"))
    assert first.seal != second.seal
    assert first.seal == lint(rule("lea", "max"), picture(mailboxes="lea max")).seal


def test_two_hundred_targets_and_five_thousand_mailboxes_are_judged_at_once():
    names = [f"m{number}" for number in range(5000)]
    world = picture(
        *(rule(f"r{number}", f"m{number}") for number in range(2000)), mailboxes=" ".join(names)
    )
    report = lint(rule("m*", *names[:200]), world)
    assert "4,800" in said(report, "takes") or "4800" in said(report, "takes")
