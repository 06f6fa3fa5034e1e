"""Start-up checks with a helpful sentence each.

`refuse_unusable` runs at the end of settings.py, so that no process starts on bad settings: not a
command, not gunicorn, not a worker. What is merely unwise is a warning of `manage.py check`.
"""

from __future__ import annotations

import base64
import logging
import warnings
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004  Django's name for it
from django.core.exceptions import ImproperlyConfigured

from purelymanage.core.hosts import is_loopback, parse_endpoint
from purelymanage.core.mail import is_mail_set_up

MIN_SECRET_KEY = 50
MIN_DISTINCT = 12
KEY_BYTES = 32
MAX_PORT = 65536
INSECURE_PREFIX = "django-insecure-"
TIMES = {
    "SESSION_IDLE_MINUTES": (1, 365 * 24 * 60),
    "SESSION_MAX_HOURS": (1, 365 * 24),
    "INVITATION_DAYS": (1, 365),
    "SECOND_FACTOR_GRACE_DAYS": (0, 365),
}
LONGEST_IDLE_MINUTES, LONGEST_SESSION_HOURS = 30, 12
"""Of a session, as OWASP ASVS 4.0 level 2 has it (3.3.2)."""
ENGINES = ("auto", "imapsync", "builtin")
MAKE_KEYS = "Make good ones with: .venv/bin/python -m purelymanage.make_keys >> .env"


class UnusableSettingsError(ImproperlyConfigured):
    """What is wrong with the settings, a line each."""


class Environment(environ.Env):  # type: ignore[misc]  # environ ships no types
    """The environment; what does not read as what it should be is named in a sentence."""

    def int(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        if default is not self.NOTSET and not self.str(var, default="").strip():
            return default
        try:
            return super().int(var, default)
        except ValueError:
            raise UnusableSettingsError(f"{var} must be a whole number.") from None

    def list(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET) -> Any:
        try:
            return super().list(var, cast, default)
        except ValueError:
            raise UnusableSettingsError(
                f"{var} must be whole numbers, with commas between."
            ) from None

    def db_url(self, var: str, default: Any = environ.Env.NOTSET, engine: Any = None) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # environ's warning would repeat the password
            database = super().db_url(var, default, engine)
        if "." not in database.get("ENGINE", ""):
            raise UnusableSettingsError(
                f"{var} is not the address of a database. Use postgres://user:password@host/name, "
                "or leave it out for SQLite."
            )
        return database


def refuse_unusable(values: Mapping[str, Any]) -> None:
    """Raise UnusableSettingsError if the panel must not start with these settings."""
    if problem := _port_problem(values):  # other settings follow from the port: first things first
        raise UnusableSettingsError(problem)
    if found := [*_key_problems(values), *_value_problems(values)]:
        raise UnusableSettingsError("\n".join(found))


def _key_problems(values: Mapping[str, Any]) -> Iterator[str]:
    rings = ("ENCRYPTION_KEYS", "AUDIT_KEYS")
    problems = [_malformed_key_problem(name, values[name]) for name in rings]
    if not values["DEMO"]:
        problems += [
            _secret_key_problem(values["SECRET_KEY"]),
            _missing_keys_problem(values["ENCRYPTION_KEYS"]),
            *(_weak_keys_problem(name, values[name]) for name in rings),
        ]
    for problem in filter(None, problems):
        yield f"{problem} {MAKE_KEYS}"


def _secret_key_problem(key: str) -> str:
    if not key:
        return "SECRET_KEY is missing. It protects sessions and links."
    if key.startswith(INSECURE_PREFIX):
        return f"SECRET_KEY begins with {INSECURE_PREFIX}, as in examples anybody can read."
    if len(key) < MIN_SECRET_KEY:
        return f"SECRET_KEY is too short: it needs at least {MIN_SECRET_KEY} characters."
    if len(set(key)) < MIN_DISTINCT:
        return f"SECRET_KEY is too plain: it needs at least {MIN_DISTINCT} different characters."
    return ""


def _malformed_key_problem(name: str, keys: list[str]) -> str:
    for position, key in enumerate(keys, start=1):
        try:
            length = len(base64.b64decode(key, validate=True))
        except ValueError:
            length = 0
        if length != KEY_BYTES:
            return f"{name}, number {position}: it is not 32 random bytes in base64."
    return ""


def _missing_keys_problem(keys: list[str]) -> str:
    return "" if keys else "ENCRYPTION_KEYS is missing. It protects the stored IMAP passwords."


def _weak_keys_problem(name: str, keys: list[str]) -> str:
    for position, key in enumerate(keys, start=1):
        if len(set(key)) < MIN_DISTINCT:
            return f"{name}, number {position}: its bytes are not random."
    return ""


def _port_problem(values: Mapping[str, Any]) -> str:
    port, demo_port, last = values["PORT"], values["DEMO_PORT"], MAX_PORT - 4  # of four in a row
    if not 0 < port < MAX_PORT:
        return f"PORT is {port}. Use 1 to {MAX_PORT - 1}."
    if values["DEMO"] and not 0 < demo_port <= last:
        return f"DEMO_PORT is {demo_port}: unless set, ten more than PORT. Use 1 to {last}."
    return ""


def _value_problems(values: Mapping[str, Any]) -> Iterator[str]:
    if values["MIGRATION_ENGINE"] not in ENGINES:
        yield f"MIGRATION_ENGINE is {values['MIGRATION_ENGINE']!r}. Use {' or '.join(ENGINES)}."
    for name in ("MIGRATION_CONCURRENCY", "SYNC_WORKERS"):
        if values[name] < 1:
            yield f"{name} is {values[name]}. Use 1 or more."
    if values["TIME_ZONE"] not in available_timezones():
        yield f"TIME_ZONE is {values['TIME_ZONE']!r}. Use a name such as Europe/Berlin."
    if values["LOGGING"]["root"]["level"] not in logging.getLevelNamesMapping():
        yield "LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR."
    for name in ("LOG_RETENTION_DAYS", "JOB_RETENTION_DAYS", "AUDIT_RETENTION_DAYS"):
        if values[name] < 0:
            yield f"{name} is {values[name]}. Use 0 or more days."
    yield from _time_problems(values)
    yield from _address_problems(values)


def _time_problems(values: Mapping[str, Any]) -> Iterator[str]:
    is_sound = True
    for name, (least, most) in TIMES.items():
        if not least <= values[name] <= most:
            is_sound = False
            yield f"{name} is {values[name]}. Use {least} to {most}."
    idle, longest = values["SESSION_IDLE_MINUTES"], values["SESSION_MAX_HOURS"]
    if is_sound and idle > longest * 60:
        yield (
            f"SESSION_IDLE_MINUTES is {idle}, longer than a session may last at all. Use up to "
            f"{longest * 60}, or raise SESSION_MAX_HOURS."
        )


def _address_problems(values: Mapping[str, Any]) -> Iterator[str]:
    if not _is_base(values["PURELYMAIL_API_URL"], plain_allowed=is_loopback):
        yield (
            "PURELYMAIL_API_URL must begin with https:// and name a host; plain http is for this "
            "machine alone. Leave it out for https://purelymail.com."
        )
    site = values["BASE_URL"]
    if not _is_base(site, plain_allowed=lambda _host: True) or urlsplit(site).path:
        yield (
            "BASE_URL must be the address of the panel, such as https://panel.example.com, "
            "without a path: the panel needs a host name of its own."
        )
    for entry in values["TRUSTED_PROXIES"]:
        if not _is_proxy(entry):
            yield (
                f"TRUSTED_PROXIES names {entry!r}. Use IP addresses, networks such as 10.0.0.0/8, "
                "or unix for a socket file."
            )
    ports = values["IMAP_PORTS"]
    if not ports or not all(0 < port < MAX_PORT for port in ports):
        yield (
            f"IMAP_PORTS is {', '.join(map(str, ports)) or 'empty'}. Use numbers from 1 to "
            f"{MAX_PORT - 1} with commas between, or leave it out for 143,993."
        )
    imap = values["PURELYMAIL_IMAP_URL"]
    if not _is_imap(imap):
        yield (
            f"PURELYMAIL_IMAP_URL is {imap!r}. Leave it out, or use a host with its port, such as "
            "imaps://imap.purelymail.com:993."
        )
    for entry in values["DNS_RESOLVERS"]:
        if not parse_endpoint(entry, port=53):
            yield (
                f"DNS_RESOLVERS names {entry!r}. Use IP addresses, with a port where it is not "
                "53: 1.1.1.1, 192.0.2.1:5353 or [2001:db8::1]:5353."
            )


def _is_imap(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname and parts.port)
    except ValueError:
        return False
    return is_complete and parts.scheme in ("imap", "imaps") and not parts.username


def _is_base(url: str, *, plain_allowed: Any) -> bool:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or parts.username:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and bool(plain_allowed(host)))


def _is_proxy(entry: str) -> bool:
    try:
        return entry == "unix" or bool(ip_network(entry))
    except ValueError:
        return False


def check_unwise(**_kwargs: Any) -> list[CheckMessage]:
    """What works but should not stay so on a site others can reach."""
    site = urlsplit(settings.BASE_URL)
    if is_loopback(site.hostname or ""):
        return []
    unwise = (
        (
            settings.DEBUG,
            "DEBUG shows settings and code to anybody who meets an error.",
            "Set DEBUG=off.",
        ),
        (
            site.scheme != "https",
            "Passwords travel unencrypted, because BASE_URL begins with http://.",
            "Serve it by https:// and say so in BASE_URL.",
        ),
        (
            not is_mail_set_up(),
            "Mails for new passwords are printed to the log instead of being sent.",
            "Set EMAIL_URL.",
        ),
        (
            _is_open_to_others(settings.ENV_FILE),
            "Other users of this machine can read .env, and with it the keys and the API token.",
            f"Run: chmod 600 {settings.ENV_FILE}",
        ),
        (
            settings.CSP_REPORT_ONLY,
            "Browsers only report what the content security policy forbids, and run it.",
            "Set CSP_REPORT_ONLY=off once you have found what you looked for.",
        ),
        (
            settings.IMAP_ALLOW_LOCAL and not settings.DEMO,
            "Admins can have the panel connect to services of this machine, on any port.",
            "Set IMAP_ALLOW_LOCAL=off, unless the mail server runs on this machine.",
        ),
        (
            settings.SESSION_IDLE_MINUTES > LONGEST_IDLE_MINUTES
            or settings.SESSION_MAX_HOURS > LONGEST_SESSION_HOURS,
            "A stolen or forgotten session stays open for longer than OWASP ASVS level 2 allows.",
            "Set SESSION_IDLE_MINUTES to at most 30 and SESSION_MAX_HOURS to at most 12.",
        ),
    )
    return [
        Warning(text, hint=hint, id=f"purelymanage.W{number:03}")
        for number, (applies, text, hint) in enumerate(unwise, start=1)
        if applies
    ]


def _is_open_to_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o007)
