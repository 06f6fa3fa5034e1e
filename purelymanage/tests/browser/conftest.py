"""Chromium, people's screens, and a panel to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from migrations_app.tests.conftest import _session_pair, imap_pair  # noqa: F401  fixtures
from migrations_app.tests.dovecot import Pair
from purelymanage.tests.browser.rewind import Moment
from purelymanage.tests.panel import Panel
from purelymanage.tests.visitor import Visitor

SCREENSHOTS = os.environ.get("SCREENSHOTS")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-proxy-server",
]
SCREENS = {
    "light-desktop": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark-desktop": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "light-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser per file, because Django's database refuses to work in Playwright's loop."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["light-desktop", "light-phone"])
def screen(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser window of each size."""
    context = chromium.new_context(**SCREENS[request.param])
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(screen: BrowserContext) -> Page:
    """A page in which errors of scripts and refused resources fail the test."""
    page = screen.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: (
            problems.append(message.text)
            if message.type == "error" and "Content Security Policy" in message.text
            else None
        ),
    )
    page.problems = problems
    return page


@pytest.fixture(scope="session")
def _first_moment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moment]:
    """One panel for all journeys: its owner is signed in, its lists have been read."""
    panel = Panel(tmp_path_factory.mktemp("panel"))
    try:
        panel.start()
        panel.owner = Visitor(panel.url)
        panel.owner.set_up()
        panel.owner.wait_for("/mailboxes/", "of 40")
        panel.owner.wait_for("/routing/", "of 12")
        panel.owner.wait_for("/domains/", "1 of 3 missing")  # looked up, with a DKIM key missing
        yield Moment(panel)
    finally:
        panel.remove()


@pytest.fixture(scope="module")
def demo(_first_moment: Moment) -> Panel:
    """A panel for the tests of a file, untouched by those of others."""
    _first_moment.go_back()
    return _first_moment.panel


@pytest.fixture
def desk(chromium: Browser, demo: Panel) -> Iterator[Page]:
    """The owner at work. What goes wrong behind the pages fails the test at the next `look`."""
    context = signed_in(chromium, demo)
    yield watched(context.new_page(), host=demo.url)
    context.close()


@pytest.fixture
def plain_desk(chromium: Browser, demo: Panel) -> Iterator[Page]:
    """The owner in a browser without JavaScript."""
    context = signed_in(chromium, demo, java_script_enabled=False)
    yield context.new_page()
    context.close()


def signed_in(chromium: Browser, panel: Panel, **options: object) -> BrowserContext:
    """A window with the owner's session."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, **options)
    context.set_default_timeout(15_000)
    cookies = panel.owner.session.cookies
    context.add_cookies([{"name": c.name, "value": c.value, "url": panel.url} for c in cookies])
    return context


def watched(page: Page, *, host: str) -> Page:
    """Collect errors in the console, but for forms sent back, and requests to other hosts."""
    page.set_default_timeout(15_000)
    page.problems = []

    def read(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 422" not in message.text:
            page.problems.append(message.text)

    def note(request: Request) -> None:
        if not request.url.startswith((f"{host}/", "data:", "blob:")):
            page.problems.append(f"asked {request.url}")

    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", read)
    page.on("request", note)
    return page


@pytest.fixture
def panel(tmp_path: Path, _session_pair: Pair) -> Iterator[Panel]:  # noqa: F811
    """A panel nobody has set up yet, which trusts the tests' mail servers."""
    panel = Panel(tmp_path, extra={"IMAP_CA_FILE": str(_session_pair.ca_file)})
    yield panel.start()
    panel.remove()


def look_everywhere(page: Page, name: str) -> None:
    """The page as it stands, in both schemes and on a phone; then the desk is as it was.

    Schemes differ in colours alone, so the dark one is judged by those. With
    SCREENSHOTS=<directory> the pictures are kept there.
    """
    for screen, how in SCREENS.items():
        page.emulate_media(color_scheme=how["color_scheme"], reduced_motion="reduce")
        page.set_viewport_size(how["viewport"])
        if SCREENSHOTS:
            page.screenshot(path=f"{SCREENSHOTS}/{name}-{screen}.png", full_page=True)
        look(page, rules=["color-contrast"] if screen == "dark-desktop" else None)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(SCREENS["light-desktop"]["viewport"])


def look_in_both_schemes(page: Page) -> None:
    """The page as it stands; schemes differ in colours alone."""
    look(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    look(page, rules=["color-contrast"])
    page.emulate_media(color_scheme="light")


def look(page: Page, *, rules: list[str] | None = None) -> None:
    """The page as it stands: axe has no finding, nothing is wider than the window."""
    only = {"runOnly": rules} if rules else {}
    findings = Axe().run(page, options={"resultTypes": ["violations"], **only})
    assert findings.violations_count == 0, findings.generate_report()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{page.url} is {widths[0]} px wide in a window of {widths[1]}"
    assert page.problems == []
