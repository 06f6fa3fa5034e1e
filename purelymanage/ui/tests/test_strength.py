"""The strength of a new password, in one word."""

import time

import pytest
from django.test import Client

from purelymanage.core.rates import RATES
from purelymanage.ui.strength import judge

URL = "/password-strength/?field=new"


@pytest.mark.parametrize(
    ("password", "word", "tone"),
    [
        ("12345678", "Very weak", "bad"),
        ("h7@Kd2mQv%9sTzX4pLw#", "Very strong", "ok"),
    ],
)
def test_a_password_is_judged(client, db, password, word, tone):
    response = client.post(URL, {"new": password}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert word in html
    assert f'class="strength {tone}"' in html
    assert password not in html
    assert "no-store" in response["Cache-Control"]


def test_nothing_typed_is_not_judged(client, db):
    assert client.post(URL, {"new": ""}).content.strip() == b""
    assert client.post(URL, {"password": "other field"}).content.strip() == b""


def test_no_password_keeps_the_server_busy():
    started = time.process_time()
    assert judge('4@8({[<369&#!1/|0$5+7%2"' * 500) is not None
    assert time.process_time() - started < 3


def test_it_is_asked_by_post_from_our_pages_only(client, db):
    assert client.get(URL).status_code == 405
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.post(URL, {"new": "x"}).status_code == 403


def test_it_is_asked_as_often_as_one_types_and_no_more(client, db, settings, monkeypatch):
    settings.RATE_LIMITS = True
    monkeypatch.setitem(RATES, "password_strength", "2/m/ip")
    assert [client.post(URL, {"new": "x"}).status_code for _ in range(3)] == [200, 200, 429]


def test_a_password_is_never_logged(client, db, caplog):
    caplog.set_level("DEBUG")
    client.post(URL, {"new": "h7@Kd2mQv%9sTzX4pLw#"})
    assert "h7@Kd2mQv" not in caplog.text
