"""A trace in words."""

from __future__ import annotations

import pytest

from routing.telling import tell
from routing.tests.pictures import at, picture, rule
from routing.tracing import MAX_HOPS, MAX_STEPS, trace

pytestmark = pytest.mark.once


def last_of(told):
    while told.steps:
        told = told.steps[-1]
    return told


def test_an_address_that_is_sent_to_itself_is_one_line():
    told = tell(trace(at("lea"), picture(rule("lea", "lea"), mailboxes="lea")).root)
    assert told.words == ["The rule sends it to itself.", "A mailbox of yours gets it."]
    assert not told.steps


def test_a_way_that_was_left_is_not_said_to_bounce():
    chain = [rule(f"a{number}", f"a{number + 1}") for number in range(MAX_HOPS)]
    itself = rule(f"a{MAX_HOPS}", f"a{MAX_HOPS}")
    too_long = tell(trace(at("a0"), picture(*chain, itself, mailboxes=f"a{MAX_HOPS}")).root)
    assert last_of(too_long).words[0].startswith("Too many hops")

    fan = rule("all", *(f"t{number}" for number in range(MAX_STEPS - 1)))
    last = f"t{MAX_STEPS - 2}"
    too_wide = tell(trace(at("all"), picture(fan, rule(last, last), mailboxes=last)).root)
    assert last_of(too_wide).words[-1] == "1 more target is not followed here."
