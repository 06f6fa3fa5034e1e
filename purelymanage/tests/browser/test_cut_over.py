"""A domain's mail moves: each step of its cut-over, some by themselves and some by hand."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

HOTEL = "lindenhof.example"
PASSWORD = "lindenhof-demo"
SIV, MAX = f"s.bergstrom@{HOTEL}", f"t.brandt@{HOTEL}"
LINES = [
    "source_email,source_password,dest_email,dest_password",
    f"{SIV},{PASSWORD},{SIV},{PASSWORD}",
    f"{MAX},not the one,{MAX},{PASSWORD}",
]


def test_an_admin_takes_a_domain_through_its_cut_over(desk: Page, demo: Panel):
    import_two(desk, demo)
    look_before_copying(desk)
    begin(desk)
    stop_and_resume(desk)
    let_the_batch_run(desk)
    look_into_the_old_inboxes(desk)
    erase_and_end(desk)
    write_to_whoever_has_a_wrong_password(desk)


def import_two(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/migrations/batches/new/")
    desk.get_by_label("Name").fill("Lindenhof")
    desk.locator("textarea").first.fill("\n".join(LINES))
    desk.get_by_label("Source server").select_option(label="Old provider")
    desk.get_by_label("Destination server").select_option(label="PurelyMail")
    desk.get_by_text("Options", exact=True).click()
    desk.get_by_label("Only these folders").fill("Drafts")  # three messages
    desk.get_by_label("Dry run").uncheck()
    desk.get_by_label("Import paused").check()
    desk.get_by_role("button", name="Look at the lines").click()
    desk.get_by_role("button", name="Import 2 mailboxes").click()
    expect(desk).to_have_url(re.compile(r"/batches/\d+/$"), timeout=60_000)


def look_before_copying(desk: Page) -> None:
    """What stands in the way is told on the batch's page, in a sentence of its server's length."""
    desk.get_by_role("button", name="Look at all mailboxes").click()
    problem = desk.locator("#checks").get_by_text("refused the sign-in")
    expect(problem).to_be_visible(timeout=60_000)
    look_everywhere(desk, "batch-checked")


def begin(desk: Page) -> None:
    desk.get_by_role("button", name="More actions for this batch").click()
    desk.get_by_role("link", name="Begin the cut-over of its domain…").click()
    look_everywhere(desk, "cut-over-new")
    desk.get_by_role("button", name="Begin").click()
    expect(desk.get_by_role("heading", name=f"Cut-over of {HOTEL}")).to_be_visible()
    expect(at(desk, "First copy")).to_contain_text(
        "2 jobs wait or run. The batch “Lindenhof” is paused."
    )


def stop_and_resume(desk: Page) -> None:
    """MX points to PurelyMail in the demo, so a worker goes on from the delta by itself."""
    desk.get_by_role("button", name="Copy again every so often").click()
    wait_for(desk, at(desk, "Final sync"))
    desk.get_by_role("button", name="Stop").click()
    expect(at(desk, "Final sync")).to_contain_text("No further step begins by itself.")
    look_everywhere(desk, "cut-over-stopped")
    desk.get_by_role("link", name="Cut-overs").click()
    expect(desk.get_by_role("row").filter(has_text=HOTEL)).to_contain_text("Stopped")
    look_everywhere(desk, "cut-overs")
    desk.get_by_role("link", name=HOTEL).click()
    desk.get_by_role("button", name="Resume").click()
    expect(desk.get_by_role("button", name="Stop")).to_be_visible()


def let_the_batch_run(desk: Page) -> None:
    desk.get_by_role("link", name="Lindenhof", exact=True).click()
    desk.get_by_role("button", name="Resume").click()
    desk.get_by_role("link", name="Cut-over", exact=True).click()
    wait_for(desk, at(desk, "What still reaches the old inboxes is fetched at"))


def look_into_the_old_inboxes(desk: Page) -> None:
    desk.get_by_role("button", name="Look into the old inboxes now").click()
    expect(at(desk, "Catching up")).to_be_visible()
    expect(desk.get_by_role("link", name="Lindenhof: old inboxes once more")).to_be_visible()
    wait_for(desk, desk.get_by_role("link", name="1 done").nth(1))


def erase_and_end(desk: Page) -> None:
    """The worker may be faster than the click."""
    if desk.get_by_role("button", name="Erase the passwords now").is_visible():
        desk.get_by_role("button", name="Erase the passwords now").click()
    wait_for(desk, at(desk, "1 job did not end well and keeps its passwords until"))
    expect(desk.get_by_role("link", name="1 failed")).to_be_visible()
    look_everywhere(desk, "cut-over-erasing")
    desk.get_by_role("button", name="Erase all passwords and end").click()
    expect(desk.get_by_role("button", name="Stop")).to_have_count(0)


def write_to_whoever_has_a_wrong_password(desk: Page) -> None:
    desk.get_by_role("link", name="Lindenhof", exact=True).click()
    desk.get_by_role("link", name="1 mailbox with a wrong password").click()
    expect(desk.get_by_role("row").filter(has_text=MAX)).to_contain_text("Source")
    assert "not the one" not in desk.content()
    look_everywhere(desk, "wrong-passwords")


def at(desk: Page, words: str) -> Locator:
    """The present step, if it says so."""
    return desk.locator("li[aria-current=step]").filter(has_text=words)


def wait_for(desk: Page, step: Locator, *, seconds: float = 120) -> None:
    """The page asks for news three times a minute, which is too seldom for a test."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and not step.count():
        desk.wait_for_timeout(300)
        desk.reload()
    expect(step).to_be_visible()
