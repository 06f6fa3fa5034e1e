"""The token and passwords stay out of logs, errors and tracebacks, local variables included."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.client import PurelyMailClient, get_client
from purelymanage.purelymail.transport import Patience

ADDRESS = "alice@example.com"
TOKEN = "tok-8c1f-very-secret"
PASSWORD = "pass-91ab-very-secret"
SECRETS = (TOKEN, PASSWORD)
HERE = str(Path(__file__))

CHANGES = {
    "create": lambda: get_client().create_user(
        local_part="bob", domain="example.com", password=PASSWORD
    ),
    "password": lambda: get_client().modify_user(address=ADDRESS, new_password=PASSWORD),
    "revoke": lambda: get_client().delete_app_password(address=ADDRESS, app_password=PASSWORD),
    "read": lambda: get_client().get_user(address=ADDRESS),
}


def everything_told_by(error: BaseException) -> str:
    """All texts and local variables a debugger or error page could show, of every linked error."""
    told, todo, seen = [], [error], set()
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        todo += [one.__cause__, one.__context__]
        told += [repr(one), str(one), repr(one.args), repr(vars(one))]
        report = traceback.TracebackException.from_exception(one, capture_locals=True)
        told += [
            repr(frame.locals) for frame in report.stack if frame.filename != HERE and frame.locals
        ]
    return "\n".join(told)


@pytest.fixture
def secretive(purelymail, settings, monkeypatch):
    purelymail.state.add_domain("example.com")
    purelymail.state.add_user(ADDRESS)
    settings.PURELYMAIL_API_TOKEN = TOKEN
    monkeypatch.setattr(purelymail.server.service, "token", TOKEN)
    return purelymail


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "fault", ["drop_before", "drop_after", "http_500", "truncated", "invalid_token", "rate_limit"]
)
def test_no_failure_tells_a_secret(secretive, caplog, change, fault):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    secretive.fault("*", fault, times=None)
    with pytest.raises(PurelyManageError) as caught:
        CHANGES[change]()
    told = everything_told_by(caught.value)
    assert "attempt" in told  # the frames of the transport are among those looked at
    assert "urllib3" in {record.name.split(".")[0] for record in caplog.records}
    for secret in SECRETS:
        assert secret not in told
        assert secret not in caplog.text


def test_no_time_out_tells_a_secret(secretive, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    secretive.give_up_after(0.1)
    secretive.fault("*", "timeout_before", times=None)
    with pytest.raises(PurelyManageError) as caught:
        CHANGES["password"]()
    for secret in SECRETS:
        assert secret not in everything_told_by(caught.value) + caplog.text


def test_no_refused_connection_tells_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    client = PurelyMailClient(
        url="http://127.0.0.1:9", token=TOKEN, patience=Patience(sleep=lambda _: None)
    )
    with pytest.raises(PurelyManageError) as caught:
        client.modify_user(address=ADDRESS, new_password=PASSWORD)
    for secret in SECRETS:
        assert secret not in everything_told_by(caught.value) + caplog.text


def test_a_wrong_address_does_not_tell_the_token(settings):
    settings.PURELYMAIL_API_TOKEN = TOKEN
    settings.PURELYMAIL_API_URL = "http://purelymail.com"
    with pytest.raises(PurelyManageError) as caught:
        get_client()
    assert TOKEN not in everything_told_by(caught.value)


def test_a_password_echoed_by_purelymail_is_blotted_out(secretive, monkeypatch):
    message = f"Password {PASSWORD} is too weak"
    answer = {"type": "error", "code": "weakPassword", "message": message}
    monkeypatch.setattr(secretive.server.service, "perform", lambda *_: answer)
    with pytest.raises(PurelyManageError) as caught:
        CHANGES["create"]()
    assert "Password ••• is too weak" in caught.value.message
    assert PASSWORD not in everything_told_by(caught.value)


def test_a_client_does_not_show_its_token(secretive):
    client = get_client()
    client.list_users()
    assert TOKEN not in f"{client!r} {client} {vars(client)!r}"


def test_the_state_told_by_the_simulator_holds_no_password(secretive):
    CHANGES["create"]()
    secret = get_client().create_app_password(address=ADDRESS)
    state = str(secretive.server.service.state())
    assert "bob@example.com" in state
    assert secret not in state
    assert PASSWORD not in state
    assert "$" not in state  # no hash either
