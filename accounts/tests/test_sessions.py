"""People's own list of sessions, what ends them, and what a cookie is worth afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Session, User
from accounts.services import people
from accounts.sessions.devices import device_words, is_hand_held
from accounts.sessions.store import SessionStore
from accounts.tests.browsers import (
    FIREFOX,
    cookie_of,
    opens,
    row_of,
    sign_in,
    signed_in,
    with_cookie,
)
from accounts.tests.factors import code_now, give_app
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.roles import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

LIST = "/settings/sessions/"
NEW = "seven purple walls sing"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
HTMX = {"hx-request": "true", "hx-current-url": "http://testserver/deletions/?page=2"}


def page(client: Client, path: str = LIST) -> str:
    return client.get(path).content.decode()


def last_entry() -> Entry:
    return Entry.objects.newest_first()[0]


def change_password(client: Client) -> None:
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", typed).status_code == 302


def reset_password(client: Client, person: User) -> None:
    person.refresh_from_db()  # signing in makes older links void
    key = default_token_generator.make_token(person)
    link = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(person), key])
    form = client.get(link).url
    assert client.post(form, {"password1": NEW, "password2": NEW}).status_code == 302


# The list


@pytest.mark.parametrize("role", Role)
def test_everybody_sees_where_they_are_signed_in(admin, role):
    User.objects.filter(pk=admin.pk).update(role=role)
    phone = signed_in(admin, address="2001:db8::7", user_agent=PHONE)
    here = signed_in(admin, address="192.0.2.7", user_agent=FIREFOX)
    html = page(here)
    assert "Firefox on Windows" in html
    assert "Safari on iPhone" in html
    assert "192.0.2.7" in html
    assert "2001:db8::7" in html
    assert html.index("Firefox on Windows") < html.index("Safari on iPhone")
    assert html.count("This one") == 1
    assert f"{LIST}{row_of(phone).pk}/end/" in html
    assert f"{LIST}{row_of(here).pk}/end/" not in html


def test_nobody_sees_those_of_others_or_expired_ones(admin, owner, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    signed_in(admin, address="198.51.100.1")
    signed_in(owner, address="198.51.100.2")
    time_machine.shift(31 * 60)
    html = page(signed_in(admin))
    assert "198.51.100" not in html
    assert "End all others" not in html


def test_no_key_and_no_digest_leaves_the_database(admin):
    browsers = [signed_in(admin), signed_in(admin)]
    html = page(browsers[0])
    for browser in browsers:
        assert cookie_of(browser) not in html
        assert row_of(browser).session_key not in html


def test_the_list_costs_the_same_however_long_it_is(admin, django_assert_max_num_queries):
    for _number in range(20):
        signed_in(admin)
    browser = signed_in(admin)
    with django_assert_max_num_queries(6):
        assert page(browser).count("/end/") > 20


def test_what_a_browser_says_is_text(admin):
    assert "<script>x" not in page(signed_in(admin, user_agent="<script>x</script>"))


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SAID = {
    FIREFOX: "Firefox on Windows",
    PHONE: "Safari on iPhone",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36": "Chrome on Linux",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/131.0 Safari/537.36 Edg/131.0": (
        "Edge on Windows"
    ),
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.1 Safari/605.1.15": (
        "Safari on macOS"
    ),
    f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} SamsungBrowser/27.0 Chrome/125.0 Safari/537": (
        "Samsung Internet on Android"
    ),
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko": "A browser on Windows",
    "Firefox/1.0": "Firefox",
    "curl/8.5.0": "An unknown device",
    "": "An unknown device",
}


@pytest.mark.parametrize(("user_agent", "words"), SAID.items(), ids=SAID.values())
def test_devices_have_names_people_know(user_agent, words):
    assert device_words(user_agent) == words
    assert is_hand_held(user_agent) is words.endswith(("iPhone", "Android"))


# Ending them


def test_one_ends_one_of_the_others(admin):
    here, there, third = (signed_in(admin) for _browser in range(3))
    ending = row_of(there)
    response = here.post(f"{LIST}{ending.pk}/end/")
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert "Firefox on Windows is signed out." in page(here)
    assert [opens(browser) for browser in (here, there, third)] == [True, False, True]
    entry = last_entry()
    assert (entry.action, entry.target) == (Action.SESSION_ENDED, admin.email)
    assert entry.before == {"device": "Firefox on Windows", "session_address": "192.0.2.7"}
    assert entry.outcome.result == "ok"


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's", "this one", "expired"])
def test_what_is_not_among_ones_others_is_not_found(admin, owner, whose):
    here = signed_in(admin)
    pk = {
        "nobody's": lambda: 4711,
        "somebody else's": lambda: row_of(signed_in(owner)).pk,
        "this one": lambda: row_of(here).pk,
        "expired": lambda: _expired(signed_in(admin)),
    }[whose]()
    rows = set(Session.objects.values_list("pk", flat=True))
    assert here.post(f"{LIST}{pk}/end/").status_code == 404
    assert set(Session.objects.values_list("pk", flat=True)) == rows
    assert not Entry.objects.filter(action=Action.SESSION_ENDED).exists()


def _expired(browser: Client) -> int:
    row = row_of(browser)
    Session.objects.filter(pk=row.pk).update(expire_date=row.begun_at)
    return row.pk


def test_one_ends_all_the_others(admin, owner):
    here, there, third = (signed_in(admin) for _browser in range(3))
    somebody = signed_in(owner)
    here.post(f"{LIST}end/")
    assert "2 sessions were ended." in page(here)
    assert [opens(browser) for browser in (there, third, somebody)] == [False, False, True]
    entry = last_entry()
    assert (entry.action, entry.target) == (Action.SESSIONS_ENDED, admin.email)
    assert entry.outcome.after == {"sessions": 2}
    here.post(f"{LIST}end/")
    assert "There was no session to end." in page(here)


def test_an_owner_ends_anybodys(admin, owner):
    theirs = [signed_in(admin), signed_in(admin)]
    mine = signed_in(owner)
    person = f"/settings/people/{admin.pk}/"
    assert f"{person}sessions/end/" in page(mine, person)
    assert mine.post(f"{person}sessions/end/")["Location"] == person
    assert not any(opens(browser) for browser in theirs)
    assert opens(mine)
    assert (last_entry().action, last_entry().target) == (Action.SESSIONS_ENDED, admin.email)
    sign_in(theirs[0], admin)
    assert opens(theirs[0])


def test_nobody_else_does(admin, viewer, owner):
    theirs = signed_in(owner)
    for person in (admin, viewer):
        browser = signed_in(person)
        assert browser.post(f"/settings/people/{owner.pk}/sessions/end/").status_code == 403
    assert opens(theirs)


@pytest.mark.parametrize(
    "path", [f"{LIST}end/", f"{LIST}1/end/", "/settings/people/1/sessions/end/"]
)
def test_ending_takes_a_fresh_look_at_who_asks(owner, path, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    browser = signed_in(owner)
    other = signed_in(owner)
    time_machine.shift(16 * 60)
    assert "reauthenticate" in browser.post(path)["Location"]
    assert opens(other)


# What ends them besides


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(admin):
    browser = signed_in(admin)
    elsewhere = signed_in(admin)
    stolen = cookie_of(browser)
    browser.post("/accounts/logout/")
    assert not opens(with_cookie(stolen))
    assert opens(elsewhere)


def test_nor_after_a_new_password_also_the_one_of_the_browser_that_set_it(admin):
    browser, elsewhere = signed_in(admin), signed_in(admin)
    stolen = cookie_of(browser)
    change_password(browser)
    assert cookie_of(browser) != stolen
    assert opens(browser)
    assert not opens(with_cookie(stolen))
    assert not opens(elsewhere)
    assert Session.objects.filter(user=admin).count() == 1


def test_nor_after_a_password_that_was_set_by_mail(admin):
    browser, elsewhere = signed_in(admin), signed_in(admin)
    stolen = [cookie_of(browser), cookie_of(elsewhere)]
    reset_password(browser, admin)
    assert not any(opens(with_cookie(cookie)) for cookie in stolen)
    assert not Session.objects.filter(user=admin).exists()


def test_nor_after_another_role(admin):
    stolen = cookie_of(signed_in(admin))
    people.change_role(person=admin, role=Role.VIEWER)
    assert not opens(with_cookie(stolen))
    assert not Session.objects.filter(user=admin).exists()


def test_nor_after_the_person_was_removed(admin):
    stolen = cookie_of(signed_in(admin))
    people.remove_person(person=admin)
    assert not Session.objects.filter(user=admin).exists()
    people.restore_person(person=admin)
    assert not opens(with_cookie(stolen))


@pytest.mark.parametrize("by", ["themselves", "mail"])
def test_nor_a_sign_in_that_had_got_to_the_second_step(admin, by):
    browser = signed_in(admin)
    give_app(admin)
    half_way = Client()
    sign_in(half_way, admin)
    change_password(browser) if by == "themselves" else reset_password(Client(), admin)
    answer = half_way.post("/accounts/2fa/authenticate/", {"code": code_now()}, follow=True)
    assert "Your password was changed meanwhile" in answer.content.decode()
    assert not opens(half_way)
    assert half_way.get("/accounts/2fa/authenticate/").status_code == 302


def test_an_open_page_that_asks_again_is_led_to_sign_in(admin):
    browser = signed_in(admin)
    assert browser.get("/deletions/", headers=HTMX).status_code == 200
    Session.objects.all().delete()
    response = browser.get("/deletions/", headers=HTMX)
    assert response["HX-Redirect"] == "/accounts/login/?next=/deletions/%3Fpage%3D2"
    assert not response.content


@pytest.fixture
def _no_record(monkeypatch):
    def fail(*_args, **_facts):
        raise RuntimeError

    monkeypatch.setattr("accounts.receivers.record", fail)


@pytest.mark.usefixtures("_no_record")
def test_a_password_that_cannot_go_on_record_is_not_changed(admin):
    browser = Client()
    browser.force_login(admin)
    with pytest.raises(RuntimeError):
        change_password(browser)
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    assert opens(browser)


@pytest.mark.usefixtures("_no_record")
def test_nor_one_that_is_set_by_mail(admin):
    elsewhere = Client()
    elsewhere.force_login(admin)
    with pytest.raises(RuntimeError):
        reset_password(Client(), admin)
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    assert opens(elsewhere)


# Fixation


def planted(remembers: str = "") -> str:
    """The cookie of a session that is there before its victim signs in."""
    store = SessionStore()
    store["remembers"] = remembers
    store.save()
    return store.session_key


@pytest.mark.parametrize("made_up", [True, False])
def test_a_planted_cookie_is_not_the_one_of_whoever_signs_in(admin, made_up):
    cookie = "thisismadeupbyanattacker12345678" if made_up else planted()
    victim = with_cookie(cookie)
    sign_in(victim, admin)
    assert opens(victim)
    assert cookie_of(victim) != cookie
    assert not opens(with_cookie(cookie))


def test_nor_through_the_second_step(admin):
    give_app(admin)
    cookie = planted()
    victim = with_cookie(cookie)
    sign_in(victim, admin)
    between = cookie_of(victim)
    assert not opens(victim)
    victim.post("/accounts/2fa/authenticate/", {"code": code_now()})
    assert opens(victim)
    for known in (cookie, between):
        assert known != cookie_of(victim)
        assert not opens(with_cookie(known))


def test_nor_by_an_invitation(owner):
    Invitation.objects.create(
        email="nora@panel.example",
        name="Nora",
        role=Role.ADMIN,
        token_digest=Invitation.digest_of("token"),
        invited_by=owner,
        expires_at=timezone.now() + timedelta(days=1),
    )
    cookie = planted()
    victim = with_cookie(cookie)
    victim.post("/invite/token/", {"name": "Nora", "password": NEW})
    assert opens(victim)
    assert cookie_of(victim) != cookie
    assert not opens(with_cookie(cookie))
