"""The pages of second factors in tests: their addresses, and what browsers do on them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from accounts.tests.soft_passkey import SoftPasskey
from conftest import PASSWORD

PAGE = "/settings/security/"
LOGIN = "/accounts/login/"
SECOND_STEP = "/accounts/2fa/authenticate/"
CONFIRM = "/accounts/2fa/reauthenticate/"
SET_UP_APP = "/accounts/2fa/totp/activate/"
TURN_OFF_APP = "/accounts/2fa/totp/deactivate/"
CODES = "/accounts/2fa/recovery-codes/"
MAKE_CODES = "/accounts/2fa/recovery-codes/generate/"
ADD_PASSKEY = "/accounts/2fa/webauthn/add/"
SIGN_IN_PASSKEY = "/accounts/2fa/webauthn/login/"
HERE = {"HTTP_HOST": "localhost:8000"}


def password_right(person: User, client: Client | None = None) -> Client:
    """A browser in which the password was right; the second step comes next."""
    client = client or Client()
    response = client.post(LOGIN, {"login": person.email, "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, SECOND_STEP)
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def options_in(page: HttpResponse) -> dict[str, Any]:
    """What the script of a page hands the browser."""
    found = re.search(r'<script id="passkey-options"[^>]*>(.*?)</script>', page.content.decode())
    assert found
    asked: dict[str, Any] = next(iter(json.loads(found[1]).values()))
    return asked


def add_passkey(client: Client, passkey: SoftPasskey, name: str = "Laptop") -> HttpResponse:
    """What the page of adding does, with a passkey in memory."""
    options = options_in(client.get(ADD_PASSKEY, **HERE))
    sent = {"name": name, "credential": json.dumps(passkey.create(options))}
    answer: HttpResponse = client.post(ADD_PASSKEY, sent, **HERE)
    return answer


def sign_in_with(
    client: Client, passkey: SoftPasskey, change: Callable[[Any], Any] = lambda answer: answer
) -> HttpResponse:
    """What the button of the sign-in page does; `change` forges the browser's answer."""
    asked = client.get(SIGN_IN_PASSKEY, headers={"Accept": "application/json"}, **HERE).json()
    sent = {"credential": json.dumps(change(passkey.get(asked["request_options"])))}
    answer: HttpResponse = client.post(SIGN_IN_PASSKEY, sent, **HERE)
    return answer
