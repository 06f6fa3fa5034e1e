"""A browser in which somebody is signed in, for tests that look at the database beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from purelymanage.tests.browser.conftest import CHROMIUM, FLAGS


@contextmanager
def signed_in_page(
    live_server: LiveServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A page of a browser with the session of `client`."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        yield context.new_page()
        connections.close_all()  # inside Playwright's loop the test has a connection of its own
        browser.close()
