"""The first account: how it comes to be, and that there is no second first one."""

from __future__ import annotations

import threading

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from accounts.entrance.setup_code import announcement, is_setup_code, setup_code
from accounts.models import User
from accounts.services import people as services
from audit.actions import Action
from audit.models import Entry
from purelymanage.core.errors import MissingError
from purelymanage.core.rates import RATES
from purelymanage.core.roles import Role

FORM = {"name": "Olga", "email": "Olga@Panel.example", "password": "seven purple walls sing"}


@pytest.fixture(autouse=True)
def _no_attempts_yet():
    cache.clear()


@pytest.fixture
def elsewhere(settings) -> Client:
    """A browser that reaches the panel by a public name."""
    settings.ALLOWED_HOSTS = ["panel.example.com"]
    return Client(headers={"host": "panel.example.com"}, REMOTE_ADDR="192.0.2.7")


@pytest.fixture
def here() -> Client:
    return Client(headers={"host": "127.0.0.1"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/mailboxes/", "/accounts/login/", "/no/such/page", "/admin/"]
)
def test_without_an_account_every_page_leads_to_set_up(here, path):
    response = here.get(path)
    assert response.status_code == 302
    assert response["Location"] == "/setup/"


@pytest.mark.django_db
def test_without_an_account_htmx_is_led_to_set_up_too(here):
    response = here.get("/", headers={"hx-request": "true"})
    assert response["HX-Redirect"] == "/setup/"


@pytest.mark.django_db
def test_whoever_has_just_set_up_is_not_asked_again_who_they_are(here):
    here.post("/setup/", FORM)
    assert here.get("/settings/people/new/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_without_an_account_the_probes_answer(here, path):
    assert here.get(path)["Content-Type"] in ("text/plain", "application/json")


@pytest.mark.django_db
def test_set_up_makes_the_owner_and_signs_them_in(here):
    assert here.get("/setup/").status_code == 200
    response = here.post("/setup/", FORM)
    assert (response.status_code, response["Location"]) == (302, "/")
    owner = User.objects.get()
    assert (owner.email, owner.name, owner.role) == ("olga@panel.example", "Olga", Role.OWNER)
    assert here.get("/settings/").status_code == 200
    assert set(Entry.objects.values_list("action", "target", "actor_name")) == {
        (Action.OWNER_CREATED, "olga@panel.example", "Olga"),
        (Action.SIGNED_IN, "olga@panel.example", "Olga"),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_once_there_is_an_account_set_up_is_gone(here, owner, method):
    assert getattr(here, method)("/setup/", FORM).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_set_up_stays_gone_when_everybody_was_removed(here, owner):
    User.objects.update(is_active=False)
    assert here.get("/setup/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("email", "nonsense", "not an e-mail address"),
        ("email", "", "required"),
        ("name", "", "required"),
        ("name", "O\nlga", "line break"),
        ("name", "O" * 5000, "at most 120"),
        ("password", "short", "at least 10"),
        ("password", "qwertyuiop", "too common"),
        ("password", "olga@panel.example", "too similar"),
        ("password", "12345678901234", "entirely numeric"),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_keeps_the_rest(here, field, typed, says):
    response = here.post("/setup/", {**FORM, field: typed})
    page = response.content.decode()
    assert response.status_code == 422
    assert says in page
    assert FORM["password"] not in page
    assert not User.objects.exists()


@pytest.mark.django_db
def test_on_this_machine_no_code_is_asked(here):
    assert b'name="code"' not in here.get("/setup/").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("base_url", "host", "client", "header"),
    [
        ("https://panel.example.com", "127.0.0.1", "127.0.0.1", {}),
        ("http://127.0.0.1:8000", "panel.example.com", "127.0.0.1", {}),
        ("http://127.0.0.1:8000", "127.0.0.1", "192.0.2.7", {}),
        ("http://127.0.0.1:8000", "127.0.0.1", "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("http://127.0.0.1:8000", "127.0.0.1", "127.0.0.1", {"via": "1.1 proxy"}),
        ("http://127.0.0.1:8000", "127.0.0.1", "", {}),
    ],
)
def test_wherever_others_may_reach_it_a_code_is_asked(settings, base_url, host, client, header):
    settings.BASE_URL = base_url
    settings.ALLOWED_HOSTS = ["*"]
    browser = Client(headers={"host": host, **header}, REMOTE_ADDR=client)
    assert b'name="code"' in browser.get("/setup/").content
    assert browser.post("/setup/", FORM).status_code == 422
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_code_of_the_log_lets_the_owner_in(elsewhere, settings, capsys):
    call_command("setup_code")
    line = capsys.readouterr().out.strip()
    assert line.startswith(f"Set up the panel at {settings.BASE_URL}/setup/ with the code ")
    code = line.rsplit(" ", 1)[1]
    assert elsewhere.post("/setup/", {**FORM, "code": code.lower()}).status_code == 302
    assert User.objects.get().role == Role.OWNER


@pytest.mark.django_db
def test_the_log_is_silent_once_there_is_an_account(owner, capsys):
    call_command("setup_code")
    assert capsys.readouterr().out == ""
    assert announcement() == ""


def test_the_code_depends_on_the_secret_key_alone(settings):
    code = setup_code()
    assert setup_code() == code
    assert len(code) == 14
    assert is_setup_code(f" {code.replace('-', ' ')} ")
    assert not is_setup_code(code[:-1])
    assert not is_setup_code("ä" * 12)
    settings.SECRET_KEY = "another key of this installation, long enough"
    assert setup_code() != code


@pytest.mark.django_db
def test_wrong_codes_run_out(elsewhere, settings, monkeypatch):
    settings.RATE_LIMITS = True
    monkeypatch.setitem(RATES, "setup", "3/15m/ip")
    for _attempt in range(3):
        assert elsewhere.post("/setup/", {**FORM, "code": "AAAA"}).status_code == 422
    response = elsewhere.post("/setup/", {**FORM, "code": setup_code()})
    assert response.status_code == 429
    assert 890 < int(response["Retry-After"]) <= 900
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_becomes_the_owner():
    contestants = 6
    barrier = threading.Barrier(contestants)
    outcomes: list[str] = []

    def set_up(number: int) -> None:
        barrier.wait()
        try:
            services.create_first_owner(
                email=f"p{number}@panel.example", name="P", password="seven purple walls sing"
            )
            outcomes.append("owner")
        except MissingError:
            outcomes.append("late")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=set_up, args=[number]) for number in range(contestants)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["late"] * (contestants - 1) + ["owner"]
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_owner_and_one_404(monkeypatch):
    """Both pass the first look at the table; the lock decides."""
    barrier = threading.Barrier(2)
    create = services.create_first_owner

    def wait_and_create(**data):
        barrier.wait(timeout=30)
        return create(**data)

    monkeypatch.setattr(services, "create_first_owner", wait_and_create)
    answers: list[int] = []

    def post(number: int) -> None:
        browser = Client(headers={"host": "127.0.0.1"})
        response = browser.post("/setup/", {**FORM, "email": f"p{number}@panel.example"})
        answers.append(response.status_code)
        connections.close_all()

    threads = [threading.Thread(target=post, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers) == [302, 404]
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_once_somebody_was_seen_no_request_asks_again(here, owner, django_assert_num_queries):
    here.get("/settings/")
    with django_assert_num_queries(0):
        assert here.get("/settings/").status_code == 302


@pytest.mark.django_db
def test_an_emptied_database_leads_from_sign_in_back_to_set_up(here, owner):
    assert here.get("/accounts/login/").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_user")
    assert here.get("/accounts/login/")["Location"] == "/setup/"


def test_the_words_of_the_libraries_are_in_the_language_of_ours(client, db):
    response = client.post("/setup/", {}, headers={"accept-language": "de"})
    assert response["Content-Language"] == "en"
    assert "This field is required." in response.content.decode()
