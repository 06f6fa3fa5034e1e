"""A domain comes to green, and another one's deviation is accepted, in the demo's DNS."""

from __future__ import annotations

from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest
from playwright.sync_api import Locator, Page, expect

from purelymanage.tests.browser.conftest import look_everywhere
from purelymanage.tests.panel import Panel

pytestmark = pytest.mark.once

NEW, TYPED = "neubau.example", "NeuBau.example."
SHOP = "lindenhof-shop.example"
ALL_RIGHT = {"mx": True, "spf": True, "dkim": True, "dmarc": True}


def test_an_admin_brings_a_domain_to_green(desk: Page, demo: Panel):
    code = demo.purelymail()["ownership_code"]
    refused_until_published(desk, demo, code=code)
    publish_the_ownership(desk, demo)
    publish_the_rest(desk, demo)
    recheck_in_place(desk, demo)
    see_it_in_the_list(desk, demo)


def refused_until_published(desk: Page, demo: Panel, *, code: str) -> None:
    """What was typed stays, nothing was added, and the record to publish is PurelyMail's."""
    desk.goto(f"{demo.url}/domains/")
    desk.get_by_role("link", name="Add domain").click()
    expect(desk.get_by_text(code)).to_be_visible()
    desk.get_by_label("Domain", exact=True).fill(TYPED)
    desk.get_by_role("button", name="Look and add").click()
    expect(desk.get_by_text(f"The record is not at {NEW} yet, so nothing")).to_be_visible()
    expect(desk).to_have_url(f"{demo.url}/domains/new/?name={TYPED}")
    expect(desk.get_by_label("Domain", exact=True)).to_have_value(TYPED)
    look_everywhere(desk, "domain-refused")
    assert NEW not in demo.purelymail()["domains"]


def publish_the_ownership(desk: Page, demo: Panel) -> None:
    desk.get_by_role("button", name="Publish the record").click()
    expect(desk.get_by_text(f"Published in the demo's DNS for {NEW}")).to_be_visible()
    expect(desk.get_by_label("Domain", exact=True)).to_have_value(TYPED)
    desk.get_by_role("button", name="Look and add").click()
    expect(desk.get_by_role("heading", name=NEW)).to_be_visible()
    assert NEW in demo.purelymail()["domains"]
    expect(row(desk, "MX")).to_contain_text("Wrong")
    expect(desk.get_by_text("6 records to fix", exact=True)).to_be_visible()
    look_everywhere(desk, "domain-new")


def publish_the_rest(desk: Page, demo: Panel) -> None:
    desk.get_by_role("button", name="Publish all records").click()
    expect(desk.get_by_text(f"Published in the demo's DNS for {NEW}")).to_be_visible()
    state = demo.purelymail()
    assert state["dns"][NEW] == ALL_RIGHT
    assert state["domains"][NEW]["seen"] != ALL_RIGHT, "PurelyMail looks only when asked to"


def recheck_in_place(desk: Page, demo: Panel) -> None:
    """The answer comes into the page that is open, and the keyboard stays where it was."""
    desk.evaluate("window.isTheSamePage = true")
    button = desk.locator("#recheck")
    button.focus()
    desk.keyboard.press("Enter")
    expect(button).to_have_text("Checking…")
    expect(button).to_be_focused()
    expect(desk.get_by_text("Passes all four")).to_be_visible(timeout=30_000)
    expect(button).to_have_text("Recheck now")
    expect(button).to_be_focused()
    expect(desk.get_by_text("Checked: All right.").first).to_be_visible()
    assert desk.evaluate("window.isTheSamePage") is True
    assert demo.purelymail()["domains"][NEW]["seen"] == ALL_RIGHT
    look_everywhere(desk, "domain-green")


def see_it_in_the_list(desk: Page, demo: Panel) -> None:
    desk.get_by_role("navigation").get_by_role("link", name="Domains").first.click()
    domain = desk.get_by_role("row").filter(has_text=NEW)
    expect(domain.get_by_text("OK", exact=True)).to_have_count(4)
    look_everywhere(desk, "domain-list")
    domain.get_by_role("link", name=NEW).click()
    desk.get_by_role("link", name="History").first.click()
    expect(desk.get_by_role("main").get_by_role("listitem")).not_to_have_count(0)
    look_everywhere(desk, "domain-history")


def test_an_admin_accepts_a_deviation_and_takes_the_zone_file(
    desk: Page, demo: Panel, tmp_path: Path
):
    before = demo.purelymail()["domains"]
    open_domain(desk, demo, SHOP)
    expect(row(desk, "purelymail2._domainkey")).to_contain_text("Missing")
    look_everywhere(desk, "domain-failing")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Zone file", exact=True).click()
    assert wanted_by(download.value.path()) == {
        ("@", "TXT", '"v=spf1 include:_spf.purelymail.com include:spf.oldhost.example -all"'),
        ("purelymail2._domainkey", "CNAME", "key2.dkimroot.purelymail.com."),
    }
    accept_the_spf(desk)
    expect(row(desk, "v=spf1").get_by_text("Accepted", exact=True)).to_be_visible()
    expect(desk.get_by_text("“Newsletters leave by the old host”")).to_be_visible()
    expect(desk.get_by_text("1 record to fix", exact=True)).to_be_visible()
    look_everywhere(desk, "domain-accepted")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Zone file", exact=True).click()
    assert [kind for _name, kind, _data in wanted_by(download.value.path())] == ["CNAME"]
    desk.goto(f"{demo.url}/domains/")
    shop = desk.get_by_role("row").filter(has_text=SHOP)
    expect(shop.get_by_text("Accepted")).to_be_visible()
    assert demo.purelymail()["domains"] == before, "a deviation is nothing PurelyMail knows of"


def accept_the_spf(desk: Page) -> None:
    desk.get_by_role("link", name="Accept SPF, who may send…").click()
    desk.get_by_role("button", name="Accept the record").click()
    expect(desk.get_by_text("Say why this record may differ.")).to_be_visible()
    look_everywhere(desk, "deviation-refused")
    desk.get_by_label("Reason", exact=True).fill("Newsletters leave by the old host")
    desk.get_by_role("button", name="Accept the record").click()


def test_a_domain_is_added_without_javascript(plain_desk: Page, demo: Panel):
    """With letters that DNS has no room for, too."""
    name, ascii_name = "bücherei.example", "xn--bcherei-n2a.example"
    plain_desk.goto(f"{demo.url}/domains/new/")
    plain_desk.get_by_label("Domain", exact=True).fill(name)
    plain_desk.get_by_role("button", name="Look and add").click()
    expect(plain_desk.get_by_text(f"The record is not at {name} yet")).to_be_visible()
    plain_desk.get_by_role("button", name="Publish the record").click()
    plain_desk.get_by_role("button", name="Look and add").click()
    expect(plain_desk.get_by_role("heading", name=name)).to_be_visible()
    assert ascii_name in demo.purelymail()["domains"]


def open_domain(desk: Page, demo: Panel, name: str) -> None:
    desk.goto(f"{demo.url}/domains/")
    desk.get_by_role("link", name=name).click()
    expect(desk.get_by_role("heading", name=name)).to_be_visible()


def row(page: Page, words: str) -> Locator:
    """The line of the table of records that says this."""
    return page.locator("#records").get_by_role("row").filter(has_text=words).first


def wanted_by(path: Path) -> set[tuple[str, str, str]]:
    """What a BIND server makes of the file."""
    zone = dns.zone.from_file(str(path), check_origin=False)
    return {
        (str(name), dns.rdatatype.to_text(data.rdtype), data.to_text(relativize=False))
        for name, _ttl, data in zone.iterate_rdatas()
    }
