"""A rule by keyboard alone; a catch-all that is made, traced, changed, nearly deleted and kept."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

HOTEL = "lindenhof.example"
STUDIO = "atelier-nord.example"
GARDEN = "gartenhaus.example"
TYPO, MEANT = f"kitchen@{GARDEN}", f"kitchen@{HOTEL}"
DEAD = f"{TYPO} has neither a mailbox nor a rule: mail sent there bounces."
PASTED = '"Berg, Anna" <anna@x.example>; bo@x.example\nnonsense'


def test_an_admin_makes_a_rule_by_keyboard_alone(desk: Page, demo: Panel):
    """Enter, comma and Tab add, Backspace takes back, a paste is taken apart, doubles are not."""
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto(f"{demo.url}/routing/")
    desk.keyboard.press("n")
    expect(desk.get_by_role("heading", name="New rule")).to_be_visible()
    desk.get_by_label("One address").focus()
    keys(desk, "Tab", "=concierge", "Tab", "=lindenhof.", "Tab")
    entry = desk.get_by_label("Goes to")
    expect(entry).to_be_focused()
    keys(desk, "=a@x.example", "Enter", "=b@x.example,A@x.example,", "=c@x.example", "Tab")
    expect(chips(desk)).to_have_text(["a@x.example", "b@x.example", "c@x.example"])
    expect(entry).to_be_focused()
    keys(desk, "Backspace")
    expect(chips(desk)).to_have_text(["a@x.example", "b@x.example"])
    desk.evaluate("text => navigator.clipboard.writeText(text)", PASTED)
    keys(desk, "Control+V")
    good = ["a@x.example", "b@x.example", "anna@x.example", "bo@x.example"]
    expect(chips(desk)).to_have_text([*good, "nonsense"])
    expect(desk.locator(".chip.bad")).to_have_text("nonsense")
    expect(desk.get_by_text("The red ones are not addresses")).to_be_visible()
    look_everywhere(desk, "rule-chips")
    keys(desk, "Shift+Tab")
    expect(desk.get_by_role("button", name="Remove nonsense")).to_be_focused()
    keys(desk, "Enter")
    expect(chips(desk)).to_have_text(good)
    expect(entry).to_be_focused()
    keys(desk, "Tab", "Enter")
    expect(desk.get_by_text(f"concierge@{HOTEL} is in force.")).to_be_visible()
    assert rules_at(demo, HOTEL)["concierge"]["targets"] == good


def test_an_admin_makes_traces_changes_and_keeps_a_catch_all(desk: Page, demo: Panel):
    one_of_a_kind(desk, demo)
    add_the_garden(demo)
    warned_and_sure(desk, demo)
    trace(desk, demo, "Nobody gets it.")
    expect(desk.get_by_text("sends it to itself, and no mailbox has")).to_be_visible()
    look_everywhere(desk, "trace-dead")
    change_the_target(desk, demo)
    trace(desk, demo, f"{MEANT} gets it.")
    look_everywhere(desk, "trace")
    delete_and_keep(desk, demo)


def one_of_a_kind(desk: Page, demo: Panel) -> None:
    """A domain with a rule for any address has no room for a catch-all."""
    desk.goto(f"{demo.url}/routing/new/?domain={STUDIO}")
    desk.get_by_label("Catch-all").check()
    desk.get_by_label("Goes to").fill(f"studio@{STUDIO}")
    desk.get_by_label("Goes to").press("Enter")
    expect(desk.get_by_text("PurelyMail keeps one of")).to_be_visible()
    look_everywhere(desk, "rule-refused")
    desk.get_by_role("link", name="Open that rule").click()
    expect(desk.get_by_role("heading", name=f"Edit *@{STUDIO}")).to_be_visible()


def add_the_garden(demo: Panel) -> None:
    """A domain without rules or mailboxes."""
    publish = {"domain": GARDEN, "what": "ownership"}
    demo.owner.post("/demo/publish/", form="/domains/new/", **publish)
    demo.owner.post("/domains/new/", name=GARDEN)
    assert GARDEN in demo.purelymail()["domains"]


def warned_and_sure(desk: Page, demo: Panel) -> None:
    """The warning stands there before anything is saved, and needs a second yes."""
    desk.goto(f"{demo.url}/routing/new/?domain={GARDEN}")
    desk.get_by_label("Catch-all").check()
    expect(desk.get_by_label("Address or beginning")).to_be_hidden()
    desk.get_by_label("Goes to").fill(TYPO)
    desk.get_by_label("Goes to").press("Enter")
    expect(desk.get_by_text(DEAD)).to_be_visible()
    desk.get_by_role("button", name="Create rule").click()
    expect(desk.get_by_text("Nothing is saved yet.")).to_be_visible()
    look_everywhere(desk, "rule-warned")
    assert not rules_at(demo, GARDEN)
    desk.get_by_role("button", name="Create anyway").click()
    expect(desk.get_by_text(f"*@{GARDEN} is in force.")).to_be_visible()
    made = rules_at(demo, GARDEN)[""]
    assert (made["is_prefix"], made["is_catchall"], made["targets"]) == (True, True, [TYPO])


def trace(desk: Page, demo: Panel, verdict: str) -> None:
    desk.goto(f"{demo.url}/routing/")
    desk.get_by_label("Where does this address go?").fill(f"whoever@{GARDEN}")
    desk.get_by_role("button", name="Trace").click()
    expect(desk.get_by_text(verdict).first).to_be_visible()


def change_the_target(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/routing/?domain={GARDEN}")
    choose(desk, "Edit")
    desk.get_by_role("button", name=f"Remove {TYPO}").click()
    desk.get_by_label("Goes to").press_sequentially("kitch")
    expect(desk.locator(f"datalist option[value='{MEANT}']")).to_have_count(1)
    desk.get_by_label("Goes to").fill(MEANT)
    desk.get_by_label("Goes to").press("Enter")
    expect(desk.get_by_text(DEAD)).to_be_hidden()
    look_everywhere(desk, "rule-edit")
    desk.get_by_role("button", name="Save changes").click()
    expect(desk.get_by_text(f"*@{GARDEN} is changed.")).to_be_visible()
    assert [rule["targets"] for rule in rules_at(demo, GARDEN).values()] == [[MEANT]]


def delete_and_keep(desk: Page, demo: Panel) -> None:
    """A deletion waits a day, and the rule is at PurelyMail as before, whatever is decided."""
    before = rules_at(demo, GARDEN)
    desk.goto(f"{demo.url}/routing/?domain={GARDEN}")
    choose(desk, "Delete…")
    question = desk.get_by_role("dialog")
    expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    look_everywhere(desk, "rule-deletion-question")
    question.get_by_role("button", name="Delete in 24 hours").click()
    expect(desk.get_by_text("Deletion pending").first).to_be_visible()
    assert rules_at(demo, GARDEN) == before
    desk.goto(f"{demo.url}/routing/?domain={GARDEN}")
    look_everywhere(desk, "rule-deletion-pending")
    choose(desk, "Edit")
    expect(desk.get_by_role("button", name="Save changes")).to_have_count(0)
    look_everywhere(desk, "rule-pending")
    desk.get_by_role("button", name="Cancel deletion").click()
    expect(desk.get_by_text("is kept")).to_be_visible()
    expect(desk.get_by_role("button", name="Save changes")).to_be_visible()
    assert rules_at(demo, GARDEN) == before


def choose(desk: Page, action: str) -> None:
    """From the menu of the garden's one rule."""
    desk.get_by_role("button", name=f"More actions for *@{GARDEN}").click()
    desk.get_by_role("link", name=action, exact=True).click()


def chips(page: Page) -> Locator:
    return page.locator(".chips .chip [data-text]")


def keys(page: Page, *pressed: str) -> None:
    """Press these one after the other; what begins with = is typed."""
    for key in pressed:
        if key.startswith("="):
            page.keyboard.type(key[1:])
        else:
            page.keyboard.press(key)


def rules_at(demo: Panel, domain: str) -> dict[str, Any]:
    """What PurelyMail has for a domain, by what is matched."""
    rules = demo.purelymail()["rules"].values()
    return {rule["match_user"]: rule for rule in rules if rule["domain"] == domain}
