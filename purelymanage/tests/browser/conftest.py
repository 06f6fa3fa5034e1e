"""Chromium, people's screens, and a panel to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from migrations_app.tests.conftest import _session_pair, imap_pair  # noqa: F401  fixtures
from migrations_app.tests.dovecot import Pair
from purelymanage.tests.panel import Panel

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
SCREENS = {
    "light-desktop": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark-desktop": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "light-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser window of each kind: both schemes, and a phone."""
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


@pytest.fixture
def panel(tmp_path: Path, _session_pair: Pair) -> Iterator[Panel]:  # noqa: F811
    """A panel nobody has set up yet, which trusts the tests' mail servers."""
    panel = Panel(tmp_path, extra={"IMAP_CA_FILE": str(_session_pair.ca_file)})
    yield panel.start()
    panel.remove()


def look(page: Page) -> None:
    """The page as it stands: axe has no finding, nothing is wider than the window."""
    findings = Axe().run(page, options={"resultTypes": ["violations"]})
    assert findings.violations_count == 0, findings.generate_report()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{page.url} is {widths[0]} px wide in a window of {widths[1]}"
    assert page.problems == []
