"""Finding mailboxes, making one, and giving it a new password, on the demo account."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look
from purelymanage.tests.browser.test_first_migration import set_up
from purelymanage.tests.panel import Panel


def test_an_admin_finds_and_makes_mailboxes(page: Page, panel: Panel):
    set_up(page, panel)
    page.goto(f"{panel.url}/mailboxes/")
    expect(page.get_by_text(re.compile("^1.40 of 40$"))).to_be_visible()
    look(page)
    filter_and_go_back(page, panel)
    refresh(page)
    password = create(page, panel)
    page.get_by_role("link", name="Open the mailbox").click()
    expect(page.get_by_role("heading", name="lea.new@lindenhof.example")).to_be_visible()
    assert password not in page.content()
    look(page)
    reset_password(page)
    for path in ("domains", "routing", ""):
        page.goto(f"{panel.url}/{path}")
        look(page)


def filter_and_go_back(page: Page, panel: Panel) -> None:
    """The address follows what is typed, the focus stays, and Back undoes it step by step."""
    search = page.get_by_label("Search mailboxes")
    search.press_sequentially("shop", delay=30)
    expect(page).to_have_url(re.compile(r"\?q=shop$"))
    expect(page.get_by_text("11 of 40")).to_be_visible()
    expect(search).to_be_focused()
    domain = page.get_by_label("Domain", exact=True)
    domain.select_option("lindenhof.example")
    expect(page).to_have_url(re.compile(r"\?q=shop&domain=lindenhof\.example$"))
    expect(page.get_by_text("No mailbox matches")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("11 of 40")).to_be_visible()
    expect(search).to_have_value("shop")
    expect(domain).to_have_value("")
    page.go_back()
    expect(search).to_have_value("")
    expect(page.get_by_text(re.compile("^1.40 of 40$"))).to_be_visible()


def refresh(page: Page) -> None:
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("Asking PurelyMail")).to_be_visible()
    expect(page.get_by_text("Synced just now")).to_be_visible()


def create(page: Page, panel: Panel) -> str:
    page.goto(f"{panel.url}/mailboxes/new/")
    page.get_by_label("Local part").fill("Lea.New")
    page.get_by_label("Domain", exact=True).select_option("lindenhof.example")
    expect(page.get_by_text("The address will be lea.new@lindenhof.example")).to_be_visible()
    expect(page.get_by_text("Very strong")).to_be_visible()
    look(page)
    password = page.get_by_label("Password", exact=True).input_value()
    page.get_by_role("button", name="Create mailbox").click()
    expect(page.get_by_text("Shown once")).to_be_visible()
    expect(page.get_by_text(password)).to_be_visible()
    look(page)
    return password


def reset_password(page: Page) -> None:
    page.get_by_role("link", name="Reset password").click()
    page.get_by_role("button", name="Generate").click()
    password = page.get_by_label("New password", exact=True).input_value()
    assert len(password) == 20
    look(page)
    page.get_by_role("button", name="Set new password").click()
    expect(page.get_by_text(password)).to_be_visible()
    expect(page.get_by_text("no way to check")).to_be_visible()
    look(page)
