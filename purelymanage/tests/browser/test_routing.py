"""Chips, warnings, a catch-all made and traced, a rule deleted and kept: on the demo account."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from purelymanage.tests.browser.conftest import look
from purelymanage.tests.browser.test_first_migration import set_up
from purelymanage.tests.panel import Panel

STUDIO = "atelier-nord.example"
HOTEL = "lindenhof.example"


def test_an_admin_makes_traces_and_deletes_rules(page: Page, panel: Panel):
    set_up(page, panel)
    page.goto(f"{panel.url}/routing/")
    expect(page.get_by_text(re.compile("1.12 of 12"))).to_be_visible()
    look(page)
    type_chips(page, panel)
    warned_and_sure(page, panel)
    make_a_catch_all(page, panel)
    trace_it(page, panel)
    delete_and_keep(page, panel)


def chips(page: Page) -> Locator:
    return page.locator(".chips .chip [data-text]")


def type_chips(page: Page, panel: Panel) -> None:
    """Enter, comma and Tab add, Backspace takes back, a paste is taken apart, doubles are not."""
    page.goto(f"{panel.url}/routing/new/")
    entry = page.get_by_label("Goes to")
    entry.press_sequentially("a@x.example")
    entry.press("Enter")
    entry.press_sequentially("b@x.example,A@x.example,")
    entry.press_sequentially("c@x.example")
    entry.press("Tab")
    expect(chips(page)).to_have_text(["a@x.example", "b@x.example", "c@x.example"])
    expect(entry).to_be_focused()
    entry.press("Backspace")
    expect(chips(page)).to_have_count(2)
    entry.evaluate(
        """(input) => {
            const data = new DataTransfer();
            data.setData("text", '"Berg, Anna" <anna@x.example>; bo@x.example\\nnonsense');
            const event = new ClipboardEvent("paste", {clipboardData: data, cancelable: true});
            input.dispatchEvent(event);
        }"""
    )
    expect(chips(page)).to_have_text(
        ["a@x.example", "b@x.example", "anna@x.example", "bo@x.example", "nonsense"]
    )
    expect(page.locator(".chip.bad")).to_have_text("nonsense")
    expect(page.get_by_text("The red ones are not addresses")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Remove nonsense").click()
    expect(page.get_by_text("The red ones are not addresses")).to_be_hidden()
    entry.press_sequentially("kitch")
    expect(page.locator(f"datalist option[value='kitchen@{HOTEL}']")).to_have_count(1)


def warned_and_sure(page: Page, panel: Panel) -> None:
    """The sentence follows what is typed; a warning needs a second yes."""
    page.goto(f"{panel.url}/routing/new/")
    page.get_by_label("Address or beginning").fill("reception")
    page.get_by_label("Domain", exact=True).select_option(HOTEL)
    page.get_by_label("Goes to").fill(f"kitchen@{HOTEL}")
    page.get_by_label("Goes to").press("Enter")
    expect(page.get_by_text(f"The mailbox reception@{HOTEL} stops receiving.")).to_be_visible()
    page.get_by_role("button", name="Create rule").click()
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Create anyway").first.click()
    expect(page.get_by_text(f"reception@{HOTEL} is in force.")).to_be_visible()
    expect(page.get_by_text(re.compile("1.13 of 13"))).to_be_visible()


def make_a_catch_all(page: Page, panel: Panel) -> None:
    """The domain has a rule for any address, which excludes it: that one is changed."""
    page.goto(f"{panel.url}/routing/new/?domain={STUDIO}")
    page.get_by_label("Catch-all").check()
    expect(page.get_by_label("Address or beginning")).to_be_hidden()
    page.get_by_label("Goes to").fill(f"studio@{STUDIO}")
    page.get_by_label("Goes to").press("Enter")
    expect(page.get_by_text("PurelyMail keeps one of")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Open that rule").click()
    expect(page.get_by_role("heading", name=f"Edit *@{STUDIO}")).to_be_visible()
    look(page)
    page.get_by_label("Catch-all").check()
    expect(page.get_by_text("Mailboxes keep their mail.")).to_be_visible()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text(f"*@{STUDIO} is changed.")).to_be_visible()


def trace_it(page: Page, panel: Panel) -> None:
    page.goto(f"{panel.url}/routing/")
    page.get_by_label("Where does this address go?").fill(f"whoever@{STUDIO}")
    page.get_by_role("button", name="Trace").click()
    expect(page.get_by_text(f"studio@{STUDIO} gets it.")).to_be_visible()
    expect(page.get_by_text("so the catch-all takes it")).to_be_visible()
    look(page)
    page.goto(f"{panel.url}/routing/trace/?address=a.b@{STUDIO}")
    expect(page.get_by_text("This answer is not certain.")).to_be_visible()
    look(page)


def delete_and_keep(page: Page, panel: Panel) -> None:
    page.goto(f"{panel.url}/routing/?q=hr@{HOTEL}")
    page.get_by_role("button", name=f"More actions for hr@{HOTEL}").click()
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("The rule *@lindenhof.example takes it")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Delete in 24 hours").click()
    expect(page.get_by_text("Deletion pending").first).to_be_visible()
    page.goto(f"{panel.url}/routing/?q=hr@{HOTEL}")
    look(page)
    page.get_by_role("button", name=f"More actions for hr@{HOTEL}").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="Cancel deletion").click()
    expect(page.get_by_text("is kept")).to_be_visible()
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
