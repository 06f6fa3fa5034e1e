"""From a fresh panel to a moved mailbox, as a stranger would do it."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from migrations_app.tests.dovecot import Dovecot, Mail, Pair
from purelymanage.tests.browser.conftest import look_in_both_schemes
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

PASSWORD = "a long enough passphrase 42"
MAILS = [
    Mail(("INBOX",), b"Message-ID: <%d@x>\r\nSubject: one\r\n\r\n%d\r\n" % (n, n), ("\\Seen",))
    for n in range(30)
] + [
    Mail(("Projekte", "Brücke Süd"), b"Message-ID: <p%d@x>\r\nSubject: two\r\n\r\nx\r\n" % n)
    for n in range(10)
]


def set_up(page: Page, panel: Panel) -> None:
    page.goto(panel.url)
    expect(page).to_have_url(f"{panel.url}/setup/")
    look_in_both_schemes(page)
    page.get_by_label("Name").fill("Mara Keller")
    page.get_by_label("E-mail").fill("mara@panel.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the owner").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    look_in_both_schemes(page)


def add_server(page: Page, panel: Panel, *, name: str, server: Dovecot) -> None:
    page.goto(f"{panel.url}/migrations/servers/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Host").fill("localhost")
    page.get_by_label("Port").fill(str(server.port_tls))
    page.get_by_label("Security").select_option(label="TLS")
    look_in_both_schemes(page)
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()


def fill_job(page: Page, panel: Panel, *, pair: Pair, user: str) -> None:
    page.goto(f"{panel.url}/migrations/new/")
    page.get_by_label("Source server").select_option(label="Here")
    page.get_by_label("Source address").fill(user)
    page.get_by_label("Source password").fill(pair.source.passwords[user])
    page.get_by_label("Destination server").select_option(label="There")
    page.get_by_label("Destination address").fill(user)
    page.get_by_label("Destination password").fill(pair.destination.passwords[user])
    look_in_both_schemes(page)


def look_at_folders_on_a_small_laptop(page: Page) -> None:
    """They are a table there too: of cards the heads would be clipped."""
    page.set_viewport_size({"width": 1280, "height": 800})
    box = page.get_by_role("columnheader", name="There").bounding_box()
    assert box is not None
    assert box["height"] > 20
    look_in_both_schemes(page)


def test_a_stranger_moves_a_mailbox(page: Page, panel: Panel, imap_pair: Pair):
    user = f"ingrid.{uuid.uuid4().hex[:8]}@lindenhof.example"
    imap_pair.source.add_user(user, "old päss 1")
    imap_pair.destination.add_user(user, "new päss 2")
    imap_pair.source.fill(user, MAILS)

    set_up(page, panel)
    add_server(page, panel, name="Here", server=imap_pair.source)
    add_server(page, panel, name="There", server=imap_pair.destination)

    fill_job(page, panel, pair=imap_pair, user=user)
    page.get_by_role("button", name="Start dry run").click()
    expect(
        page.get_by_role("link", name="Run for real")
        .or_(page.get_by_role("button", name="Run for real"))
        .first
    ).to_be_visible(timeout=60_000)
    look_in_both_schemes(page)
    assert imap_pair.destination.count(user) == 0

    page.get_by_role("button", name="Run for real").first.click()
    expect(page.get_by_text("Done", exact=True).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile(r"40"))).not_to_have_count(0)
    look_in_both_schemes(page)
    assert imap_pair.destination.count(user) == 40
    assert sum(imap_pair.destination.snapshot(user)["Projekte/Brücke Süd"].values()) == 10
    look_at_folders_on_a_small_laptop(page)

    page.goto(f"{panel.url}/migrations/")
    expect(page.get_by_role("table")).to_contain_text("Done")
    look_in_both_schemes(page)
