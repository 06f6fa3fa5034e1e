"""The catalogue of actions."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from audit.actions import LASTING, SUBJECTS, Action, by_subject, tell

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
APPS = ("purelymanage", "accounts", "audit", "domains", "mailboxes", "routing", "migrations_app")


def test_each_action_tells_a_sentence():
    for action in Action:
        sentence = str(action.label)
        assert re.fullmatch(r"[a-z][^.]*[\w}]", sentence), "a sentence without its full stop"
        assert "{" not in sentence.replace("{target}", ""), action
        assert "  " not in sentence, action


def test_each_sentence_reads_with_and_without_a_target():
    for action in Action:
        with_target = tell(action, "info@x.example")
        assert ("info@x.example" in with_target) == ("{target}" in str(action.label)), action
        without = tell(action, "")
        assert without == without.strip()
        assert without[-1].isalnum() or without.endswith("…"), action
        assert with_target.replace("info@x.example", "…") == without


def test_braces_in_a_target_are_only_text_and_unknown_actions_stay_readable():
    assert tell("server.created", "{0} {x.__class__}") == "added the server {0} {x.__class__}"
    assert tell("campaign.baked", "x") == "campaign.baked x"
    assert tell("campaign.baked", "") == "campaign.baked"


def test_each_action_stands_in_the_list_once_under_its_subject():
    listed = Counter(name for _subject, actions in by_subject() for name, _words in actions)
    assert listed == Counter(Action.values)
    assert [subject for subject, _actions in by_subject()] == list(map(str, SUBJECTS))
    choices = dict(by_subject())["Mailboxes"]
    assert ("mailbox.password_reset", "Set a new password for …") in choices


def test_each_action_is_used_somewhere():
    """An action nobody records is a promise that the log does not keep."""
    sources = [
        path.read_text()
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "tests" not in path.parts and path != ROOT / "audit" / "actions.py"
    ]
    used = {name for text in sources for name in re.findall(r"\bAction\.([A-Z_]+)\b", text)}
    assert set(Action.names) - used == set()


def test_what_lasts_is_in_the_catalogue():
    assert set(Action) >= LASTING
