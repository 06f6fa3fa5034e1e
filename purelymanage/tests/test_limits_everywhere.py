"""Whatever is sent to the panel has a limit, or says here why it needs none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from allauth.core.internal import ratelimit

from purelymanage.core.rates import RATES
from purelymanage.tests.audited import walk

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]

UNLIMITED = {
    "account_logout": "Leaving must always work; it ends one row.",
    "accounts:invitation_revoke": "Taking an invitation back must always work.",
    "accounts:person_remove": "Removing somebody must always work.",
    "accounts:person_sessions_end": "Ending somebody's sessions must always work.",
    "accounts:session_end": "Ending a session must always work.",
    "accounts:sessions_end": "Ending sessions must always work.",
    "deletions:cancel": "Stopping a deletion must always work.",
    "deletions:cancel_selected": "Stopping deletions must always work.",
    "deletions:freeze": "Stopping somebody must always work.",
    "mailboxes:batches:cancel": "Stopping a batch must always work.",
    "migrations:cancel": "Stopping a migration must always work.",
}
COSTLY_TO_READ = {
    "mailboxes:export",
    "mailboxes:batches:report",
    "migrations:batch_lines",
    "migrations:report_csv",
    "migrations:report_json",
    "migrations:batch_report_csv",
    "migrations:batch_report_json",
    "migrations:batch_passwords_csv",
    "migrations:batch_passwords_text",
    "migrations:losses_csv",
    "migrations:batch_losses_csv",
    "audit:csv",
    "audit:json",
}
ELSEWHERE = {"login_failed", "failures_on_record"}
"""Counted by allauth's forms, and for the audit log."""

VIEWS = {name: item.callback for name, _route, item in walk.addresses()}
SENT_TO = sorted(
    name
    for name, view in VIEWS.items()
    if not name.startswith("admin") and walk.methods(view) & walk.UNSAFE
)


def test_the_walk_finds_the_site():
    assert {"account_login", "mailboxes:add", "domains:recheck"} <= set(SENT_TO)
    assert VIEWS.keys() >= COSTLY_TO_READ


def test_whatever_takes_a_post_has_a_limit_or_a_reason():
    limited = {name: getattr(VIEWS[name], "rate_limit", "") for name in SENT_TO}
    wrong = [name for name, rate in limited.items() if bool(rate) is (name in UNLIMITED)]
    assert not wrong, (
        f"{wrong}: wear @rate_limited with one of the rates of purelymanage/core/rates.py, or say"
        " in UNLIMITED why it needs none."
    )
    assert set(limited.values()) <= {"", *RATES}


@pytest.mark.parametrize("name", sorted(COSTLY_TO_READ))
def test_what_costs_much_to_read_has_a_limit_too(name):
    assert VIEWS[name].rate_limit == "export"


def test_every_reason_is_a_sentence_about_something_that_is_there():
    assert set(UNLIMITED) <= set(SENT_TO)
    assert all(why.endswith(".") for why in UNLIMITED.values())


def test_every_rate_is_used_and_reads_as_one():
    used = {getattr(view, "rate_limit", "") for view in VIEWS.values()}
    assert set(RATES) - used == ELSEWHERE
    for rates in RATES.values():
        for rate in ratelimit.parse_rates(rates):
            assert rate.per in ("ip", "user", "key")
            assert rate.amount > 0
            assert rate.duration >= 60


def test_limits_are_written_down_in_one_place():
    """No view has numbers of its own."""
    for path in ROOT.glob("*/**/*.py"):
        if ".venv" in path.parts or "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "rate_limited":
                assert len(node.args) == 1, path
