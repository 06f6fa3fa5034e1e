"""The state of the chain on the page, and a check that somebody asks for."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import timezone

from audit import checking, tasks
from audit.checking import ask_for_check, being_checked, chain_state
from audit.models import HEAD, Verification

pytestmark = pytest.mark.django_db

URL = "/settings/audit/"
CHECK = f"{URL}chain/check/"
STATE = f"{URL}chain/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The tasks that were sent to the workers."""
    cache.delete(checking.ASKED_FOR)
    sent: list[str] = []
    monkeypatch.setattr(checking, "enqueue", sent.append)
    return sent


def checked(verdict: Verification.Verdict, *, sentence: str = "") -> None:
    Verification.objects.create(
        pk=HEAD,
        at=timezone.now(),
        verdict=verdict,
        entries=12_345,
        sentence=sentence,
        head="12345:abc",
    )


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_log_that_was_never_checked_says_so(viewer_client):
    text = text_of(viewer_client.get(URL))
    assert "Never checked" in text
    assert "Check now" not in text


def test_an_unbroken_chain_is_a_quiet_line(viewer_client):
    checked(Verification.Verdict.GOOD)
    text = text_of(viewer_client.get(URL))
    assert "Unbroken" in text
    assert "12,345 entries, nothing changed, removed or moved." in text
    assert "was tampered with" not in text


def test_a_broken_chain_says_in_red_what_is_wrong_and_where(viewer_client):
    checked(Verification.Verdict.TAMPERED, sentence="Entry 17 was <b>changed</b>.")
    text = text_of(viewer_client.get(URL))
    assert '<div class="banner bad" role="alert">' in text
    assert "The audit log was tampered with." in text
    assert "Entry 17 was &lt;b&gt;changed&lt;/b&gt;." in text


def test_what_nobody_can_tell_is_no_verdict(viewer_client):
    checked(Verification.Verdict.UNKNOWN, sentence="The key 12ab is not known.")
    text = text_of(viewer_client.get(URL))
    assert '<div class="banner warn"' in text
    assert "The audit log cannot be checked." in text


def test_an_admin_has_it_checked_once_and_sees_that_it_goes_on(admin_client, asked):
    for _again in range(2):
        text = text_of(admin_client.post(CHECK, headers=HTMX))
        assert "Checking…" in text
        assert 'aria-busy="true"' in text
        assert f'hx-get="{STATE}"' in text
    assert asked == [checking.TASK]
    with being_checked():
        assert chain_state().is_being_checked
    text = text_of(admin_client.get(STATE, headers=HTMX))
    assert "Check now" in text
    assert "hx-trigger" not in text


def test_the_worker_checks_and_the_page_knows(admin_client, viewer_client):
    admin_client.post(CHECK)
    tasks.check_now()
    text = text_of(viewer_client.get(URL))
    assert "Unbroken" in text
    assert "Checked <time" in text
    assert not chain_state().is_being_checked


def test_a_check_that_crashes_can_be_asked_for_again(asked):
    ask_for_check()
    with pytest.raises(RuntimeError), being_checked():
        raise RuntimeError
    ask_for_check()
    assert len(asked) == 2


def test_without_script_the_page_comes_back(admin_client, viewer_client, asked):
    response = admin_client.post(CHECK)
    assert (response.status_code, response["Location"]) == (302, URL)
    assert "Checking…" in text_of(viewer_client.get(URL))
    assert len(asked) == 1


def test_viewers_look_and_ask_for_nothing(viewer_client, client, asked):
    assert viewer_client.get(STATE, headers=HTMX).status_code == 200
    assert viewer_client.get(STATE)["Location"] == URL
    assert viewer_client.post(CHECK).status_code == 403
    assert viewer_client.get(CHECK).status_code == 403
    assert client.get(STATE).status_code == 302
    assert client.post(CHECK).status_code == 302
    assert not asked
