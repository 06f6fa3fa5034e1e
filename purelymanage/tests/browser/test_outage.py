"""PurelyMail goes down while an admin works, and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

HOTEL = "lindenhof.example"
DOWN = re.compile(r"PurelyMail has not answered since \d")


@pytest.fixture
def outage(demo: Panel) -> Iterator[None]:
    demo.purelymail_is_down()
    yield
    demo.purelymail_is_back()


@pytest.mark.usefixtures("outage")
def test_an_admin_works_through_an_outage(desk: Page, demo: Panel):
    before = demo.purelymail()
    lists_still_work(desk, demo)
    what_was_typed_stays(desk, demo)
    assert demo.purelymail() == before
    demo.purelymail_is_back()
    try_again(desk, demo)
    the_banner_goes(desk, demo)


def lists_still_work(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/")
    expect(desk.get_by_text(DOWN)).to_be_hidden()
    refresh(desk)
    expect(desk.get_by_text(DOWN)).to_be_visible(timeout=30_000)
    expect(desk.get_by_role("row")).to_have_count(41)
    look_everywhere(desk, "outage-list")
    desk.get_by_label("Search mailboxes").fill("kitchen")
    expect(desk.get_by_text("1 of 40")).to_be_visible()
    desk.goto(f"{demo.url}/mailboxes/?q=kitchen")
    expect(desk.get_by_text(DOWN)).to_be_visible()


def what_was_typed_stays(desk: Page, demo: Panel) -> None:
    """A rule, and with it every target, waits in the form until PurelyMail is back."""
    desk.goto(f"{demo.url}/routing/new/?domain={HOTEL}")
    desk.get_by_label("Address or beginning").fill("concierge")
    entry = desk.get_by_label("Goes to")
    entry.press_sequentially(f"desk@{HOTEL},someone@elsewhere.example")
    desk.get_by_role("button", name="Create rule").click()
    expect(desk.get_by_role("alert").first).to_be_visible(timeout=30_000)
    expect(desk.get_by_label("Address or beginning")).to_have_value("concierge")
    expect(desk.get_by_label("Domain", exact=True)).to_have_value(HOTEL)
    expect(desk.locator(".chips .chip [data-text]")).to_have_text(
        [f"desk@{HOTEL}", "someone@elsewhere.example"]
    )
    look_everywhere(desk, "outage-form")


def try_again(desk: Page, demo: Panel) -> None:
    desk.get_by_role("button", name="Create rule").click()
    expect(desk.get_by_text(f"concierge@{HOTEL} is in force.")).to_be_visible()
    made = [
        rule for rule in demo.purelymail()["rules"].values() if rule["match_user"] == "concierge"
    ]
    assert [rule["targets"] for rule in made] == [[f"desk@{HOTEL}", "someone@elsewhere.example"]]


def the_banner_goes(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/")
    refresh(desk)
    expect(desk.get_by_text("Synced just now")).to_be_visible(timeout=30_000)
    expect(desk.get_by_text(DOWN)).to_be_hidden()


def refresh(desk: Page) -> None:
    desk.get_by_role("button", name="Refresh").click()
