"""Whatever handles a secret breaks in the middle, under full logging, and the secret is nowhere.

HANDLED says which addresses and tasks these are. A form with a field for a secret, or a task that
opens an envelope, that is not in it fails. What is done comes from the tables in `audited/`.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string

from purelymanage import crypto
from purelymanage.core import redaction
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.places import path_of
from purelymanage.tests.audited.posts import POSTS
from purelymanage.tests.audited.work import RUNS, WORK, command
from purelymanage.tests.audited.world import NEW_PASSWORD, SECRET, World

pytestmark = pytest.mark.once

HANDLED = {
    # Who comes in
    "account_login": ("password",),
    "account_change_password": ("oldpassword", "password1", "password2"),
    "account_reset_password_from_key": ("password1", "password2"),
    "account_reauthenticate": ("password",),
    "accounts:setup": ("password", "password_again", "code"),
    "accounts:invitation": ("password1", "password2", "password", "password_again"),
    "ui:password_strength": ("password",),
    # Second factors
    "mfa_authenticate": ("code", "credential"),
    "mfa_reauthenticate": ("code",),
    "mfa_reauthenticate_webauthn": ("credential",),
    "mfa_login_webauthn": ("credential",),
    "mfa_activate_totp": ("code",),
    "mfa_generate_recovery_codes": (),
    "mfa_add_webauthn": ("credential",),
    # Mailboxes and migrations
    "mailboxes:add": ("password",),
    "mailboxes:password_reset": ("password",),
    "mailboxes:app_password_add": (),
    "mailboxes:app_password_revoke": ("app_password",),
    "mailboxes:batches:upload": ("pasted",),
    "mailboxes:batches:start": (),
    "migrations:add": ("source_password", "destination_password"),
    "migrations:edit": ("source_password", "destination_password"),
    "migrations:real": (),
    "migrations:server_test": ("password",),
    "migrations:batch_new": ("pasted",),
}
"""Name of the address → its fields for secrets; none where it makes or opens secrets itself."""
WORKED_ON = {
    "mailboxes.tasks.work_on_batches",
    "migrations_app.tasks.run_next",
    "migrations_app.tasks.import_batches",
    "migrations_app.tasks.revoke_passwords",
    "migrations_app.tasks.check_mailboxes",
    "import_migrations",
    "accounts.tasks.send_password_reset",
    "accounts.tasks.send_invitations",
    "rotate_encryption_keys",
}
"""Tasks and commands that open or make secrets."""
FORM = re.compile(r"<form\b(.*?)</form>", re.DOTALL)
ACTION = re.compile(r'\b(?:action|hx-post)="([^"]*)"')
FIELD = re.compile(r"<(?:input|textarea)\b[^>]*>", re.DOTALL)
NAME = re.compile(r'\bname="([^"]+)"')
A_SECRET = re.compile(r"pass(?!key)|secret|token|credential|^code$|pasted", re.IGNORECASE)
POSTED = [line for line in POSTS if line.name in HANDLED]
NO_SECRET = {"csrfmiddlewaretoken"}
SAID_ONCE = {"credential"}
"""What a passkey answers is signed for one moment, and its public half is kept as it is."""
EXAMPLES = {"ui:styleguide"}
OPENS_NOTHING = [
    line
    for line in WORK
    if getattr(line, "do", None) and line.name not in WORKED_ON | walk.commands()
]


class BrokenError(Exception):
    """Nobody expects it."""


@pytest.fixture
def outputs(caplog, settings, tmp_path, monkeypatch) -> list[str]:
    """What comes out besides the database; everything is logged as the console does it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    send = Client.request

    def noting(self: Client, **environment: object) -> HttpResponseBase:
        self.raise_request_exception = False
        answer = send(self, **environment)
        if answer.status_code == 500:
            found.append(answer.content.decode(errors="replace"))
        return answer

    found: list[str] = []
    monkeypatch.setattr(Client, "request", noting)
    settings.ADMINS = [("Olga", "olga@panel.example")]
    settings.DATA_DIR = tmp_path
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(settings_formatter())
    return found


def settings_formatter() -> logging.Formatter:
    return redaction.RedactingFormatter("{levelname} {name} {message}", style="{")


def everything(outputs: list[str], caplog: pytest.LogCaptureFixture, directory: Path) -> str:
    """Answers, logs, mails about crashes, the whole database and all files."""
    text = io.StringIO()
    text.writelines(outputs)
    text.write(caplog.text)
    for message in mail.outbox:
        if message.subject.startswith("[Django]"):
            text.write(f"{message.subject}{message.body}{message.alternatives}")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            text.write(f"{cursor.fetchall()}")
    for path in directory.rglob("*"):
        if path.is_file():
            text.write(path.read_bytes().decode(errors="replace"))
    return text.getvalue()


def break_view(name: str, typed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a POST to this address is done, and then the view raises what it was given."""

    def make(_handler: BaseHandler, view):
        def breaking(request, *args, **kwargs):
            answer = view(request, *args, **kwargs)
            if request.method != "POST" or request.resolver_match.view_name != name:
                return answer
            secrets = [
                value
                for name, values in request.POST.lists()
                if A_SECRET.search(name) and name not in NO_SECRET | SAID_ONCE
                for value in values
            ]
            typed.update(secret for secret in secrets if len(secret) >= 8)
            raise BrokenError(*secrets) from ValueError(f"{secrets}")

        return breaking

    monkeypatch.setattr(BaseHandler, "make_view_atomic", make)


# The table is complete


@pytest.mark.django_db
def test_every_form_with_a_field_for_a_secret_is_in_the_table(world: World):
    missing = set()
    for role in ("owner", "stranger"):
        client = world.client(role)
        client.raise_request_exception = False
        for name, _route, item in walk.addresses():
            if (
                name in EXAMPLES
                or name.startswith("admin")
                or "GET" not in walk.methods(item.callback)
            ):
                continue
            path = path_of(name, item, world)
            page = client.get(path, follow=True)
            if page.status_code != 200 or page.streaming:
                continue
            here = page.redirect_chain[-1][0] if page.redirect_chain else path
            missing |= set(_secret_forms(page.content.decode(errors="replace"), here))
    assert missing >= {"account_login", "mailboxes:add"}
    missing -= HANDLED.keys()
    assert not missing, (
        f"{', '.join(sorted(missing))}: takes a secret. Add it to HANDLED, with the names of the"
        " fields, and its line to purelymanage/tests/audited/posts/."
    )


def _secret_forms(page: str, path: str) -> Iterator[str]:
    for form in FORM.findall(page):
        fields = [found[1] for tag in FIELD.findall(form) if (found := NAME.search(tag))]
        if any(A_SECRET.search(name) and name not in NO_SECRET for name in fields):
            action = ACTION.search(form.partition(">")[0])
            where = urlsplit(action[1] if action and action[1] else path).path
            try:
                yield resolve(where).view_name
            except Resolver404:
                yield where


def test_what_is_in_the_table_is_there_and_is_posted():
    names = {line.name for line in POSTS}
    tried_elsewhere = {
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
    assert HANDLED.keys() - names <= tried_elsewhere
    assert {line.name for line in [*WORK, *RUNS]} >= WORKED_ON


@pytest.mark.parametrize("name", sorted({one for fields in HANDLED.values() for one in fields}))
def test_the_redaction_knows_every_field_for_a_secret(name):
    assert redaction.SECRET_FIELD.search(name)


# And nothing comes out


@pytest.mark.django_db
@pytest.mark.parametrize("line", POSTED, ids=str)
def test_a_view_that_breaks_tells_no_secret(line, world, outputs, caplog, monkeypatch, tmp_path):
    typed: set[str] = set()
    break_view(line.name, typed, monkeypatch)
    with suppress(AttributeError, KeyError, TypeError, AssertionError):  # it wants a good answer
        line.do(world, partial(world.post, line.name, by=line.by))
    told = everything(outputs, caplog, tmp_path)
    assert "BrokenError" in caplog.text
    assert outputs
    for secret in {SECRET, NEW_PASSWORD, *typed}:
        assert secret not in told, f"{line.name} tells {secret[:3]}…"


@pytest.mark.django_db
@pytest.mark.parametrize("line", [one for one in WORK if one.name in WORKED_ON], ids=str)
def test_work_that_breaks_tells_no_secret(line, world, outputs, caplog, monkeypatch, tmp_path):
    opened: set[str] = set()
    decrypt = crypto.decrypt

    def breaking(envelope: str, **where: object) -> str:
        secret = decrypt(envelope, **where)
        opened.add(secret)
        raise BrokenError(secret) from ValueError(f"{[secret]}")

    def break_down(*args: object, **options: object) -> None:
        redaction.begin_task()
        task = {"success": False}
        monkeypatch.setattr(crypto, "decrypt", breaking)
        try:
            work = command if line.name in walk.commands() else import_string
            work(line.name)(*args, **options)
        except Exception as error:  # noqa: BLE001  as a worker does
            task["result"] = f"{error} : {traceback.format_exc()}"
            logging.getLogger("django-q").error("Failed: %s", task["result"])
            redaction.clean_result(task)
            outputs.append(task["result"])
        finally:
            monkeypatch.setattr(crypto, "decrypt", decrypt)

    line.do(world, break_down)
    told = everything(outputs, caplog, tmp_path)
    for secret in {SECRET, NEW_PASSWORD, *opened}:
        assert secret not in told


@pytest.mark.django_db
@pytest.mark.parametrize("line", OPENS_NOTHING, ids=str)
def test_work_that_opens_a_secret_is_in_the_table(line, world, monkeypatch):
    """Sessions are opened by whoever signs in; they are no work's."""
    opened = []
    decrypt = crypto.decrypt

    def noting(envelope: str, **where: object) -> str:
        if where.get("purpose") != crypto.Purpose.SESSIONS:
            opened.append(where)
        return decrypt(envelope, **where)

    monkeypatch.setattr(crypto, "decrypt", noting)
    line.do(world, import_string(line.name))
    assert not opened, f"{line.name}: Add it to WORKED_ON."
