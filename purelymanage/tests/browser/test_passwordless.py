"""Mail moved into a mailbox whose password nobody typed, and a look at it before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from purelymanage.jobs.tests.processes import settles
from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

LEA = "lea.fontaine@lindenhof.example"
PASSWORD = "lindenhof-demo"


def test_an_admin_moves_a_mailbox_without_its_password(desk: Page, demo: Panel):
    fill_job(desk, demo)
    desk.get_by_role("button", name="Start dry run").click()
    expect(desk.get_by_role("button", name="Run for real").first).to_be_visible(timeout=60_000)
    expect(desk.get_by_text("Made a temporary app password for the destination.")).to_be_visible()
    look_everywhere(desk, "migrations-passwordless-job")
    assert settles(lambda: app_passwords(demo) == 0, 90)
    look_first(desk, demo)
    desk.goto(f"{demo.url}/migrations/passwords/")
    expect(desk.get_by_text("None is left behind")).to_be_visible()
    look_everywhere(desk, "migrations-temporary-passwords")


def fill_job(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/migrations/new/")
    desk.get_by_label("Source server").select_option(label="Old provider")
    desk.get_by_label("Source address").fill(LEA)
    desk.get_by_label("Source password").fill(PASSWORD)
    desk.get_by_label("Destination server").select_option(label="PurelyMail")
    desk.get_by_label("Destination address").fill(LEA)
    expect(desk.get_by_label("Destination password")).to_be_visible()
    desk.get_by_label("Use a temporary app password").check()
    expect(desk.get_by_label("Destination password")).to_be_hidden()
    look_everywhere(desk, "migrations-passwordless-form")


def look_first(desk: Page, demo: Panel) -> None:
    desk.goto(f"{demo.url}/migrations/")
    desk.get_by_role("checkbox", name=LEA).check()
    desk.get_by_role("button", name="Look first").click()
    expect(desk.get_by_role("heading", name="Before copying")).to_be_visible()
    expect(desk.get_by_role("cell", name="Ready")).to_be_visible(timeout=60_000)
    expect(desk.get_by_text("the run makes its own password")).to_be_visible()
    look_everywhere(desk, "migrations-checks")


def app_passwords(demo: Panel) -> int:
    """How many PurelyMail knows."""
    return sum(user["app_passwords"] for user in demo.purelymail()["users"].values())
