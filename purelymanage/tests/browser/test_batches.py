"""Thirty mailboxes from a CSV file, then a second factor for all that a filter matches."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

HOTEL = "lindenhof.example"
OWN_PASSWORD = 'a "quoted"; and, long one'
CREW = [f"crew.{number:02d}" for number in range(1, 31)]
LINES = [
    "local_part;domain;password",
    f'crew.01;{HOTEL};"a ""quoted""; and, long one"',
    *[f"{name};{HOTEL};" for name in CREW[1:]],
    "crew.31;elsewhere.example;",  # line 32
    f"crew.32;{HOTEL};short",
    f"Crew.05;{HOTEL.upper()};",  # as line 6
]
FILE = {"name": "Crew 2027.csv", "mimeType": "text/csv", "buffer": "\r\n".join(LINES).encode()}


def test_an_admin_creates_thirty_mailboxes_and_secures_them(desk: Page, demo: Panel):
    see_what_each_line_comes_to(desk, demo)
    create_the_good_ones(desk, demo)
    take_the_passwords_once(desk, demo)
    see_them_in_the_list(desk, demo)
    require_a_second_factor(desk, demo)
    read_it_back(desk, demo)
    a_second_click_does_not_discard(desk, demo)


def see_what_each_line_comes_to(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/")
    desk.get_by_role("link", name="Create from CSV").first.click()
    desk.get_by_role("button", name="Look at the lines").click()
    expect(desk.get_by_text("Choose a file, or paste lines below.").first).to_be_visible()
    look_everywhere(desk, "batch-upload-refused")
    desk.get_by_label("CSV file").set_input_files(FILE)
    desk.get_by_role("button", name="Look at the lines").click()
    expect(desk.get_by_role("heading", name="New mailboxes from Crew 2027.csv")).to_be_visible()
    look_everywhere(desk, "batch-preview")
    assert not crew_at(demo), "a preview changes nothing"
    desk.get_by_role("link", name=re.compile("^Not usable")).click()
    for line, words in {
        "32": "elsewhere.example is not one of your domains.",
        "33": "The password has less than 8 characters.",
        "34": "The same address stands in line 6.",
    }.items():
        row = desk.get_by_role("row").filter(has=desk.get_by_role("cell", name=line, exact=True))
        expect(row).to_contain_text(words)
    expect(desk.get_by_role("row")).to_have_count(4)
    look_everywhere(desk, "batch-preview-bad")


def create_the_good_ones(desk: Page, demo: Panel) -> None:
    desk.get_by_role("button", name="Create the 30 good ones").click()
    expect(desk.get_by_role("progressbar", name="Mailboxes done")).to_be_visible()
    expect(desk.get_by_text(re.compile(r"^\d+ of 30$"))).to_be_visible()
    look_everywhere(desk, "batch-running")
    expect(desk.get_by_text("30 of 30")).to_be_visible(timeout=60_000)
    expect(desk.get_by_role("button", name="Download the new passwords")).to_be_visible()
    assert crew_at(demo) == {f"{name}@{HOTEL}" for name in CREW}
    look_everywhere(desk, "batch-done")


def take_the_passwords_once(desk: Page, demo: Panel) -> None:
    """Each opens its mailbox. A second tab that still shows the button gets nothing."""
    other = desk.context.new_page()
    other.goto(desk.url)
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download the new passwords").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    made = {row["address"]: row["password"] for row in rows if row["password"]}
    assert set(made) == {f"{name}@{HOTEL}" for name in CREW[1:]}, "one's own password stays out"
    assert len(set(made.values())) == 29
    assert all(demo.verifies(*pair) for pair in made.items())
    assert demo.verifies(f"crew.01@{HOTEL}", OWN_PASSWORD)
    expect(desk.get_by_text("The new passwords were downloaded")).to_be_visible()
    expect(desk.get_by_role("button", name="Download the new passwords")).to_have_count(0)

    other.get_by_role("button", name="Download the new passwords").click()
    expect(other.get_by_text("were downloaded already and are erased")).to_be_visible()
    assert not any(password in other.content() for password in made.values())
    other.close()
    desk.reload()
    expect(desk.get_by_role("button", name="Download the new passwords")).to_have_count(0)
    assert not any(password in desk.content() for password in made.values())


def see_them_in_the_list(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/?q=crew.")
    expect(desk.get_by_text("30 of 70")).to_be_visible()
    expect(desk.get_by_role("link", name=f"crew.30@{HOTEL}")).to_be_visible()


def require_a_second_factor(desk: Page, demo: Panel) -> None:
    """For the 58 of a domain, of which the page shows 50; for nobody else."""
    others = {
        address: user["require_two_factor"]
        for address, user in demo.purelymail()["users"].items()
        if not address.endswith(f"@{HOTEL}")
    }
    desk.goto(f"{demo.url}/mailboxes/?domain={HOTEL}")
    desk.get_by_label("Select this page").check()
    expect(desk.get_by_text("50 selected")).to_be_visible()
    look_everywhere(desk, "selection")
    desk.get_by_role("button", name="Select all 58").click()
    expect(desk.get_by_text("58 selected")).to_be_visible()
    desk.get_by_role("button", name="Require a second factor…").click()
    expect(desk.get_by_text("one of these 58 mailboxes")).to_be_visible()
    look_everywhere(desk, "second-factor-question")
    desk.get_by_role("button", name="Require a second factor").click()
    expect(desk.get_by_text("58 of 58")).to_be_visible(timeout=60_000)
    look_everywhere(desk, "second-factor-done")
    users = demo.purelymail()["users"]
    at_the_hotel = {address for address in users if address.endswith(f"@{HOTEL}")}
    assert len(at_the_hotel) == 58
    assert all(users[address]["require_two_factor"] for address in at_the_hotel)
    assert {address: users[address]["require_two_factor"] for address in others} == others


def read_it_back(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/?q=crew.17")
    desk.get_by_role("link", name=f"crew.17@{HOTEL}").click()
    desk.get_by_role("button", name="Read settings").click()
    expect(desk.get_by_text("Read from PurelyMail just now")).to_be_visible()
    expect(desk.get_by_label("Require a second factor")).to_be_checked()
    look_everywhere(desk, "mailbox-settings")


def crew_at(demo: Panel) -> set[str]:
    """The new mailboxes that PurelyMail has."""
    return {address for address in demo.purelymail()["users"] if address.startswith("crew.")}


def a_second_click_does_not_discard(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/mailboxes/?q=crew.")
    desk.get_by_label(f"Select {CREW[0]}@{HOTEL}").check()
    desk.get_by_label(f"Select {CREW[1]}@{HOTEL}").check()
    desk.get_by_role("button", name="Delete…").click()
    desk.get_by_role("button", name="Delete 2 mailboxes in 24 hours").dblclick()
    expect(desk.get_by_text("2 of 2", exact=True)).to_be_visible(timeout=60_000)
