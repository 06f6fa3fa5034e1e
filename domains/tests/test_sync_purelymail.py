"""The command by which people and the start refresh the copy."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from domains.management.commands import sync_purelymail
from domains.models import Kind
from mailboxes.models import Mailbox
from purelymanage.jobs.locks import only_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(purelymail):
    purelymail.state.add_domain("lindenhof.example")
    purelymail.state.add_user("mara@lindenhof.example")
    return purelymail


def run(*args):
    """What it printed, and its exit code."""
    out = StringIO()
    try:
        call_command("sync_purelymail", *args, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_it_fills_the_copy_and_says_what_came(account):
    words, code = run()
    assert code == 0
    assert "Mailboxes: 1 added, 0 changed, 0 removed" in words
    assert Mailbox.objects.count() == 1


def test_a_failing_part_is_named_and_the_exit_code_tells(account):
    account.fault("listUser", "http_500", times=None)
    words, code = run("--json")
    facts = json.loads(words)
    assert code == 1
    assert facts["domains"] == {"ok": True, "added": 1, "changed": 0, "removed": 0}
    assert facts.keys() == set(Kind)
    assert not facts["mailboxes"]["ok"]
    assert facts["mailboxes"]["error"]


def test_it_waits_for_a_purelymail_that_is_still_starting(account, monkeypatch):
    account.down()
    monkeypatch.setattr(sync_purelymail.time, "sleep", lambda _seconds: account.up())
    words, code = run("--wait", "30", "--json")
    assert code == 0
    assert json.loads(words)["mailboxes"]["ok"]


def test_a_second_refresh_leaves_it_to_the_first(account):
    with only_one("copy.mailboxes", seconds=60):
        words, code = run("--json")
        assert "Mailboxes: left to another refresh" in run()[0]
    assert json.loads(words)["mailboxes"] == {"ok": True, "busy": True}
    assert code == 3
    assert not account.calls["listUser"]
