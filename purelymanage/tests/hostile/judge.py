"""What is wrong with an answer."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.core.signals import got_request_exception
from django.http import HttpResponseBase

from purelymanage.tests.hostile.values import COMPUTED, EVIL, MARK

HERE = ("", "testserver")
LEADS = ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url", "Refresh")
LINKS = {"href", "src", "action", "formaction", "hx-get", "hx-post", "data", "srcdoc"}
SAFE_TYPES = ("text/plain", "text/csv", "application/json", "application/x-ndjson")
NOT_READY = 503


class Reflections(HTMLParser):
    """Elements that are there only because somebody typed them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            target = (value or "").strip().lower()
            is_link = name in LINKS and (
                target.startswith("javascript:") or urlsplit_safely(target) == EVIL
            )
            if name == MARK or name.startswith("on") or is_link:
                self.found.append(f"<{tag} {name}={value!r}>")


def urlsplit_safely(url: str) -> str:
    """Where a browser would go: to it a backslash is a slash."""
    try:
        return urlsplit(url.replace("\\", "/")).netloc
    except ValueError:
        return url


def reflected(response: HttpResponseBase) -> list[str]:
    """Markup, links and computed templates of the sender's own in the answer."""
    if response.streaming:
        return []
    text = response.content.decode(errors="replace")
    kind = response.headers.get("Content-Type", "text/html").partition(";")[0]
    found = [f"{COMPUTED}: a template was rendered"] if COMPUTED in text else []
    if kind == "text/html":
        page = Reflections()
        page.feed(text)
        found += page.found
    elif text and kind not in SAFE_TYPES and MARK in text:
        found.append(f"{MARK} in {kind}")
    return found


def headers_wrong(response: HttpResponseBase) -> list[str]:
    """A header of the sender's own, or one that leads out of the panel."""
    found = [name for name in response.headers if name.lower() == "x-hostile"]
    found += [
        f"{name}: {response.headers[name]}"
        for name in LEADS
        if name in response.headers and urlsplit_safely(response.headers[name]) not in HERE
    ]
    if response.headers.get("X-Content-Type-Options") != "nosniff":
        found.append("no nosniff")
    return found


class Errors(logging.Handler):
    """Collects what is logged as an error, and what no view caught."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("django.security") and record.name != "django.request":
            self.found.append(f"{record.name}: {record.getMessage()[:300]}")

    def on_exception(self, **_facts: Any) -> None:
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)[-5:]
            place = " < ".join(f"{one.filename[-40:]}:{one.lineno}" for one in reversed(frames))
            self.found.append(f"{type(error).__name__}: {str(error)[:200]} at {place}")


@contextmanager
def errors() -> Iterator[list[str]]:
    """What goes wrong inside the block."""
    handler = Errors()
    logging.getLogger().addHandler(handler)
    got_request_exception.connect(handler.on_exception)
    try:
        yield handler.found
    finally:
        got_request_exception.disconnect(handler.on_exception)
        logging.getLogger().removeHandler(handler)
