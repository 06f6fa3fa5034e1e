"""One's own second factors: signing in with them, adding, renaming and removing them."""

from __future__ import annotations

import json
import re

from django.test import Client, TestCase
from django.urls import reverse

from accounts.tests.factors import code_of, give_codes, with_app, wrong_code
from accounts.tests.second_steps import (
    ADD_PASSKEY,
    SECOND_STEP,
    add_passkey,
    options_in,
    password_right,
    sign_in_with,
)
from accounts.tests.soft_passkey import SoftPasskey
from audit.actions import Action
from audit.models import Outcome
from purelymanage.tests.audited.tables import Exempt, Leaves, Line, Post
from purelymanage.tests.audited.world import ADDRESS, Answer, World

LOCAL = {"SERVER_NAME": "localhost"}


def _browser() -> Client:
    return Client(REMOTE_ADDR=ADDRESS)


def _second_step(world: World, _post: Post) -> Answer:
    secret = with_app(world.people["admin"])
    client = password_right(world.people["admin"], _browser())
    return world.send(client, SECOND_STEP, code=code_of(secret))


def _code_on_paper(world: World, _post: Post) -> Answer:
    with_app(world.people["admin"])
    code, *_others = give_codes(world.people["admin"])
    client = password_right(world.people["admin"], _browser())
    return world.send(client, SECOND_STEP, code=code)


def _wrong_code(world: World, _post: Post) -> Answer:
    secret = with_app(world.people["admin"])
    client = password_right(world.people["admin"], _browser())
    return world.send(client, SECOND_STEP, code=wrong_code(secret))


def _set_up_app(world: World, _post: Post) -> Answer:
    client = world.client("admin")
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]  # type: ignore[index]
    world.secrets.append(secret)
    with TestCase.captureOnCommitCallbacks(execute=True):  # allauth tells of it after the commit
        return world.send(client, reverse("mfa_activate_totp"), code=code_of(secret))


def _turn_off_app(world: World, post: Post) -> Answer:
    with_app(world.people["admin"])
    return post()


def _codes(world: World, post: Post) -> Answer:
    with_app(world.people["admin"])
    world.secrets.extend(give_codes(world.people["admin"]))
    with TestCase.captureOnCommitCallbacks(execute=True):
        return post()


def _add_passkey(world: World, _post: Post) -> Answer:
    client = world.client("admin", **LOCAL)
    credential = SoftPasskey().create(options_in(client.get(ADD_PASSKEY)))
    return world.send(client, ADD_PASSKEY, credential=json.dumps(credential))


def _passkey(world: World) -> tuple[SoftPasskey, int]:
    """One of the admin's, and the key of its row."""
    passkey, person = SoftPasskey(), world.people["admin"]
    add_passkey(world.client("admin"), passkey)
    return passkey, person.authenticator_set.get(type="webauthn").pk


def _sign_in(world: World, _post: Post) -> Answer:
    passkey, _pk = _passkey(world)
    return sign_in_with(_browser(), passkey)


def _forged(world: World, _post: Post) -> Answer:
    passkey, _pk = _passkey(world)
    return sign_in_with(_browser(), passkey, lambda answer: answer | {"response": {}})


FACTORS: list[Line] = [
    # Signing in
    Leaves("mfa_authenticate", Action.SIGNED_IN, _second_step, by="stranger", actor="admin"),
    Leaves(
        "mfa_authenticate",
        Action.RECOVERY_CODE_USED,
        _code_on_paper,
        by="stranger",
        actor="admin",
    ),
    Leaves(
        "mfa_authenticate",
        Action.FACTOR_FAILED,
        _wrong_code,
        by="stranger",
        actor="anonymous",
        result=Outcome.Result.REFUSED,
        status={422},
    ),
    Leaves("mfa_login_webauthn", Action.SIGNED_IN, _sign_in, by="stranger", actor="admin"),
    Leaves(
        "mfa_login_webauthn",
        Action.FACTOR_FAILED,
        _forged,
        by="stranger",
        actor="anonymous",
        result=Outcome.Result.REFUSED,
    ),
    # What one has
    Leaves("mfa_activate_totp", Action.FACTOR_ADDED, _set_up_app),
    Leaves("mfa_deactivate_totp", Action.FACTOR_REMOVED, _turn_off_app),
    Leaves("mfa_generate_recovery_codes", Action.RECOVERY_CODES_MADE, _codes),
    Exempt(
        "mfa_view_recovery_codes",
        "It shows once what was made with the first factor, and making it is on record.",
        _codes,
        writes={"mfa_authenticator"},
    ),
    Leaves("mfa_add_webauthn", Action.FACTOR_ADDED, _add_passkey),
    Leaves(
        "mfa_edit_webauthn",
        Action.FACTOR_RENAMED,
        lambda world, post: post(_passkey(world)[1], name="Desk"),
    ),
    Leaves(
        "mfa_remove_webauthn",
        Action.FACTOR_REMOVED,
        lambda world, post: post(_passkey(world)[1]),
    ),
]
