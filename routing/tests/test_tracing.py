"""Where mail goes: every step and why, without a database."""

from __future__ import annotations

import pytest

from routing.tests.pictures import at, picture, rule
from routing.tracing import MAX_HOPS, MAX_STEPS, Ending, trace

pytestmark = pytest.mark.once


def ends(way):
    return way.mailboxes, way.outside, way.nobody


def test_a_mailbox_without_rules_gets_its_mail():
    way = trace(at("lea"), picture(mailboxes="lea"))
    assert way.root.ending == Ending.MAILBOX
    assert ends(way) == ([at("lea")], [], [])


def test_an_address_nobody_has_bounces():
    assert trace(at("nobody"), picture(mailboxes="lea")).nobody == [at("nobody")]


def test_a_domain_that_is_not_ours_is_outside():
    assert trace("lea@else.example", picture()).outside == ["lea@else.example"]


def test_a_mailbox_on_a_shared_domain_is_known():
    world = picture(mailboxes="lea@purelymail.com")
    assert trace("lea@purelymail.com", world).mailboxes == ["lea@purelymail.com"]
    assert trace("other@purelymail.com", world).outside == ["other@purelymail.com"]


def test_exact_beats_prefix_beats_a_shorter_one_beats_any():
    rules = [
        rule(source, f"to@{n}.example") for n, source in enumerate(["*", "s*", "sal*", "sales"])
    ]
    world = picture(*rules)
    for name, winner in {"sales": 3, "salt": 2, "sun": 1, "x": 0}.items():
        assert trace(at(name), world).outside == [f"to@{winner}.example"], name
    step = trace(at("sales"), world).root
    assert step.rule == rules[3]
    assert list(step.beaten) == [rules[2], rules[1], rules[0]]


def test_a_rule_takes_mail_away_from_a_mailbox_and_a_catch_all_does_not():
    takes = picture(rule("lea", "max"), mailboxes="lea max")
    assert trace(at("lea"), takes).mailboxes == [at("max")]
    catch_all = picture(rule("*", "max", is_catchall=True), mailboxes="lea max")
    assert trace(at("lea"), catch_all).mailboxes == [at("lea")]
    assert trace(at("unknown"), catch_all).mailboxes == [at("max")]


def test_chains_go_through_several_domains():
    world = picture(
        rule("info", "desk@other.example"),
        rule("desk@other.example", "lea", "boss@far.example"),
        mailboxes="lea",
        own=("ours.example", "other.example"),
    )
    way = trace(at("info"), world)
    assert ends(way) == ([at("lea")], ["boss@far.example"], [])
    assert [step.address for step in way.root] == [
        at("info"),
        "desk@other.example",
        at("lea"),
        "boss@far.example",
    ]


def test_a_mailbox_among_its_own_targets_keeps_its_mail():
    way = trace(at("lea"), picture(rule("lea", "lea", "max"), mailboxes="lea max"))
    assert way.mailboxes == [at("lea"), at("max")]
    assert not way.loops


def test_any_address_to_two_mailboxes_is_no_loop():
    way = trace(at("info"), picture(rule("*", "lea", "max"), mailboxes="lea max"))
    assert way.mailboxes == [at("lea"), at("max")]
    assert not way.loops


def test_a_loop_is_found_and_named():
    way = trace(at("a"), picture(rule("a", "b"), rule("b", "c"), rule("c", "a")))
    assert way.loops == ((at("a"), at("b"), at("c")),)
    assert way.root.steps[0].steps[0].steps[0].ending == Ending.LOOP
    assert ends(way) == ([], [], [])


def test_a_loop_further_down_leaves_the_rest_whole():
    way = trace(
        at("x"), picture(rule("x", "a", "lea"), rule("a", "b"), rule("b", "a"), mailboxes="lea")
    )
    assert way.loops == ((at("a"), at("b")),)
    assert way.mailboxes == [at("lea")]


def test_an_address_reached_twice_is_followed_once():
    world = picture(rule("all", "a", "b"), rule("a", "lea"), rule("b", "a"), mailboxes="lea")
    way = trace(at("all"), world)
    assert way.mailboxes == [at("lea")]
    assert way.root.steps[1].steps[0].ending == Ending.AGAIN


def test_a_rule_without_targets_sends_to_nobody():
    way = trace(at("void"), picture(rule("void"), mailboxes="void"))
    assert way.nobody == [at("void")]
    assert way.root.rule == rule("void")


def test_symbolic_subaddressing_mutes_rules_and_makes_addresses_uncertain():
    world = picture(rule("a.b", "x"), rule("*", "y"), mailboxes="x y", symbolic=True)
    way = trace(at("a.b"), world)
    assert way.is_simplified
    assert way.mailboxes == [at("y")]
    assert way.root.mute == (rule("a.b", "x"),)
    off = trace(at("a.b"), picture(rule("a.b", "x"), mailboxes="x"))
    assert off.mailboxes == [at("x")]
    assert not off.is_simplified


def test_an_endless_chain_is_left_after_some_hops():
    chain = [rule(f"a{number}", f"a{number + 1}") for number in range(2000)]
    way = trace(at("a0"), picture(*chain))
    assert way.is_cut
    assert sum(1 for _step in way.root) == MAX_HOPS + 1


@pytest.mark.parametrize("width", [200, 2000])
def test_a_wide_fan_is_bounded(width):
    fan = rule("all", *(f"t{number}" for number in range(width)))
    way = trace(at("all"), picture(fan))
    assert sum(1 for _step in way.root) <= MAX_STEPS + 1
    assert way.root.hidden == max(0, width - MAX_STEPS + 1)


def test_a_dense_web_of_rules_ends_soon():
    names = [f"n{number}" for number in range(200)]
    web = picture(*(rule(name, *names) for name in names), mailboxes=" ".join(names))
    way = trace(at("n0"), web)
    assert sum(1 for _step in way.root) <= MAX_STEPS * 2
    assert at("n0") in way.mailboxes
