"""The settings pages that are about the panel itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import about, settings_tabs
from accounts.about import Fact
from accounts.services import connection
from audit.actions import Action
from audit.models import Entry
from domains.models import Kind, SyncState
from purelymanage.core.errors import UnavailableError
from purelymanage.jobs.models import WorkerHost

pytestmark = pytest.mark.django_db

TEST = "/settings/purelymail/test/"


@pytest.fixture
def credit(monkeypatch):
    """PurelyMail's answer: a number, or the error it raises."""
    answers: list[object] = []

    class Client:
        def check_account_credit(self) -> Decimal:
            answer = answers.pop()
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(connection, "get_client", Client)
    return answers


@pytest.mark.parametrize("path", ["", "people/", "audit/", "purelymail/", "about/"])
def test_a_viewer_reads_every_tab(viewer_client, path):
    page = viewer_client.get(f"/settings/{path}").content.decode()
    assert f'href="/settings/{path}" aria-current="page"' in page
    assert page.count('aria-current="page"') == 2  # the tab, and Settings in the sidebar


def test_the_tab_of_a_page_below_stays_current(owner_client):
    page = owner_client.get("/settings/people/new/").content.decode()
    assert 'href="/settings/people/" aria-current="page"' in page
    assert 'href="/settings/" aria-current="page"' not in page.split('class="tabs"')[1]


def test_apps_above_add_their_tabs_in_order(monkeypatch):
    monkeypatch.setattr(settings_tabs, "_tabs", list(settings_tabs._tabs))
    for _twice in range(2):
        settings_tabs.register_tab("Weather", "weather:today", 51)
    names = [tab.url_name for tab in settings_tabs.settings_tabs()]
    assert names.count("weather:today") == 1
    assert names[names.index("weather:today") - 1] == "accounts:purelymail"


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("password", "/accounts/password/change/"),
        ("people", "/settings/people/"),
        ("audit", "/settings/audit/"),
        ("connection", "/settings/purelymail/"),
        ("about", "/settings/about/"),
    ],
)
def test_the_palette_finds_the_settings_pages_and_each_opens(viewer_client, query, url):
    assert f'href="{url}"' in viewer_client.get(f"/palette/?q={query}").content.decode()
    assert viewer_client.get(url).status_code == 200


def test_the_palette_offers_to_add_a_person_to_owners_alone(owner_client, admin_client):
    offered = 'href="/settings/people/new/"'
    assert offered in owner_client.get("/palette/?q=person").content.decode()
    assert offered not in admin_client.get("/palette/?q=person").content.decode()


def test_no_shared_cache_keeps_a_page(viewer_client):
    assert viewer_client.get("/settings/people/")["Cache-Control"] == "private, no-cache"


def test_the_connection_page_never_shows_the_token(owner_client, settings):
    settings.PURELYMAIL_API_TOKEN = "tok-very-secret"
    settings.DEMO = False
    page = owner_client.get("/settings/purelymail/").content.decode()
    assert "tok-very-secret" not in page
    assert "never shown" in page
    assert settings.PURELYMAIL_API_URL in page


def test_the_connection_page_says_when_it_is_a_demo(owner_client, settings):
    settings.DEMO = True
    page = owner_client.get("/settings/purelymail/").content.decode()
    assert "simulated PurelyMail account" in page
    assert "make_keys" in page


def test_opening_the_page_asks_purelymail_nothing(owner_client, credit):
    assert owner_client.get("/settings/purelymail/").status_code == 200
    assert not Entry.objects.exists()


def test_the_test_shows_the_credit(admin_client, credit):
    credit.append(Decimal("3.4100000000208333333"))
    page = admin_client.post(TEST).content.decode()
    assert "Connected. Credit: 3.41 USD." in page
    assert "<html" in page
    entry = Entry.objects.newest_first().get()
    assert (entry.action, entry.outcome.after) == (Action.CONNECTION_TESTED, {"credit": "3.41 USD"})


def test_with_htmx_the_test_answers_in_place(admin_client, credit):
    credit.append(Decimal("3.41"))
    page = admin_client.post(TEST, headers={"hx-request": "true"}).content.decode()
    assert page.strip().startswith('<div id="answer"')


def test_a_failed_test_shows_the_sentence(admin_client, credit):
    credit.append(UnavailableError("PurelyMail does not answer. Try again later."))
    page = admin_client.post(TEST).content.decode()
    assert "PurelyMail does not answer. Try again later." in page
    assert Entry.objects.newest_first().get().outcome.result == "failed"


def test_a_viewer_may_not_test(viewer_client, credit):
    assert viewer_client.post(TEST).status_code == 403
    assert "Test the connection" not in viewer_client.get("/settings/purelymail/").content.decode()


def test_about_tells_version_database_workers_and_queue(viewer_client):
    page = viewer_client.get("/settings/about/").content.decode()
    for words in ("Version", "Database", "Workers", "Never seen", "Queue", "0 tasks"):
        assert words in page


@pytest.mark.parametrize(("age", "tone"), [(10, "ok"), (61, "bad")])
def test_about_says_whether_somebody_works(age, tone):
    now = timezone.now()
    seen = now - timedelta(seconds=age)
    WorkerHost.objects.create(name="host:1", started_at=now, seen_at=seen)
    assert dict(about.facts())["Workers"].tone == tone


def test_apps_above_add_facts_in_order(monkeypatch):
    monkeypatch.setattr(about, "_facts", list(about._facts))
    about.register_fact("Weather", lambda: Fact("fair"), order=21)
    names = [label for label, _fact in about.facts()]
    assert names.index("Weather") == names.index("Database") + 1


def test_about_tells_the_engine_and_the_last_sync(viewer_client):
    SyncState.objects.create(name=Kind.DOMAINS, synced_at=timezone.now())
    page = viewer_client.get("/settings/about/").content.decode()
    assert "Engine" in page
    assert "Last sync" in page
    assert "just now" in page


def test_the_version_is_the_one_of_the_package():
    import tomllib
    from pathlib import Path

    import purelymanage

    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert purelymanage.__version__ == project["version"]
