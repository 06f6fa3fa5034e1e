"""Five mailboxes from a CSV file: what each line comes to, the import, and its batch."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from purelymanage.tests.browser.conftest import look, look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

HOTEL = "lindenhof.example"
PASSWORD = "lindenhof-demo"
STAFF = ["lea.fontaine", "t.brandt", "hana.kobayashi", "s.bergstrom", "m.rossi"]
LINES = [
    "dest_email;dest_password;source_email;source_password",
    *[f"{who}@{HOTEL};{PASSWORD};{who}@{HOTEL};{PASSWORD}" for who in STAFF],
    f"max@elsewhere.example;{PASSWORD};max@{HOTEL};{PASSWORD}",  # line 7
    f"uli@{HOTEL};{PASSWORD};uli@{HOTEL};",
    f"T.Brandt@{HOTEL};{PASSWORD};t.brandt@{HOTEL};{PASSWORD}",  # as line 3
]
FILE = {"name": "Staff 2027.csv", "mimeType": "text/csv", "buffer": "\r\n".join(LINES).encode()}


def test_an_admin_moves_five_people_from_a_file(desk: Page, demo: Panel):
    choose_the_file(desk, demo)
    read_what_is_wrong(desk)
    import_the_good_ones(desk)
    assert PASSWORD not in desk.content()
    run_them_for_real(desk)
    find_them_in_the_lists(desk, demo)
    take_the_report_along(desk)
    delete_the_batch(desk)


def choose_the_file(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/migrations/batches/")
    desk.get_by_role("link", name="Import CSV").first.click()
    desk.get_by_role("button", name="Look at the lines").click()
    expect(desk.get_by_text("Choose a file, or paste lines below.").first).to_be_visible()
    desk.get_by_text("Options", exact=True).click()
    look_everywhere(desk, "migrations-upload-refused")
    desk.get_by_label("Only these folders").fill("Drafts")  # three messages each
    desk.get_by_label("CSV file").set_input_files(FILE)
    desk.get_by_label("Source server").select_option(label="Old provider")
    desk.get_by_label("Destination server").select_option(label="PurelyMail")
    desk.get_by_role("button", name="Look at the lines").click()
    expect(desk.get_by_role("heading", name="Staff 2027")).to_be_visible()
    expect(
        desk.get_by_text("5 migration jobs from Old provider to PurelyMail are made.")
    ).to_be_visible()


def read_what_is_wrong(desk: Page) -> None:
    desk.get_by_role("link", name=re.compile("^Not usable")).click()
    for line, words in {
        "7": "elsewhere.example is not one of your domains at PurelyMail.",
        "8": "source_password is missing.",
        "9": "The same migration stands in line 3.",
    }.items():
        row = desk.get_by_role("row").filter(has=desk.get_by_role("cell", name=line, exact=True))
        expect(row).to_contain_text(words)
    expect(desk.get_by_role("row")).to_have_count(4)
    look_everywhere(desk, "migrations-preview-bad")


def import_the_good_ones(desk: Page) -> None:
    """Nobody waits for a reload: the page goes on to the batch by itself, and its jobs run."""
    desk.get_by_role("button", name="Import the 5 good ones").click()
    expect(desk).to_have_url(re.compile(r"/migrations/batches/\d+/$"), timeout=60_000)
    expect(desk.get_by_role("link", name=f"lea.fontaine@{HOTEL}").first).to_be_visible()
    expect(desk.get_by_role("row")).to_have_count(6)


def run_them_for_real(desk: Page) -> None:
    """The button is there once the dry runs have ended; the numbers move by themselves."""
    desk.get_by_role("button", name="Run 5 for real").click(timeout=120_000)
    expect(desk.get_by_role("button", name="Run 5 for real")).to_have_count(0)
    expect(desk.get_by_text("5 of 5 done")).to_be_visible(timeout=120_000)
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Done")
    expect(desk.get_by_role("row")).to_have_count(6)
    look_everywhere(desk, "migrations-batch-done")


def find_them_in_the_lists(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/migrations/")
    expect(desk.get_by_role("row")).to_have_count(11)
    desk.get_by_role("link", name="Batches", exact=True).click()
    expect(desk.get_by_role("row").filter(has_text="Staff 2027")).to_contain_text("5 of 5 done")
    look_everywhere(desk, "migrations-batches")
    desk.get_by_role("link", name="Staff 2027").click()


def take_the_report_along(desk: Page) -> None:
    """On the screen, on paper without anything to click, and as a file."""
    desk.get_by_role("link", name="Report").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Report on Staff 2027")
    expect(desk.get_by_role("row")).to_have_count(7)
    expect(desk.get_by_role("row").last).to_contain_text("Total of all mailboxes")
    expect(desk.get_by_role("row").last).to_contain_text("Complete")
    look_everywhere(desk, "migrations-batch-report")
    csv = desk.get_by_role("link", name="CSV")
    with desk.expect_download() as download:
        csv.click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert [line.count(",Complete,") for line in lines] == [0, 1, 1, 1, 1, 1]
    desk.emulate_media(media="print")
    expect(csv).to_be_hidden()
    expect(desk.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(desk.get_by_role("row")).to_have_count(7)
    desk.emulate_media(media="screen")
    desk.go_back()


def delete_the_batch(desk: Page) -> None:
    desk.get_by_role("button", name="More actions for this batch").click()
    desk.get_by_role("link", name="Delete batch…").click()
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_contain_text("No mail is touched.")
    look(desk)
    dialog.get_by_role("button", name="Delete batch").click()
    expect(desk.get_by_text("No batches yet")).to_be_visible()
