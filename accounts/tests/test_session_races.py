"""A session that is ended while its requests are under way: none of them brings it back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import connections

from accounts.models import Session, User
from accounts.services import people
from accounts.services.sessions import end_sessions
from accounts.sessions.store import SessionStore
from accounts.tests.browsers import HOME, cookie_of, opens, signed_in, with_cookie
from accounts.views.passwords import PasswordChange
from conftest import PASSWORD
from purelymanage.core.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "seven purple walls sing"


def person() -> User:
    return User.objects.create_user(
        email="olga@panel.example", name="Olga", role=Role.OWNER, password=PASSWORD
    )


def together(*actions):
    """Run them at once; none of them may raise."""
    start = threading.Barrier(len(actions))

    def run(action):
        start.wait(timeout=30)
        try:
            action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        for running in [pool.submit(run, action) for action in actions]:
            running.result(timeout=120)


@pytest.fixture
def half_done(monkeypatch):
    """`half_done(owner, name, send, meanwhile)`: what `send` is answered when `meanwhile` runs in
    the midst of it, before the function `name` of `owner`."""

    def run(where, name, send, meanwhile):
        reached, go_on = threading.Event(), threading.Event()
        original = getattr(where, name)

        def wait(*args, **kwargs):
            reached.set()
            assert go_on.wait(timeout=30)
            return original(*args, **kwargs)

        def request():
            try:
                return send()
            finally:
                connections.close_all()

        monkeypatch.setattr(where, name, wait)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(request)
            assert reached.wait(timeout=30)
            meanwhile()
            go_on.set()
            return answer.result(timeout=60)

    return run


def test_a_request_that_saves_in_it_at_the_end(half_done):
    owner = person()
    browser = signed_in(owner)
    cookie = cookie_of(browser)
    response = half_done(
        people,
        "change_name",
        lambda: browser.post(HOME, {"name": "Olga O."}),
        lambda: end_sessions(person=owner),
    )
    assert response.status_code == 400
    assert not Session.objects.filter(user=owner).exists()
    assert not opens(with_cookie(cookie))


def test_a_request_that_gives_it_a_new_key(half_done):
    """Whose session has ended sets no new password either."""
    owner = person()
    browser = signed_in(owner)
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    response = half_done(
        PasswordChange,
        "form_valid",
        lambda: browser.post("/accounts/password/change/", typed),
        lambda: end_sessions(person=owner),
    )
    assert response.status_code == 400
    assert not Session.objects.filter(user=owner).exists()
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


@pytest.mark.parametrize("round_", range(5))
def test_many_requests_at_that_moment(round_):
    owner = person()
    store = SessionStore()
    store[SESSION_KEY] = str(owner.pk)
    store.save()

    def saves():
        mine = SessionStore(store.session_key)
        mine["more"] = round_
        with suppress(UpdateError):
            mine.save()

    def goes_on():
        mine = SessionStore(store.session_key)
        mine.get("anything")
        with suppress(SessionInterrupted):
            mine.cycle_key()

    def ends():
        end_sessions(person=owner)

    together(saves, goes_on, ends, saves, goes_on)
    assert not Session.objects.filter(user=owner).exists()


@pytest.mark.parametrize("round_", range(3))
def test_requests_of_a_browser_while_it_is_ended(round_):
    owner = person()
    browser = signed_in(owner)
    cookie = cookie_of(browser)

    def request():
        with_cookie(cookie).post(HOME, {"name": f"Olga {threading.get_ident()}"})

    together(request, request, lambda: end_sessions(person=owner), request)
    assert not Session.objects.filter(user=owner).exists()
    assert not opens(with_cookie(cookie))
