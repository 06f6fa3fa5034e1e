"""Deletions that are scheduled, cancelled, and left to happen; and a rule made again."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import ROOT, Panel

pytestmark = pytest.mark.once

SHOP = "lindenhof-shop.example"
RULE = f"orders@{SHOP}"
MAILBOX = "b.castellano@lindenhof.example"
OVER = """
from datetime import timedelta
from purelymanage.deletions.models import PendingDeletion
for deletion in PendingDeletion.objects.pending():
    deletion.due_at -= timedelta(hours=24, seconds=1)
    deletion.save()
"""


def test_a_deletion_is_cancelled_in_time_another_happens_and_its_rule_comes_back(
    desk: Page, demo: Panel
):
    schedule(desk, demo, f"/mailboxes/?q={MAILBOX}", MAILBOX)
    schedule(desk, demo, f"/routing/?q={RULE}", RULE)
    desk.goto(f"{demo.url}/deletions/")
    expect(row(desk, MAILBOX)).to_contain_text(re.compile(r"23.h 59.min"))
    expect(desk.get_by_role("link", name="Deletions 2")).to_be_visible()
    look_everywhere(desk, "deletions-pending")
    cancel(desk)
    schedule(desk, demo, f"/mailboxes/?q={MAILBOX}", MAILBOX)
    look_at_the_question(desk, demo)
    targets = rule_at(demo)["targets"]
    let_a_day_pass(demo)
    history(desk, demo)
    assert MAILBOX not in demo.purelymail()["users"]
    assert rule_at(demo) is None
    recreate_the_rule(desk)
    assert rule_at(demo)["targets"] == targets
    recreate_the_mailbox(desk, demo)
    assert MAILBOX in demo.purelymail()["users"]


def schedule(desk: Page, demo: Panel, where: str, label: str) -> None:
    desk.goto(demo.url + where)
    desk.get_by_role("button", name=f"More actions for {label}").click()
    desk.get_by_role("link", name="Delete…").click()
    desk.get_by_role("button", name="Delete in 24 hours").click()
    expect(desk.get_by_text(f"{label} will be deleted on")).to_be_visible()


def cancel(desk: Page) -> None:
    """One in its row; what is ticked, from the bar."""
    row(desk, RULE).get_by_role("button", name="Cancel deletion of").and_(
        desk.locator(".desk-only")
    ).click()
    expect(desk.get_by_text(f"{RULE} is kept.")).to_be_visible()
    desk.get_by_label(f"Select {MAILBOX}").check()
    desk.get_by_role("button", name="Cancel selected").click()
    expect(desk.get_by_text("1 deletion is cancelled.")).to_be_visible()
    expect(desk.get_by_text("Nothing is waiting to be deleted")).to_be_visible()
    look_everywhere(desk, "deletions-none")


def look_at_the_question(desk: Page, demo: Panel) -> None:
    """The dossier, while it waits; then the rule goes as well."""
    desk.goto(f"{demo.url}/deletions/")
    desk.get_by_role("link", name=f"Dossier of {MAILBOX}").click()
    expect(desk.get_by_role("heading", name="What happens")).to_be_visible()
    look_everywhere(desk, "deletion-dossier")
    schedule(desk, demo, f"/routing/?q={RULE}", RULE)


def let_a_day_pass(demo: Panel) -> None:
    """The panel's own command executes, or its worker does, who may be first."""
    manage(demo, "shell", "-c", OVER)
    manage(demo, "run_due_deletions", "--json")
    demo.owner.wait_for("/deletions/", "Nothing is waiting to be deleted", seconds=90)


def history(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/deletions/")
    desk.get_by_role("link", name="History").click()
    expect(desk.locator("[data-rows] tr")).to_have_count(4)
    expect(desk.get_by_text("Deleted", exact=True)).to_have_count(3)  # with that of the filter
    look_everywhere(desk, "deletions-history")
    desk.get_by_label("How it ended").select_option(label="Deleted")
    expect(desk).to_have_url(re.compile("tab=history&state=executed"))
    expect(desk.get_by_text("2 of 4")).to_be_visible()


def recreate_the_rule(desk: Page) -> None:
    row(desk, RULE).get_by_role("link", name=RULE).click()
    look_everywhere(desk, "deletion-executed")
    desk.get_by_role("link", name="Recreate from dossier").click()
    expect(desk.get_by_text("Filled in from the dossier.")).to_be_visible()
    expect(desk.locator("#preview")).to_contain_text(RULE)
    look_everywhere(desk, "deletion-recreate-rule")
    desk.get_by_role("button", name="Create rule").click()
    expect(desk.get_by_text(f"{RULE} is in force.")).to_be_visible()


def recreate_the_mailbox(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/deletions/?tab=history&state=executed")
    row(desk, MAILBOX).get_by_role("link", name=MAILBOX).click()
    desk.get_by_role("link", name="Recreate from dossier").click()
    expect(desk.get_by_text(f"{MAILBOX} is made again.")).to_be_visible()
    look_everywhere(desk, "deletion-recreate-mailbox")
    desk.get_by_role("button", name="Create mailbox").click()
    expect(desk.get_by_text("Set, and read back from PurelyMail")).to_be_visible()
    look_everywhere(desk, "deletion-recreated-mailbox")


def row(desk: Page, label: str):
    return desk.locator("[data-rows] tr").filter(has_text=label)


def rule_at(demo: Panel) -> dict | None:
    rules = [rule for rule in demo.purelymail()["rules"].values() if rule["match_user"] == "orders"]
    return next((rule for rule in rules if rule["domain"] == SHOP), None)


def manage(demo: Panel, *arguments: str) -> None:
    """A command of the server's operator."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
