"""Answers the simulator would not give: `responses` plays the other side."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import requests
import responses
import time_machine

from purelymanage.core.errors import RefusedError, UnavailableError
from purelymanage.purelymail.client import PurelyMailClient
from purelymanage.purelymail.deeds import DEEDS
from purelymanage.purelymail.errors import (
    ApiRefusedError,
    InvalidTokenError,
    NoAnswerError,
    NotReachedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from purelymanage.purelymail.simulator.operations import OPERATIONS
from purelymanage.purelymail.transport import Patience

pytestmark = pytest.mark.once

BASE = "https://purelymail.test"
USERS = {"type": "success", "result": {"users": ["a@example.com"]}}


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses):
    client = PurelyMailClient(url=f"{BASE}/", token="t0ken", patience=Patience(sleep=pauses.append))
    yield client
    client.close()


@pytest.fixture
def answers():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def listing(answers, **answer) -> None:
    answers.post(f"{BASE}/api/v0/listUser", **answer)


def calls(answers, operation: str) -> int:
    return sum(call.request.url.endswith(f"/{operation}") for call in answers.calls)


@pytest.mark.parametrize("reply", [USERS, {"result": {"users": ["a@example.com"]}}])
def test_success_is_read_with_and_without_its_type(client, answers, reply):
    listing(answers, json=reply)
    assert client.list_users().addresses == ["a@example.com"]
    assert answers.calls[0].request.body == b"{}"


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("typed", [True, False])
def test_an_error_in_the_body_counts_whatever_the_status(client, answers, status, typed):
    reply = {"code": "invalidToken", "message": "Token not valid."}
    listing(answers, json=({"type": "error"} if typed else {}) | reply, status=status)
    with pytest.raises(InvalidTokenError):
        client.list_users()
    assert calls(answers, "listUser") == 1


@pytest.mark.parametrize(
    "reply",
    [
        {"type": "success"},
        {"type": "success", "result": None},
        {"type": "success", "result": []},
        {"type": "success", "result": "users"},
        {"type": "success", "result": {}},
        {"type": "success", "result": {"users": None}},
        {"type": "success", "result": {"users": {"a@example.com": {}}}},
        {"type": "success", "result": {"users": [{"name": "a@example.com"}]}},
        {"type": "other", "result": {"users": []}},
        {"users": ["a@example.com"]},
        ["a@example.com"],
        "users",
        None,
        {},
    ],
)
def test_a_reply_of_the_wrong_shape_is_never_a_success(client, answers, reply):
    listing(answers, json=reply)
    with pytest.raises(UnavailableError):
        client.list_users()


@pytest.mark.parametrize(
    ("operation", "method", "result"),
    [
        ("checkAccountCredit", "check_account_credit", {"credit": "many"}),
        ("checkAccountCredit", "check_account_credit", {"credit": "NaN"}),
        ("checkAccountCredit", "check_account_credit", {"credit": True}),
        ("getOwnershipCode", "get_ownership_code", {"code": 1}),
        ("listDomains", "list_domains", {"domains": [{"name": "example.com"}]}),
        ("listDomains", "list_domains", {"domains": [{"dnsSummary": {"passesMx": "yes"}}]}),
        ("listRoutingRules", "list_routing_rules", {"rules": [{"id": "1"}]}),
        ("listRoutingRules", "list_routing_rules", {"rules": [{"id": True}]}),
    ],
)
def test_every_reply_is_checked_for_shape(client, answers, operation, method, result):
    answers.post(f"{BASE}/api/v0/{operation}", json={"type": "success", "result": result})
    with pytest.raises(UnavailableError, match="expected form"):
        getattr(client, method)()


def test_a_credit_sent_as_a_number_loses_no_digit(client, answers):
    digits = "19.160799483013731800458784128997440432098765432"
    answers.post(f"{BASE}/api/v0/checkAccountCredit", body=f'{{"result": {{"credit": {digits}}}}}')
    assert str(client.check_account_credit()) == digits


@pytest.mark.parametrize("result", [{}, None])
def test_a_change_may_answer_with_an_empty_result_or_none(client, answers, result):
    answers.post(f"{BASE}/api/v0/deleteUser", json={"type": "success", "result": result})
    client.delete_user(address="a@example.com")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 530])
def test_a_failing_service_is_asked_again(client, answers, pauses, status):
    listing(answers, body="<html>", status=status)
    listing(answers, json=USERS)
    assert client.list_users().addresses == ["a@example.com"]
    assert len(pauses) == 1


def test_a_misspelled_operation_names_the_setting_to_check(client, answers):
    listing(answers, body="<html>Not found", status=404)
    with pytest.raises(NotReachedError, match="API is not at PURELYMAIL_API_URL"):
        client.list_users()
    assert calls(answers, "listUser") == 1


def test_a_change_sent_to_a_wrong_address_was_not_made(client, answers):
    answers.post(f"{BASE}/api/v0/deleteUser", body="<html>Not found", status=404)
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        client.delete_user(address="a@example.com")
    assert calls(answers, "listUser") == 0


def test_a_redirect_is_not_followed(client, answers):
    listing(answers, status=302, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(UnavailableError, match="redirect"):
        client.list_users()
    assert len(answers.calls) == 1


def test_a_door_that_stays_shut_points_to_token_and_firewall(client, answers):
    listing(answers, body="<html>Forbidden", status=403)
    with pytest.raises(UnavailableError, match="firewall or proxy"):
        client.list_users()


def test_success_with_a_failing_status_is_not_believed(client, answers):
    answers.post(f"{BASE}/api/v0/deleteUser", json={"type": "success", "result": {}}, status=500)
    listing(answers, json=USERS)
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        client.delete_user(address="a@example.com")


def test_every_operation_is_told_in_words():
    assert set(DEEDS) == set(OPERATIONS)


def test_an_unreadable_answer_names_what_was_asked_for(client, answers):
    listing(answers, body="<html>")
    with pytest.raises(NoAnswerError, match="asked to list the mailboxes; its answer could not be"):
        client.list_users()


@pytest.mark.parametrize(("header", "words"), [("1", "in 1 second."), ("7", "in 7 seconds.")])
def test_a_pause_is_counted_in_plain_words(client, answers, header, words):
    listing(answers, json={}, status=429, headers={"Retry-After": header})
    with pytest.raises(RateLimitedError) as caught:
        client.list_users()
    assert str(caught.value).endswith(words)


def test_retry_after_may_be_a_date(client, answers, pauses):
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False):
        until = format_datetime(datetime(2026, 11, 20, 12, 0, 6, tzinfo=UTC), usegmt=True)
        listing(answers, json={}, status=429, headers={"Retry-After": until})
        listing(answers, json=USERS)
        client.list_users()
    assert pauses == [6]


@pytest.mark.parametrize(("header", "pause"), [("", 5), ("soon", 5), ("-3", 5), ("0", 0)])
def test_retry_after_survives_nonsense(client, answers, pauses, header, pause):
    listing(answers, json={}, status=429, headers={"Retry-After": header})
    listing(answers, json=USERS)
    client.list_users()
    assert pauses == [pause]


def test_a_very_long_pause_is_left_to_the_caller(client, answers, pauses):
    listing(answers, json={}, status=429, headers={"Retry-After": "9" * 5000})
    with pytest.raises(RateLimitedError) as caught:
        client.list_users()
    assert caught.value.retry_after == 999_999_999
    assert pauses == []


def test_words_of_purelymail_are_shortened_and_put_on_one_line(client, answers):
    reply = {"type": "error", "code": "c" * 500, "message": "<b>line\r\nbreak</b>" + "m" * 9000}
    listing(answers, json=reply)
    with pytest.raises(ApiRefusedError) as caught:
        client.list_users()
    assert "<b>line break</b>mmm" in caught.value.message
    assert len(caught.value.message) < 450


@pytest.mark.parametrize("message", ["Unknown user", "Unknown user: a@example.com"])
def test_an_absent_user_is_recognised_under_any_code(client, answers, message):
    reply = {"type": "error", "code": "internalError", "message": message}
    answers.post(f"{BASE}/api/v0/deleteUser", json=reply)
    with pytest.raises(Exception, match=r"does not know a@example\.com") as caught:
        client.delete_user(address="a@example.com")
    assert caught.value.status == 404


def test_an_error_without_words_is_still_an_error(client, answers):
    listing(answers, json={"type": "error", "code": 7, "message": None})
    with pytest.raises(ApiRefusedError, match="no reason given"):
        client.list_users()


def test_a_certificate_that_fails_means_that_nothing_was_sent(client, answers):
    error = requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    answers.post(f"{BASE}/api/v0/deleteUser", body=error)
    with pytest.raises(UnavailableError, match=r"certificate of .* Nothing was changed") as caught:
        client.delete_user(address="a@example.com")
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert calls(answers, "listUser") == 0


def test_an_encrypted_connection_that_breaks_leaves_the_outcome_open(client, answers):
    error = requests.exceptions.SSLError("[SSL: UNEXPECTED_EOF_WHILE_READING]")
    answers.post(f"{BASE}/api/v0/deleteUser", body=error)
    listing(answers, json={"result": {"users": []}})
    client.delete_user(address="a@example.com")
    assert calls(answers, "listUser") == 1


def test_a_host_that_does_not_listen_means_that_nothing_was_changed(pauses):
    client = PurelyMailClient(
        url="http://127.0.0.1:9", token="t0ken", patience=Patience(sleep=pauses.append)
    )
    with pytest.raises(UnavailableError, match=r"could not be reached at http://127\.0\.0\.1:9"):
        client.list_users()
    assert len(pauses) == 2
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        client.delete_user(address="a@example.com")


@pytest.mark.parametrize(
    "url",
    [
        "http://purelymail.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://user:secret@purelymail.com",
        "purelymail.com",
        "",
    ],
)
def test_the_token_is_never_sent_in_the_clear(url):
    with pytest.raises(RefusedError, match="must be an https:// address"):
        PurelyMailClient(url=url, token="t0ken")


@pytest.mark.parametrize("url", ["http://localhost:8010", "http://[::1]:8010", "https://x.test"])
def test_loopback_may_be_plain(url):
    PurelyMailClient(url=url, token="t0ken").close()


def test_time_outs_are_thirty_seconds_and_sixty_for_dns(client, answers):
    waited = []

    def answer(request):
        waited.append(request.req_kwargs["timeout"])
        return 200, {}, '{"result": {}}'

    for operation in ("addDomain", "updateDomainSettings", "deleteUser"):
        answers.add_callback("POST", f"{BASE}/api/v0/{operation}", callback=answer)
    client.add_domain(name="example.com")
    client.update_domain_settings(name="example.com", recheck_dns=True)
    client.update_domain_settings(name="example.com", allow_account_reset=False)
    client.delete_user(address="a@example.com")
    assert waited == [(10, 60), (10, 60), (10, 30), (10, 30)]


def test_credentials_of_a_netrc_are_not_sent(client, answers, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine purelymail.test login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    listing(answers, json=USERS)
    client.list_users()
    assert "Authorization" not in answers.calls[0].request.headers
