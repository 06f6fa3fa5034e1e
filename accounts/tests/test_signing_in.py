"""Signing in and out, passwords, and what all of it leaves in sessions and the audit log."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts import tasks
from accounts.models import Session, User
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

LOGIN = "/accounts/login/"
NEW = "seven purple walls sing"


@pytest.fixture(autouse=True)
def _work_at_once(monkeypatch):
    """The queue's worker does its work in the same breath."""

    def do(task: str, *args: object) -> None:
        getattr(tasks, task.rpartition(".")[2])(*args)

    monkeypatch.setattr("accounts.forms.enqueue", do)


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def entries() -> list[tuple[str, str, str]]:
    found = Entry.objects.select_related("outcome").order_by("pk")
    return [(entry.action, entry.actor_name, entry.outcome.result) for entry in found]


def test_the_sign_in_page_says_what_it_needs(client, owner):
    page = client.get(LOGIN).content.decode()
    for words in ("E-mail", "Password", "Sign in"):
        assert words in page
    assert "emember" not in page
    assert "placeholder" not in page


def test_signing_in_leads_home_and_is_on_record_with_the_address(client, admin):
    response = sign_in(Client(REMOTE_ADDR="192.0.2.7"), "ADAM@panel.example")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert entries() == [(Action.SIGNED_IN, "Adam", "ok")]
    assert Entry.objects.get().address == "192.0.2.7"
    assert Session.objects.get().address == "192.0.2.7"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/settings/about/", "/settings/about/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http://localhost/elsewhere", "/"),
    ],
)
def test_next_stays_on_this_site(client, admin, wanted, reached):
    assert sign_in(client, admin.email, next=wanted)["Location"] == reached


@pytest.mark.parametrize("email", ["adam@panel.example", "nobody@panel.example"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, admin, email):
    response = sign_in(client, email, "not the password")
    page = response.content.decode()
    assert "do not belong together" in page
    assert "not the password" not in page
    assert entries() == [(Action.SIGN_IN_FAILED, "anonymous", "refused")]
    entry = Entry.objects.get()
    assert entry.sentence == f"could not sign in as {email}"
    assert "not the password" not in str(entry.__dict__ | entry.outcome.__dict__)


def test_a_removed_person_cannot_sign_in(client, admin):
    User.objects.filter(pk=admin.pk).update(is_active=False)
    response = sign_in(client, admin.email)
    assert response["Location"] == "/accounts/inactive/"
    assert "took away your right" in client.get("/accounts/inactive/").content.decode()
    assert client.get("/settings/").status_code == 302
    assert entries() == [(Action.SIGN_IN_FAILED, "anonymous", "refused")]


def test_signing_out_takes_a_post_and_ends_the_session_on_the_server(client, admin):
    sign_in(client, admin.email)
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert client.get("/settings/").status_code == 200
    stolen = client.cookies["sessionid"].value
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/settings/").status_code == 302
    assert entries()[-1] == (Action.SIGNED_OUT, "Adam", "ok")
    assert not Session.objects.filter(user=admin).exists()


@pytest.mark.parametrize("path", ["signup/", "email/", "login/code/", "sessions/", "3rdparty/"])
def test_what_we_do_not_use_of_allauth_has_no_address(owner_client, path):
    assert owner_client.get(f"/accounts/{path}").status_code == 404


def test_a_new_password_keeps_this_session_and_ends_the_others(client, admin):
    elsewhere = Client()
    sign_in(client, admin.email)
    sign_in(elsewhere, admin.email)
    assert Session.objects.count() == 2
    response = client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
    )
    assert response["Location"] == "/settings/"
    assert "Your other sessions were ended" in client.get("/settings/").content.decode()
    assert elsewhere.get("/settings/").status_code == 302
    assert Session.objects.count() == 1
    assert entries()[-1] == (Action.PASSWORD_CHANGED, "Adam", "ok")
    assert sign_in(Client(), admin.email, NEW).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("wrong", NEW, NEW, "not your current password"),
        (PASSWORD, "short", "short", "at least 10"),
        (PASSWORD, NEW, NEW + "x", "same password each time"),
        (PASSWORD, "adam@panel.example", "adam@panel.example", "too similar"),
    ],
)
def test_a_password_change_that_does_not_fit_changes_nothing(
    admin_client, admin, old, new, again, says
):
    typed = {"oldpassword": old, "password1": new, "password2": again}
    page = admin_client.post("/accounts/password/change/", typed).content.decode()
    assert says in page
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    refused = [(Action.IDENTITY_NOT_CONFIRMED, "Adam", "refused")]
    assert entries() == (refused if old == "wrong" else [])


@pytest.mark.parametrize(
    "asks", [{"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}, {"HTTP_ACCEPT": "application/json"}]
)
def test_a_form_is_answered_with_a_page_whatever_is_asked_for(client, admin, asks):
    answer = client.post(LOGIN, {"login": admin.email, "password": "wrong pass"}, **asks)
    assert (answer.status_code, answer["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert "wrong pass" not in answer.content.decode()


def reset_link(mailoutbox) -> str:
    text = mailoutbox[-1].body
    return re.search(r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)", text)[1]


def test_a_forgotten_password_is_replaced_by_mail(client, admin, mailoutbox):
    signed_in = Client()
    sign_in(signed_in, admin.email)
    response = client.post("/accounts/password/reset/", {"email": "Adam@panel.example"})
    assert response["Location"] == "/accounts/password/reset/done/"
    message = mailoutbox[0]
    assert message.to == ["adam@panel.example"]
    assert message.subject == "Set a new password for PurelyManage"
    assert "within 60 minutes" in message.body
    link = reset_link(mailoutbox)
    assert link in message.alternatives[0][0]

    form = client.get(link, follow=True)
    assert "set-password" in form.request["PATH_INFO"]
    response = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert response["Location"] == "/accounts/password/reset/key/done/"
    done = client.get(response["Location"]).content.decode()
    assert "Every session of yours was ended." in done
    assert "Your other sessions were ended" not in done
    assert signed_in.get("/settings/").status_code == 302
    assert not Session.objects.filter(user=admin).exists()
    assert (Action.PASSWORD_RESET, "Adam", "ok") in entries()
    assert sign_in(Client(), admin.email, NEW).status_code == 302
    assert "no longer works" in Client().get(link).content.decode()


def test_resetting_in_a_signed_in_browser_signs_it_out(client, admin, mailoutbox):
    sign_in(client, admin.email)
    client.post("/accounts/password/reset/", {"email": admin.email})
    form = client.get(reset_link(mailoutbox), follow=True)
    response = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert response.status_code == 302
    assert "Your other sessions" not in client.get(response["Location"]).content.decode()
    assert client.get("/settings/").status_code == 302


def test_the_link_runs_out_after_an_hour(client, admin, mailoutbox, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z")
    client.post("/accounts/password/reset/", {"email": admin.email})
    time_machine.shift(3601)
    assert "no longer works" in client.get(reset_link(mailoutbox)).content.decode()


@pytest.mark.parametrize("email", ["nobody@panel.example", "vera@panel.example"])
def test_an_unknown_or_removed_address_gets_the_same_answer_and_no_mail(
    client, viewer, mailoutbox, email
):
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    response = client.post("/accounts/password/reset/", {"email": email})
    assert response["Location"] == "/accounts/password/reset/done/"
    assert mailoutbox == []


def test_the_answer_waits_for_no_mail_server(client, admin, monkeypatch):
    """Mail is a worker's task for any address, so that time tells nothing either."""
    queued: list[tuple[object, ...]] = []
    monkeypatch.setattr("accounts.forms.enqueue", lambda *args: queued.append(args))
    client.post("/accounts/password/reset/", {"email": admin.email})
    client.post("/accounts/password/reset/", {"email": "nobody@panel.example"})
    assert queued == [
        ("accounts.tasks.send_password_reset", admin.pk),
        ("accounts.tasks.send_password_reset", 0),
    ]


def test_the_link_leads_to_our_own_address_whatever_host_was_asked(admin, mailoutbox, settings):
    settings.ALLOWED_HOSTS = ["*"]
    Client(headers={"host": "evil.example"}).post(
        "/accounts/password/reset/", {"email": admin.email}
    )
    assert "evil.example" not in mailoutbox[0].body


def test_the_session_list_is_true_to_the_minute(client, admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    sign_in(client, admin.email)
    client.get("/settings/")
    seen = Session.objects.get().last_seen_at
    time_machine.shift(30)
    client.get("/settings/")
    assert Session.objects.get().last_seen_at == seen
    time_machine.shift(60)
    client.get("/settings/")
    assert (Session.objects.get().last_seen_at - seen).total_seconds() == 90


def test_the_real_settings_hash_with_argon2():
    from purelymanage import settings as real

    assert real.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_a_person_who_is_signed_in_is_led_past_the_sign_in_page(owner_client):
    assert owner_client.get(LOGIN)["Location"] == "/"


@pytest.mark.parametrize(
    "path",
    ["login/", "logout/", "inactive/", "password/reset/", "password/reset/done/"],
)
def test_every_public_page_renders(client, owner, path):
    assert client.get(f"/accounts/{path}", follow=True).status_code == 200
