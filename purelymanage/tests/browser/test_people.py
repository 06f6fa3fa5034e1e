"""People: somebody is invited, comes in once, gets another role, and is removed while at work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.tests.invitations import mailed_link
from conftest import PASSWORD, signed_in_long_ago
from purelymanage.tests.browser.conftest import look_everywhere, watched
from purelymanage.tests.live import signed_in_page

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
NAME = "Nora Nest of the office with a rather long name"


@pytest.fixture
def desk(live_server, owner_client, monkeypatch):
    """The owner, just signed in. What goes wrong fails the next look."""
    with signed_in_page(live_server, owner_client, monkeypatch) as page:
        yield watched(page, host=live_server.url)


@pytest.fixture
def guest(desk: Page, live_server) -> Page:
    """Somebody at another computer, whom the panel does not know yet."""
    context = desk.context.browser.new_context(base_url=live_server.url)
    return watched(context.new_page(), host=live_server.url)


def test_somebody_is_invited_comes_in_once_and_is_removed_while_at_work(
    desk: Page, guest: Page, owner_client
):
    invite(desk)
    come_in(guest, mailed_link())
    change_role(desk)
    sign_in_again(guest)
    guest.get_by_label("Name").fill("Nobody")
    remove(desk, owner_client)
    guest.get_by_role("button", name="Save the name").click()
    expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()
    assert guest.problems == []
    desk.reload()
    expect(desk.get_by_role("heading", name=NAME)).to_be_visible()
    look_everywhere(desk, "person-removed")


def invite(desk: Page) -> None:
    desk.goto("/settings/people/")
    expect(desk.get_by_text("Nobody is invited")).to_be_visible()
    desk.get_by_role("link", name="Invite a person").click()
    look_everywhere(desk, "person-invite")
    desk.get_by_label("Name").fill(NAME)
    desk.get_by_label("E-mail").fill("nora@panel.example")
    desk.get_by_label("Role").select_option("admin")
    desk.get_by_role("button", name="Invite", exact=True).click()
    expect(desk.get_by_text("nora@panel.example gets an invitation by mail.")).to_be_visible()
    look_everywhere(desk, "people-invited")


def come_in(guest: Page, link: str) -> None:
    """Once, and never again."""
    guest.goto(link)
    look_everywhere(guest, "invitation")
    guest.get_by_label("Password", exact=True).fill("seven purple walls sing")
    expect(guest.get_by_text("Strong", exact=False)).to_be_visible()
    guest.get_by_role("button", name="Accept and sign in").click()
    expect(guest.get_by_role("heading", name="Dashboard")).to_be_visible()
    guest.goto(link)
    expect(guest.get_by_role("heading", name="This link lets nobody in")).to_be_visible()
    assert "status of 410" in guest.problems.pop()
    look_everywhere(guest, "invitation-gone")


def change_role(desk: Page) -> None:
    """It signs the person out: what they could do ends at once."""
    desk.goto("/settings/people/")
    desk.get_by_role("link", name=NAME).click()
    look_everywhere(desk, "person")
    desk.get_by_role("combobox", name="Role").select_option("viewer")
    desk.get_by_role("button", name="Save the role").click()
    expect(desk.get_by_role("row", name=NAME)).to_contain_text("Viewer")


def sign_in_again(guest: Page) -> None:
    guest.goto("/settings/")
    guest.get_by_label("E-mail").fill("nora@panel.example")
    guest.get_by_label("Password", exact=True).fill("seven purple walls sing")
    guest.get_by_role("button", name="Sign in", exact=True).click()
    expect(guest.get_by_role("button", name="Save the name")).to_be_visible()
    expect(guest.get_by_role("button", name=re.compile("Viewer$"))).to_be_visible()


def remove(desk: Page, owner_client) -> None:
    """Who signed in long ago shows who they are first, and clicks no second time."""
    desk.get_by_role("link", name=NAME).click()
    desk.get_by_role("button", name="Remove…").click()
    dialog = desk.get_by_role("dialog", name=re.compile(r"^Remove Nora Nest .* from the panel\?$"))
    expect(dialog.get_by_role("button", name="Keep the access")).to_be_focused()
    look_everywhere(desk, "person-remove")
    signed_in_long_ago(owner_client)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(desk.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    look_everywhere(desk, "confirm")
    desk.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.get_by_role("button", name="Confirm").click()
    expect(desk.get_by_text("can no longer sign in.")).to_be_visible()
    desk.get_by_role("link", name=NAME).click()
    expect(desk.get_by_role("button", name="Let in again")).to_be_visible()
