"""Second factors in a browser that has a passkey: set up, used in each way, and taken away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from accounts.tests.factors import code_of
from conftest import PASSWORD
from purelymanage.tests.browser.conftest import look_everywhere, watched
from purelymanage.tests.live import signed_in_page

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
SECURITY = "/settings/security/"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def desk(live_server, owner_client, monkeypatch):
    """The owner, just signed in at http://localhost. What goes wrong fails the next look."""
    with signed_in_page(live_server, owner_client, monkeypatch) as page:
        yield watched(page, host=live_server.url)


class Device:
    """A phone or laptop that keeps passkeys, as Chromium simulates it."""

    def __init__(self, page: Page) -> None:
        self.tools: CDPSession = page.context.new_cdp_session(page)
        self.tools.send("WebAuthn.enable")
        added = self.tools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        self.id = {"authenticatorId": added["authenticatorId"]}

    def recognises(self, *, person: bool) -> None:
        """Whether the finger on its sensor is the right one."""
        self.tools.send("WebAuthn.setUserVerified", {**self.id, "isUserVerified": person})

    def passkeys(self) -> list[dict]:
        return self.tools.send("WebAuthn.getCredentials", self.id)["credentials"]


def test_a_passkey_is_added_signs_in_alone_is_a_second_step_and_goes(desk: Page, owner):
    device = Device(desk)
    desk.goto(SECURITY)
    expect(desk.get_by_role("heading", name="No passkeys")).to_be_visible()
    look_everywhere(desk, "security-none")
    add(desk, device)
    sign_out(desk)
    desk.get_by_role("button", name="Sign in with a passkey").click()
    expect(desk).to_have_url(re.compile(r"^http://localhost:\d+/$"))
    sign_out(desk)
    refused_without_the_person(desk, device)
    second_step(desk, owner)
    remove(desk)
    sign_out(desk)
    desk.get_by_role("button", name="Sign in with a passkey").click()
    expect(desk.get_by_text("This passkey was not accepted.")).to_be_visible()
    assert desk.problems == []


def add(desk: Page, device: Device) -> None:
    desk.get_by_role("link", name="Add a passkey").click()
    look_everywhere(desk, "passkey-add")
    desk.get_by_role("textbox", name="Name").fill(
        "Phone of the office with a rather long name for a phone"
    )
    desk.get_by_role("button", name="Add the passkey").click()
    expect(desk.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    (made,) = device.passkeys()
    assert (made["rpId"], made["isResidentCredential"]) == ("localhost", True)
    desk.get_by_role("link", name="Later").click()
    expect(desk.locator("td.title")).to_have_text(re.compile("^Phone of the office"))
    desk.get_by_role("link", name="Rename Phone").click()
    desk.get_by_role("textbox", name="Name").fill("Phone")
    desk.get_by_role("button", name="Save the name").click()
    expect(desk.get_by_role("cell", name="Phone", exact=True)).to_be_visible()
    look_everywhere(desk, "security-passkey")


def refused_without_the_person(desk: Page, device: Device) -> None:
    """A wrong finger: the browser gives nothing, the page says so, and the button works again."""
    look_everywhere(desk, "sign-in")
    device.recognises(person=False)
    desk.get_by_role("button", name="Sign in with a passkey").click()
    expect(desk.get_by_text("The browser did not use a passkey.")).to_be_visible()
    look_everywhere(desk, "sign-in-failed")
    device.recognises(person=True)


def second_step(desk: Page, owner) -> None:
    with_password(desk, owner)
    expect(desk.get_by_role("heading", name="Second step")).to_be_visible()
    look_everywhere(desk, "second-step-passkey")
    desk.get_by_role("button", name="Use your passkey").click()
    expect(desk).to_have_url(re.compile(r"^http://localhost:\d+/$"))


def remove(desk: Page) -> None:
    desk.goto(SECURITY)
    desk.get_by_role("link", name="Remove Phone").click()
    look_everywhere(desk, "passkey-remove")
    desk.get_by_role("button", name="Remove the passkey").click()
    expect(desk.get_by_text("The passkey is removed.")).to_be_visible()
    expect(desk.get_by_role("heading", name="No passkeys")).to_be_visible()


def test_an_app_is_set_up_and_asked_for_and_its_recovery_codes_are_kept(
    desk: Page, owner, tmp_path: Path
):
    desk.goto(SECURITY)
    desk.get_by_role("link", name="Set up").click()
    picture = desk.get_by_role("img", name="QR code")
    assert picture.evaluate("image => image.naturalWidth") > 100
    look_everywhere(desk, "app-set-up")
    desk.get_by_label("Type the code").fill("12")
    desk.get_by_role("button", name="Turn it on").click()
    expect(desk.get_by_text("This code is wrong")).to_be_visible()
    look_everywhere(desk, "app-wrong-code")
    secret = desk.locator(".value code").inner_text()
    desk.get_by_label("Type the code").fill(code_of(secret, steps=-1))
    desk.get_by_role("button", name="Turn it on").click()
    codes = keep_codes(desk, tmp_path)
    look_everywhere(desk, "security-app")
    sign_out(desk)
    with_password(desk, owner)
    look_everywhere(desk, "second-step-app")
    desk.get_by_label("Code").fill(code_of(secret))
    desk.get_by_role("button", name="Sign in").click()
    expect(desk).to_have_url(re.compile(r"^http://localhost:\d+/$"))
    sign_out(desk)
    with_password(desk, owner)
    desk.get_by_label("Code").fill(codes[0])
    desk.get_by_role("button", name="Sign in").click()
    expect(desk).to_have_url(re.compile(r"^http://localhost:\d+/$"))
    desk.goto(SECURITY)
    expect(desk.get_by_text("9 codes left")).to_be_visible()
    new_codes_and_the_end(desk)


def keep_codes(desk: Page, tmp_path: Path) -> list[str]:
    look_everywhere(desk, "codes-wait")
    desk.get_by_role("button", name="Show the codes").click()
    shown = desk.get_by_role("listitem").filter(has_text=re.compile(r"^\d{8}$"))
    expect(shown).to_have_count(10)
    look_everywhere(desk, "codes-shown")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    codes = shown.all_inner_texts()
    assert file.name == "purelymanage-recovery-codes.txt"
    assert file.read_text().split()[-10:] == codes
    desk.get_by_role("link", name="I have kept them").click()
    return codes


def new_codes_and_the_end(desk: Page) -> None:
    desk.get_by_role("link", name="Make new codes…").click()
    look_everywhere(desk, "codes-make")
    desk.get_by_role("link", name="Keep the old ones").click()
    desk.get_by_role("link", name="Turn off…").click()
    look_everywhere(desk, "app-turn-off")
    desk.get_by_role("button", name="Turn it off").click()
    expect(desk.get_by_text("The authenticator app is turned off.")).to_be_visible()
    assert desk.problems == []


def sign_out(desk: Page) -> None:
    desk.goto("/accounts/logout/")
    desk.get_by_role("button", name="Sign out").click()
    expect(desk.get_by_role("heading", name="Sign in")).to_be_visible()


def with_password(desk: Page, owner) -> None:
    desk.get_by_label("E-mail").fill(owner.email)
    desk.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.get_by_role("button", name="Sign in", exact=True).click()
