"""What no log line, traceback or report may show, whoever writes it: secrets, by form or by value.

By form: passwords in addresses, headers that let somebody in, `password=…`, the links that are
mailed, envelopes. By value: the panel's own keys and passwords, and what the request or task at
hand was given or has opened (`handling_secrets`).
"""

from __future__ import annotations

import html
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from itertools import chain
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

DOTS = "••••"
SHORTEST = 6
"""What is shorter is not hidden by value: it would take ordinary words and numbers along."""
SHORTEST_PART = 8
"""The same for the parts of an address, of which many are ordinary words."""
HOST_NAME = re.compile(r"localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|[\d.]+", re.IGNORECASE)
SECRET_NAME = r"pass(?:word|wd|phrase|code)?[12]?|pwd|secrets?|tokens?|api_?keys?|otp|totp|(?:setup_?|recovery_?|mfa_?)code"  # noqa: E501, S105  a pattern
HEADERS = r"purelymail-api-token|authorization|(?:set-)?cookie"
LINKS = ("invite", "gather", "reset/key", "confirm-email", "login/code/confirm")
"""What stands in a path before the token of a link that was mailed."""
VALUE = r"""(?:b?"(?:[^"\\\n]|\\.)*"|b?'(?:[^'\\\n]|\\.)*'|[^\s&"',;)}\]]+)"""
REST = r"""(?:b?"[^"\n]*"|b?'[^'\n]*'|[^\r\n"']+)"""
SHAPES = re.compile(
    "|".join(
        (
            r"(?P<address>://[^\s/:@\"']*:)[^\s/\"']*(?=@)",
            rf"(?P<header>\b(?:http_)?(?:{HEADERS})[\"']?\s*[:=,]\s*){REST}",
            rf"(?P<field>(?:{SECRET_NAME}|_keys?\b|sessionid)\w{{0,40}}+[\"']?\s*[:=]\s*){VALUE}",
            rf"(?P<link>/(?:{'|'.join(LINKS)})/)[^\s/?\"'<>]+",
            r"(?P<envelope>\bpm1\.[0-9a-f]{8}\.)[\w=-]+",
            r"(?P<otpauth>\botpauth://)[^\s\"'<>]+",
            r"(?P<hash>\b(?:pbkdf2_\w+|scrypt|argon2\w*|bcrypt\w*)\$)[^\s\"',]+",
        )
    ),
    re.IGNORECASE,
)
HINTS = (
    "://", "pm1.", "$", "pass", "pwd", "secret", "token", "key", "otp", "code", "sessionid",
    "authorization", "cookie", *(f"/{link}/" for link in LINKS),
)  # fmt: skip
"""Most lines hold none of these, and are spared the search for the forms."""
SECRET_FIELD = re.compile(rf"{SECRET_NAME}|code|key|credential|pasted", re.IGNORECASE)
"""Names of form fields whose value is hidden as long as their request is handled."""
CELLS = re.compile(r"[,;\t\r\n]+")
"""What stands between the cells of a table that somebody pasted."""
PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")
"""What is spelled alike everywhere."""
Values = Callable[[], Iterable[str]]


class _Handled:
    """The secrets that the request or task at hand has to do with, forgotten when it ends."""

    def __init__(self, ask: Values) -> None:
        self._ask = ask
        self._spelled: dict[str, frozenset[str]] = {}

    def add(self, secret: str) -> None:
        if secret not in self._spelled:
            self._spelled[secret] = _spellings(secret)

    def spellings(self) -> Iterator[str]:
        """Of all that is known by now: a request's form is read only after it came in."""
        for secret in self._ask():
            self.add(secret)
        return chain.from_iterable(list(self._spelled.values()))


_handled: ContextVar[_Handled | None] = ContextVar("handled", default=None)


@contextmanager
def handling_secrets(ask: Values = tuple) -> Iterator[None]:
    """While a block runs, hide what `ask` says when something is logged, and what is noted."""
    token = _handled.set(_Handled(ask))
    try:
        yield
    finally:
        _handled.reset(token)


def note(secret: str) -> str:
    """Hide a secret that was made or opened just now, until the request or task ends."""
    if handled := _handled.get():
        handled.add(secret)
    return secret


def begin_task(**_: Any) -> None:
    """A worker takes a task: forget what the last one handled."""
    _handled.set(_Handled(tuple))


def clean_result(task: dict[str, Any], **_: Any) -> None:
    """What a task that failed leaves in the database is its traceback."""
    if not task.get("success") and "result" in task:
        task["result"] = redact(str(task["result"]))


class RedactionMiddleware:
    """Hides what a request brings along that is secret, as long as it is handled."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with handling_secrets(partial(_brought_by, request)):
            return self.get_response(request)


def _brought_by(request: HttpRequest) -> Iterator[str]:
    """Cookies, and what was typed into fields for secrets; nothing is read that was not yet."""
    yield from request.COOKIES.values()
    typed = request.__dict__.get("_post")
    for name, values in typed.lists() if typed else ():
        if SECRET_FIELD.search(name):
            for value in values:
                yield value
                yield from CELLS.split(value)


def redact(text: str) -> str:
    """`text` with dots for secrets."""
    if handled := _handled.get():
        text = _hide(text, handled.spellings())
    text = _hide(text, _spelled_by_us(tuple(_configured())))
    lowered = text.lower()
    return SHAPES.sub(_dots, text) if any(hint in lowered for hint in HINTS) else text


def _dots(found: re.Match[str]) -> str:
    kept = found[found.lastgroup] if found.lastgroup else ""
    return f"{kept}{DOTS}"


def _hide(text: str, secrets: Iterable[str]) -> str:
    """No regular expression: one of the ten thousand cells somebody pasted takes seconds."""
    found = [secret for secret in secrets if secret in text]
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, DOTS)
    return text


@lru_cache(maxsize=1)
def _spelled_by_us(secrets: tuple[str, ...]) -> frozenset[str]:
    return frozenset(chain.from_iterable(map(_spellings, secrets)))


def _spellings(secret: str) -> frozenset[str]:
    """As it is, and as URLs, forms, HTML, JSON and Python's own `repr` write it."""
    if len(secret) < SHORTEST:
        return frozenset()
    if PLAIN.fullmatch(secret):
        return frozenset({secret})
    return frozenset(
        {
            secret,
            html.escape(secret),
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
            repr(secret.encode(errors="surrogateescape"))[2:-1],
        }
    )


def _configured() -> Iterator[str]:
    """The panel's own secrets."""
    yield settings.SECRET_KEY
    yield from settings.ENCRYPTION_KEYS
    yield from settings.AUDIT_KEYS
    yield settings.PURELYMAIL_API_TOKEN
    yield settings.DATABASES["default"].get("PASSWORD") or ""
    yield settings.EMAIL_HOST_PASSWORD or ""
    for url in settings.NOTIFY_URLS:  # many of them are nothing but a secret
        yield url
        yield from _parts_of(url)


def _parts_of(url: str) -> Iterator[str]:
    """What a library may say of an address without saying all of it; a plain host name is none."""
    __, _separator, rest = url.partition("://")
    for part in re.split(r"[/@:?&=#]+", rest):
        if len(part) >= SHORTEST_PART and not HOST_NAME.fullmatch(part):
            yield part
            yield unquote(part)


class RedactingFormatter(logging.Formatter):
    """Of every handler: message, traceback and stack pass through here as one text."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def install() -> None:
    """Tracebacks that end a process or a thread are printed past all logging: redact them too."""
    sys.excepthook = _print_redacted
    threading.excepthook = _print_threads


def _print_redacted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _print_threads(ended: Any) -> None:
    if ended.exc_type is SystemExit:
        return
    if ended.exc_value is not None:
        _print_redacted(ended.exc_type, ended.exc_value, ended.exc_traceback)
