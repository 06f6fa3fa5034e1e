"""Finding mailboxes, making one, and giving it a new password, on the demo account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

ADDRESS = "lea.new@lindenhof.example"


def test_an_admin_finds_and_makes_mailboxes(desk: Page, demo: Panel):
    desk.goto(f"{demo.url}/mailboxes/")
    expect(desk.get_by_text(re.compile("^1.40 of 40$"))).to_be_visible()
    look_everywhere(desk, "mailbox-list")
    filter_and_go_back(desk, demo)
    tick_a_range(desk)
    refresh(desk)
    first = create(desk, demo)
    assert demo.verifies(ADDRESS, first)
    desk.get_by_role("link", name="Open the mailbox").click()
    expect(desk.get_by_role("heading", name=ADDRESS)).to_be_visible()
    assert first not in desk.content()
    look_everywhere(desk, "mailbox-detail")
    second = reset_password(desk)
    assert demo.verifies(ADDRESS, second)
    assert not demo.verifies(ADDRESS, first)
    desk.goto(demo.url)
    look_everywhere(desk, "dashboard")


def filter_and_go_back(desk: Page, demo: Panel) -> None:
    """The address follows what is typed, the focus stays, and Back undoes it step by step."""
    search = desk.get_by_label("Search mailboxes")
    search.press_sequentially("shop")
    expect(desk).to_have_url(re.compile(r"\?q=shop$"))
    expect(desk.get_by_text("11 of 40")).to_be_visible()
    expect(search).to_be_focused()
    domain = desk.get_by_label("Domain", exact=True)
    domain.select_option("lindenhof.example")
    expect(desk).to_have_url(re.compile(r"\?q=shop&domain=lindenhof\.example$"))
    expect(desk.get_by_text("No mailbox matches")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_text("11 of 40")).to_be_visible()
    expect(search).to_have_value("shop")
    expect(domain).to_have_value("")
    desk.go_back()
    expect(search).to_have_value("")
    expect(desk.get_by_text(re.compile("^1.40 of 40$"))).to_be_visible()


def tick_a_range(desk: Page) -> None:
    """Shift takes the rows between along, both ways."""
    boxes = desk.locator("tbody [data-pick]")
    boxes.nth(2).check()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(desk.get_by_text("5 selected")).to_be_visible()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(desk.get_by_text("2 selected")).to_be_visible()
    desk.get_by_role("button", name="Clear selection").click()


def refresh(desk: Page) -> None:
    desk.get_by_role("button", name="Refresh").click()
    expect(desk.get_by_text("Asking PurelyMail")).to_be_visible()
    expect(desk.get_by_text("Synced just now")).to_be_visible()


def create(desk: Page, demo: Panel) -> str:
    desk.goto(f"{demo.url}/mailboxes/new/")
    desk.get_by_label("Local part").fill("Lea.New")
    desk.get_by_label("Domain", exact=True).select_option("lindenhof.example")
    expect(desk.get_by_text(f"The address will be {ADDRESS}")).to_be_visible()
    expect(desk.get_by_text("Very strong")).to_be_visible()
    look_everywhere(desk, "mailbox-new")
    password = desk.get_by_label("Password", exact=True).input_value()
    desk.get_by_role("button", name="Create mailbox").click()
    expect(desk.get_by_text("Shown once")).to_be_visible()
    expect(desk.get_by_text(password)).to_be_visible()
    look_everywhere(desk, "mailbox-created")
    return password


def reset_password(desk: Page) -> str:
    desk.get_by_role("link", name="Reset password").click()
    desk.get_by_role("button", name="Generate").click()
    password = desk.get_by_label("New password", exact=True).input_value()
    assert len(password) == 20
    look_everywhere(desk, "password-new")
    desk.get_by_role("button", name="Set new password").click()
    expect(desk.get_by_text(password)).to_be_visible()
    expect(desk.get_by_text("no way to check")).to_be_visible()
    look_everywhere(desk, "password-set")
    return password
