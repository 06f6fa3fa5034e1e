"""No line that anybody logs, no traceback and no report shows a secret."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time

import pytest
from django.conf import settings as real_settings
from django.core import mail
from django.test import Client, RequestFactory
from django_q.signals import post_execute_in_worker, pre_execute

from domains.tests.factories import DomainFactory
from purelymanage.core import redaction
from purelymanage.core.redaction import RedactingFormatter, handling_secrets, note, redact
from purelymanage.crypto import encrypt
from purelymanage.tests.audited import walk

SECRET = "Zx9-quiet-harbour"
LINES = [
    f"postgres://panel:{SECRET}@db.example/panel",
    f"smtp://olga%40panel.example:{SECRET}@smtp.example:587",
    f"Purelymail-Api-Token: {SECRET}",
    f"{{'Purelymail-Api-Token': '{SECRET}', 'Accept': '*/*'}}",
    f"('Authorization', 'Basic {SECRET}')",
    f"Authorization: Bearer {SECRET}",
    f"HTTP_COOKIE=__Host-sessionid={SECRET}; csrftoken={SECRET}",
    f"Set-Cookie: sessionid={SECRET}; HttpOnly",
    f"password={SECRET}",
    f"ValueError: {{'source_password': '{SECRET} and more', 'host': 'h'}}",
    f'{{"newPassword": "{SECRET}", "userName": "lea"}}',
    f"passphrase: {SECRET}",
    f"api_key='{SECRET}'",
    f"SECRET_KEY={SECRET}",
    f"LOGIN lea password2={SECRET}&next=/",
    f"Not Found: /invite/{SECRET}/",
    f"GET /gather/{SECRET}/?a=1 HTTP/1.1",
    f"/accounts/password/reset/key/4-{SECRET}/",
    f"https://panel.example/accounts/password/reset/key/4-{SECRET}/ 500",
    f"otpauth://totp/panel:olga?secret={SECRET}&issuer=x",
    f"otpauth://totp/panel:olga?x={SECRET}",
    f"INSERT … args=('pm1.a43d64b4.{SECRET}',)",
    f"args=('pbkdf2_sha256$1000000$salt${SECRET}',)",
]
TOKEN = re.compile(r"[<:](token|key|uidb36|code)>")
NO_TOKENS = {"domains:deviation", "domains:deviation_withdraw"}
"""The key is that of a DNS record: MX, SPF."""
HARMLESS = [
    "Forbidden (CSRF cookie not set.): /mailboxes/new/",
    "Not Found: /accounts/password/change/",
    "http://127.0.0.1:8000/migrations/12/ answered 500",
    "imap.old.example:993 lea@old.example",
    "Key a43d64b4: 10,000 sealed anew, 0 were current",
    "2026-11-21 16:00:17,433 WARNING domains.copy Could not refresh the mailboxes: not reached",
]


class BrokenError(Exception):
    """Nobody expects it."""


# By form


@pytest.mark.parametrize("line", LINES)
def test_known_forms_are_hidden(line):
    assert SECRET not in redact(line)
    assert redaction.DOTS in redact(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_stays_readable(line):
    assert redact(line) == line


def test_an_envelope_keeps_the_id_of_its_key():
    assert redact(encrypt("x", bound_to="a")).startswith("pm1.a43d64b4.•")


def test_every_address_with_a_token_in_its_path_is_hidden():
    """A link that is mailed and is not known here would stand in the log of the web server."""
    found = set()
    for name, route, _item in walk.addresses():
        if TOKEN.search(route) and name not in NO_TOKENS:
            path = re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>|\^|\$", put_in, route)
            assert SECRET in path, route
            assert SECRET not in redact(f"Not Found: /{path}"), name
            found.add(name)
    assert "account_reset_password_from_key" in found


def put_in(found: re.Match[str]) -> str:
    return "" if found[0] in "^$" else SECRET


# By value


def test_our_own_secrets_are_hidden_by_value(settings):
    settings.NOTIFY_URLS = ["https://apprise.example/hidden-path-of-it"]
    settings.EMAIL_HOST_PASSWORD = "mail server's own"
    settings.PURELYMAIL_API_TOKEN = "token-of-purelymail"
    for value in (
        settings.SECRET_KEY,
        settings.ENCRYPTION_KEYS[0],
        settings.PURELYMAIL_API_TOKEN,
        settings.EMAIL_HOST_PASSWORD,
        settings.NOTIFY_URLS[0],
    ):
        for text in (value, repr([value]), repr(value.encode())):
            assert value not in redact(f"before {text} after")
            assert "before" in redact(f"before {text} after")


def test_short_words_are_not_taken_for_secrets(settings):
    settings.EMAIL_HOST_PASSWORD = "error"
    assert redact("an error occurred") == "an error occurred"


def test_what_is_handled_is_hidden_only_meanwhile():
    with handling_secrets(lambda: [SECRET]):
        note("made just now")
        assert redact(f"{SECRET}, made just now") == "••••, ••••"
    assert redact(f"{SECRET}, made just now") == f"{SECRET}, made just now"


def test_what_is_sealed_or_opened_is_hidden():
    with handling_secrets():
        encrypt(SECRET, bound_to="a")
        assert SECRET not in redact(f"imaplib: {SECRET} refused")


def test_a_request_body_that_nobody_read_is_not_read_for_a_log_line():
    request = RequestFactory().post("/", {"password": SECRET})
    with handling_secrets(lambda: redaction._brought_by(request)):
        redact("a line")
        assert not hasattr(request, "_post")
        assert request.POST["password"] == SECRET
        assert SECRET not in redact(f"it was {SECRET}")


def test_a_pasted_list_makes_no_line_slow():
    cells = [f"user{number}@a.example" for number in range(10_000)]
    started = time.process_time()
    with handling_secrets(lambda: cells):
        assert redact(f"lea, {cells[-1]}") == "lea, ••••"
    assert time.process_time() - started < 1


def test_no_line_is_made_to_be_slow():
    """Everybody can have the path of an address that is not there written to the log."""
    line = "/" + "pass" * 10_000
    started = time.process_time()
    assert redact(line) == line
    assert time.process_time() - started < 1


def test_what_was_handled_is_not_kept():
    secret = "-".join((SECRET, "alone"))
    references = sys.getrefcount(secret)
    with handling_secrets(lambda: [secret]):
        assert redact(secret) == "••••"
    assert sys.getrefcount(secret) == references


# Everywhere


def test_message_arguments_traceback_and_causes_are_hidden():
    record = logging.LogRecord("x", 40, "f", 1, "given %s", (f"password={SECRET}",), None)
    try:
        try:
            raise ValueError(f"token={SECRET}")
        except ValueError as error:
            error.add_note(f"api_key={SECRET}")
            raise BrokenError(f"secret='{SECRET}'") from error
    except BrokenError:
        record.exc_info = sys.exc_info()
    line = RedactingFormatter("{message}", style="{").format(record)
    assert SECRET not in line
    assert "BrokenError" in line
    assert "direct cause" in line


def test_every_handler_of_the_panel_writes_through_it():
    """Django's and gunicorn's own handlers would not."""
    for handler in real_settings.LOGGING["handlers"].values():
        assert handler["formatter"] == "line"
    assert issubclass(RedactingFormatter, logging.Formatter)
    loggers = real_settings.LOGGING["loggers"]
    assert {"django", "django.server", "gunicorn.error", "gunicorn.access"} <= loggers.keys()


def test_an_exception_that_repeats_what_was_typed_is_in_no_log_mail_or_page(
    admin_client: Client, settings, caplog, monkeypatch
):
    typed = f"{SECRET}<&>"

    def broken() -> None:
        raise BrokenError(f"cannot {[typed]} with {typed}") from ValueError(typed.encode())

    DomainFactory(name="lindenhof.example")
    monkeypatch.setattr("mailboxes.services.presence.get_client", broken)
    settings.ADMINS = [("Olga", "olga@panel.example")]
    admin_client.raise_request_exception = False
    caplog.handler.setFormatter(RedactingFormatter())
    form = {"local_part": "lea", "domain": "lindenhof.example", "password": typed}
    for is_debug in (False, True):
        settings.DEBUG = is_debug
        response = admin_client.post("/mailboxes/new/", form)
        assert response.status_code == 500
        assert SECRET not in response.content.decode()
    [report] = mail.outbox
    assert "BrokenError" in report.body
    assert SECRET not in f"{report.subject}{report.body}{report.alternatives}{caplog.text}"


def test_a_task_that_fails_leaves_no_secret_in_its_row():
    task = {"success": False, "result": f"'{SECRET}' : Traceback… password={SECRET}"}
    with handling_secrets():
        redaction.begin_task()
        note(SECRET)
        redaction.clean_result(task)
    assert SECRET not in task["result"]


def test_a_worker_cleans_what_it_leaves():
    assert pre_execute.has_listeners()
    assert redaction.clean_result in [
        receiver() for _key, receiver, *_ in post_execute_in_worker.receivers
    ]


def test_a_process_that_crashes_prints_no_secret():
    code = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'purelymanage.settings_test';"
        f"django.setup(); raise RuntimeError('password={SECRET}')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "RuntimeError" in ended.stderr
    assert SECRET not in ended.stderr.splitlines()[-1]


def test_it_costs_little():
    began = time.perf_counter()
    for _ in range(200):
        for line in HARMLESS:
            redact(line)
    assert (time.perf_counter() - began) / (200 * len(HARMLESS)) < 0.000_5
