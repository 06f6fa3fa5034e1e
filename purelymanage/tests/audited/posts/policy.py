"""Confirming who one is, and what owners do about second factors."""

from __future__ import annotations

import json
import re
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import SecurityPolicy
from accounts.tests.factors import code_now, give_app, give_passkey
from audit.actions import Action
from audit.models import Outcome
from conftest import PASSWORD
from purelymanage.tests.audited.tables import Leaves, Line, Post
from purelymanage.tests.audited.world import NEW_PASSWORD, Answer, World

PASSKEY_PAGE = "mfa_reauthenticate_webauthn"


def _confirm_by_code(world: World, post: Post) -> Answer:
    give_app(world.people["admin"])
    return post(code=code_now())


def _confirm_by_passkey(world: World, _post: Post) -> Answer:
    passkey = give_passkey(world.people["admin"])
    client = world.client("admin", SERVER_NAME="localhost")
    page = client.get(reverse(PASSKEY_PAGE)).content.decode()
    asked = re.search(r'id="passkey-options"[^>]*>(.*?)</script>', page, re.DOTALL)
    options: dict[str, Any] = json.loads(asked[1])["request_options"]  # type: ignore[index]
    return world.send(client, reverse(PASSKEY_PAGE), credential=json.dumps(passkey.get(options)))


def _demand(world: World, post: Post) -> Answer:
    give_app(world.people["owner"])
    return post(demand="on")


def _leave_open(world: World, post: Post) -> Answer:
    give_app(world.people["owner"])
    SecurityPolicy.objects.create(pk=1, second_factor_from=timezone.now())
    return post()


def _reset(world: World, post: Post) -> Answer:
    give_app(world.people["viewer"])
    return post(world.people["viewer"].pk)


POLICY: list[Line] = [
    Leaves(
        "account_reauthenticate",
        Action.IDENTITY_CONFIRMED,
        lambda _world, post: post(password=PASSWORD),
    ),
    Leaves(
        "account_reauthenticate",
        Action.IDENTITY_NOT_CONFIRMED,
        lambda _world, post: post(password=NEW_PASSWORD),
        result=Outcome.Result.REFUSED,
        status={422},
    ),
    Leaves("mfa_reauthenticate", Action.IDENTITY_CONFIRMED, _confirm_by_code),
    Leaves(PASSKEY_PAGE, Action.IDENTITY_CONFIRMED, _confirm_by_passkey),
    Leaves("accounts:factor_policy", Action.FACTOR_DEMANDED, _demand, by="owner"),
    Leaves("accounts:factor_policy", Action.FACTOR_LEFT_OPEN, _leave_open, by="owner"),
    Leaves("accounts:factor_reset", Action.FACTORS_RESET, _reset, by="owner"),
]
