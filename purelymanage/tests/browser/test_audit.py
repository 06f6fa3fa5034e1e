"""The audit log by keyboard: box, fields and address say the same; the chain is checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once


def test_an_admin_searches_the_log_takes_it_along_and_has_it_checked(desk: Page, demo: Panel):
    desk.goto(f"{demo.url}/settings/audit/")
    look_everywhere(desk, "audit")
    search_by_box_and_field(desk)
    say_what_makes_no_sense(desk)
    take_along(desk)
    check(desk)


def search_by_box_and_field(desk: Page) -> None:
    """What is not being edited follows what is, and the caret stays."""
    box = desk.get_by_label("Search the audit log")
    desk.keyboard.press("/")
    desk.keyboard.type("action:owner.created olga")
    expect(desk).to_have_url(re.compile(r"\?action=owner.created&q=olga$"))
    expect(box).to_be_focused()
    expect(box).to_have_value("action:owner.created olga")
    expect(desk.get_by_label("Action", exact=True)).to_have_value("owner.created")
    expect(desk.locator("#results summary")).to_have_count(1)
    desk.get_by_label("How it ended").select_option("failed")
    expect(desk.get_by_text("No entry matches")).to_be_visible()
    expect(box).to_have_value("olga")
    desk.get_by_label("How it ended").select_option("done")
    row = desk.locator("#results summary")
    row.press("Enter")
    look_everywhere(desk, "audit-unfolded")


def say_what_makes_no_sense(desk: Page) -> None:
    box = desk.get_by_label("Search the audit log")
    box.fill("since:x olga")
    expect(desk.get_by_text("“since:” is no filter.")).to_be_visible()
    expect(desk.get_by_role("link", name="Export CSV")).to_have_count(0)
    look_everywhere(desk, "audit-problem")
    box.fill("olga")
    expect(desk.get_by_text("“since:” is no filter.")).to_have_count(0)


def take_along(desk: Page) -> None:
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Export JSON").click()
    entries = json.loads(Path(download.value.path()).read_text())
    assert [entry["action"] for entry in entries] == ["owner.created"]


def check(desk: Page) -> None:
    desk.get_by_role("button", name="Check now").press("Enter")
    expect(desk.get_by_text("Unbroken")).to_be_visible()
    expect(desk.get_by_role("button", name="Check now")).to_be_focused()
    look_everywhere(desk, "audit-checked")
